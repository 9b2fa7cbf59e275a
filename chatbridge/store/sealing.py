"""Encryption of secrets at rest.

`CHATBRIDGE_SECRET_KEY` may hold several passphrases, newest first: the first seals, all of them open. So a key is
rotated by putting the new one in front, running `chatbridge migrate --reseal`, and then dropping the old one.
"""

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chatbridge.errors import ConfigurationError


class Sealer:
    """Seals text with the newest key and opens it with any."""

    def __init__(self, passphrases: Sequence[str]) -> None:
        """Derive one key from each passphrase, newest first."""
        self._fernet = MultiFernet([Fernet(_derive(passphrase)) for passphrase in passphrases])

    def seal(self, text: str) -> bytes:
        """Return the text encrypted and authenticated."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """Return the text that was sealed.

        Raises:
            ConfigurationError: none of the keys fits.

        """
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise ConfigurationError(
                "CHATBRIDGE_SECRET_KEY does not open the secrets in this database. Start with the key they were"
                " sealed with; several keys may be given, newest first, separated by commas."
            ) from error


def _derive(passphrase: str) -> bytes:
    # The passphrase is a long random value, not a password, so a fast derivation is the right one.
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"chatbridge secrets at rest v1")
    return base64.urlsafe_b64encode(kdf.derive(passphrase.encode()))

"""Names of accounts, and the addresses at which they are called.

An account is known by its host. It comes from outside (`referer`, `iss`, answers), and secrets are sent to it: so it is read by one
narrow pattern, and nothing that an address may have beside a name (user, port, path, trailing dot, other alphabets) fits it.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from chatbridge.errors import ForeignHost

ZONES: Final = ("amocrm.ru", "amocrm.com", "kommo.com")

_HOST: Final = re.compile(
    r"(?P<subdomain>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.(?P<zone>amocrm\.ru|amocrm\.com|kommo\.com)"
)
_WORD: Final = "www"
"""The vendor's own site, which is no account."""


class AccountHost(NamedTuple):
    """The host of an account."""

    subdomain: str
    zone: str

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.subdomain}.{self.zone}"


def parse_host(text: str) -> AccountHost:
    """Return the host that a text is, and nothing but is. Case means nothing in it.

    Raises:
        ForeignHost: it is anything else than an account of amoCRM or Kommo.

    """
    # Before lower(): it makes ASCII of letters that are not.
    found = _HOST.fullmatch(text.lower()) if text.isascii() else None
    if found is None or found["subdomain"] == _WORD:
        raise ForeignHost("this is no account of amoCRM or Kommo")
    return AccountHost(found["subdomain"], found["zone"])


def parse_issuer(text: str) -> AccountHost:
    """Return the host of an address that has nothing but a host, such as `https://romashka.amocrm.ru`.

    Raises:
        ForeignHost: it is anything else.

    """
    scheme, _, rest = text.partition("://")
    if scheme != "https":
        raise ForeignHost("this is no address of amoCRM or Kommo")
    return parse_host(rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where accounts and the consent page are called: two patterns (the settings `crm.address` and `crm.consent`)."""

    address: str
    """With `{host}`, or `{subdomain}` and `{zone}`."""
    consent: str
    """With `{zone}`, or without."""

    def base(self, host: AccountHost) -> str:
        """Return what all addresses of an account begin with, without a slash at its end."""
        return self.address.format(host=host, subdomain=host.subdomain, zone=host.zone)

    def origin(self, host: AccountHost) -> str:
        """Return the origin that a browser's page of the account has."""
        parts = urlsplit(self.base(host))
        return f"{parts.scheme}://{parts.netloc}"

    def consent_page(self, zone: str) -> str:
        """Return the address of the page on which people allow an integration."""
        return self.consent.format(zone=zone)

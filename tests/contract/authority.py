"""A certificate authority of the tests' own."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True)
class Authority:
    """Keeps its certificate and those that it gives out in a folder."""

    folder: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def new(cls, folder: Path) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Authority of the tests")
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = (
            _draft(name, name, key, days=1).add_extension(constraints, critical=True)
        ).sign(key, SHA256())
        (folder / "authority.pem").write_bytes(certificate.public_bytes(_PEM))
        return cls(folder, certificate, key)

    @property
    def file(self) -> Path:
        return self.folder / "authority.pem"

    def server(self, *hosts: str, days: int = 1) -> ssl.SSLContext:
        """TLS for a server that has a certificate for these hosts; for one that is over with negative `days`."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
            for host in hosts
        ]
        draft = _draft(_name(hosts[0]), self.certificate.subject, key, days=days)
        certificate = draft.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(
            self.key, SHA256()
        )
        private = key.private_bytes(
            _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self.folder / "server.pem"
        file.write_bytes(private + certificate.public_bytes(_PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=5))
        .not_valid_after(now + timedelta(days=days))
    )

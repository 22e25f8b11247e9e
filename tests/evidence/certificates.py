"""A certificate for loopback and the authority that issued it, made for one test."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


def make_chain(folder: Path) -> tuple[Path, Path, list[x509.Certificate]]:
    """Files with the chain and the key, and the chain, the server's own certificate first."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _issue("Test authority", authority_key, "Test authority", authority_key)
    key = ec.generate_private_key(ec.SECP256R1())
    own = _issue("127.0.0.1", key, "Test authority", authority_key)
    chain = [own, authority]
    (folder / "chain.pem").write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in chain))
    (folder / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return folder / "chain.pem", folder / "key.pem", chain


def spki_sha256(certificate: x509.Certificate) -> bytes:
    """The digest by which Chromium names a key."""
    key = certificate.public_key()
    return hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()


def _issue(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=subject == issuer, path_length=None), True)
    )
    if subject != issuer:
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(subject))])
        builder = builder.add_extension(names, False)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])

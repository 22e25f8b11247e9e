"""Time-stamping authorities: their certificates, their signatures, and who vouches for them.

Source: RFC 3161, section 2.3; RFC 5280, section 6.1. Revocation is not looked at: that takes
the network, and the certificates' own lists at the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from evidence.verifying.checks import Damaged, sha256_hex
from evidence.verifying.der import Element, NotDer
from evidence.verifying.keys import need_cryptography

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
except ImportError:  # pragma: no cover - seen by the test of the single file
    pass

MAX_CHAIN = 8
MAX_CERTIFICATES = 32
_RSA = {
    "1.2.840.113549.1.1.1": "",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
_ECDSA = {
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
_HASH_OIDS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}


@dataclass(frozen=True)
class Authority:
    """Who made a stamp.

    Parameters
    ----------
    subject
        Of its certificate.
    judgement
        What is known of the certificate's standing, in words.
    """

    subject: str
    judgement: str


@dataclass(frozen=True)
class SignerCertificate:
    """The certificate that a stamp was made with, and the others in the token."""

    certificate: Certificate
    others: tuple[Certificate, ...]
    issuer: bytes
    serial: int
    key_identifier: bytes

    def judge(self, part: str, at: datetime, roots: tuple[bytes, ...]) -> Authority:
        """Whether this certificate may stamp, and who vouches for it.

        Raises
        ------
        Damaged
            If it may not, or roots are given and none vouches for it.
        """
        signer = self.certificate
        _demand_purpose(part, signer)
        _demand_valid(part, signer, at)
        subject = signer.subject.rfc4514_string()
        if not roots:
            return Authority(subject, "chain not judged: no roots given")
        anchors = [_load(part, root) for root in roots]
        found = _chain(signer, [*anchors, *self.others], anchors, at)
        if found is None:
            raise Damaged(part, f"none of the roots given vouches for {subject}")
        return Authority(subject, f"vouched for by {found.subject.rfc4514_string()}")


def read_certificates(part: str, certificate: bytes, others: Sequence[bytes]) -> SignerCertificate:
    """Read the certificates of a token.

    Raises
    ------
    Damaged
        If one cannot be read.
    Unchecked
        Without `cryptography`.
    """
    need_cryptography()
    if len(others) > MAX_CERTIFICATES:
        raise Damaged(part, f"more than {MAX_CERTIFICATES} certificates")
    signer = _load(part, certificate)
    identifier = _extension(signer, x509.SubjectKeyIdentifier)
    return SignerCertificate(
        signer,
        tuple(_load(part, other) for other in others),
        signer.issuer.public_bytes(),
        signer.serial_number,
        identifier.value.digest if identifier else b"",
    )


def certificate_name(part: str, der: bytes) -> str:
    """SHA-256 of a certificate, once it has been read.

    Raises
    ------
    Damaged
        If it is none.
    """
    _load(part, der)
    return sha256_hex(der)


def verify_token_signature(
    part: str,
    signer: SignerCertificate,
    method: Element,
    signature: bytes,
    signed: bytes,
    hash_name: str,
) -> None:
    """Check a signature of CMS.

    Parameters
    ----------
    method
        The AlgorithmIdentifier of the signature.
    hash_name
        Of the digest algorithm that the signer names.

    Raises
    ------
    Damaged
        If it is not this certificate's signature of these bytes.
    """
    oid, *parameters = method.sequence(1)
    key = signer.certificate.public_key()
    name = oid.oid()
    try:
        if name in _RSA and isinstance(key, rsa.RSAPublicKey):
            made = _hash(_RSA[name] or hash_name)
            key.verify(signature, signed, padding.PKCS1v15(), made)
        elif name == _PSS and isinstance(key, rsa.RSAPublicKey) and parameters:
            made, salt = _pss(parameters[0])
            key.verify(signature, signed, padding.PSS(padding.MGF1(made), salt), made)
        elif name in _ECDSA and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(_hash(_ECDSA[name])))
        else:
            raise Damaged(part, f"it is signed in a way that is not known here: {name}")
    except InvalidSignature as error:
        raise Damaged(part, "its signature is not by the certificate that it names") from error


def _hash(name: str) -> Any:
    kinds: dict[str, Any] = {
        "sha256": hashes.SHA256,
        "sha384": hashes.SHA384,
        "sha512": hashes.SHA512,
    }
    return kinds[name]()


def _pss(parameters: Element) -> tuple[Any, int]:
    """Hash and length of the salt of RSASSA-PSS (RFC 4055); one hash for both its uses."""
    found = {part.tag: part.sequence(1, part.tag)[0] for part in parameters.sequence(1)}
    if 0xA0 not in found or 0xA1 not in found or 0xA2 not in found:
        raise NotDer("RSASSA-PSS with SHA-1")
    name = found[0xA0].sequence(1)[0].oid()
    mask, inner = found[0xA1].sequence(2)[:2]
    if name not in _HASH_OIDS or mask.oid() != _MGF1 or inner.sequence(1)[0].oid() != name:
        raise NotDer("RSASSA-PSS with two hashes, or an unknown one")
    return _hash(_HASH_OIDS[name]), found[0xA2].integer()


def _load(part: str, der: bytes) -> Certificate:
    need_cryptography()
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.public_key()
        list(certificate.extensions)
        if certificate.public_bytes(Encoding.DER) != der:
            raise ValueError("it can be written in another way")
        return certificate
    except Exception as error:  # the library has many for what a certificate can have wrong
        raise Damaged(part, f"a certificate cannot be read: {error}") from error


def _extension(certificate: Certificate, kind: Any) -> Any:
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _demand_purpose(part: str, certificate: Certificate) -> None:
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    if (
        usage is None
        or not usage.critical
        or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]
    ):
        raise Damaged(part, "its certificate is not one for time stamps only")
    use = _extension(certificate, x509.KeyUsage)
    if use is not None and not (use.value.digital_signature or use.value.content_commitment):
        raise Damaged(part, "its certificate is not one for signing")


def _valid(certificate: Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _demand_valid(part: str, certificate: Certificate, at: datetime) -> None:
    if not _valid(certificate, at):
        raise Damaged(part, "its certificate was not valid at the time that it gives")


def _chain(
    signer: Certificate, pool: Sequence[Certificate], anchors: Sequence[Certificate], at: datetime
) -> Certificate | None:
    """The anchor that vouches for a certificate, by way of others if need be."""
    waiting = [(signer, 0)]
    seen = {signer}
    while waiting:
        current, below = waiting.pop()
        if current in anchors:
            return current
        if below == MAX_CHAIN:
            continue
        for issuer in pool:
            if issuer not in seen and _vouches(issuer, current, below, at):
                seen.add(issuer)
                waiting.append((issuer, below + 1))
    return None


def _vouches(issuer: Certificate, subject: Certificate, below: int, at: datetime) -> bool:
    """Whether one certificate issued another, and might.

    Parameters
    ----------
    below
        Authorities between the issuer and the one that stamps.
    """
    if issuer.subject != subject.issuer or not _valid(issuer, at):
        return False
    basic = _extension(issuer, x509.BasicConstraints)
    if basic is None or not basic.value.ca:
        return False
    if basic.value.path_length is not None and basic.value.path_length < below:
        return False
    use = _extension(issuer, x509.KeyUsage)
    if use is not None and not use.value.key_cert_sign:
        return False
    understood = {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
    if any(e.critical and e.oid not in understood for e in issuer.extensions):
        return False
    try:
        subject.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True

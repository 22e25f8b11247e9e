"""ECDSA on P-384 with SHA-256, its signatures as raw r and s of 48 bytes each.

That is what WebCrypto takes, and so what the replay tools check. Sources: FIPS 186-5; IEEE
P1363 for the raw form; RFC 5480 for the public key.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from registry.errors import TouchstoneError

#: Bytes of each of r and s.
HALF = 48

_ECDSA = ec.ECDSA(hashes.SHA256())


class KeySigner:
    """Signs with a private key in memory."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.public_key = spki(key.public_key())
        self.key_id = hashlib.sha256(self.public_key).hexdigest()

    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(data, _ECDSA))
        return r.to_bytes(HALF, "big") + s.to_bytes(HALF, "big")


def verifies(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """Whether a raw signature is by this public key (SubjectPublicKeyInfo, DER) over the data."""
    if len(signature) != 2 * HALF:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:HALF], signature[HALF:]))
    try:
        key = p384(serialization.load_der_public_key(public_key), "key")
        key.verify(encode_dss_signature(r, s), data, _ECDSA)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TouchstoneError):
        return False
    return True


def pem_of(public_key: bytes) -> bytes:
    """A SubjectPublicKeyInfo as PEM, for `openssl` and people."""
    return serialization.load_der_public_key(public_key).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def spki(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key's SubjectPublicKeyInfo, DER."""
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def p384(key: object, where: str) -> ec.EllipticCurvePublicKey:
    """A public key, after making sure of its curve.

    Raises
    ------
    TouchstoneError
        If it is of another, naming `where` it came from.
    """
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise TouchstoneError(f"{where}: its key is not on P-384 (secp384r1)")
    return key

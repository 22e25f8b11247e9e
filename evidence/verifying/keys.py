"""Signatures and the keys behind them; the one door to `cryptography`.

Where that package is missing, whatever needs it is put down as not checked.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from evidence.verifying.checks import Damaged, Unchecked, sha256_hex
from evidence.verifying.work import Region

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    HAVE_CRYPTOGRAPHY = True
except ImportError:  # pragma: no cover - seen by the test of the single file
    HAVE_CRYPTOGRAPHY = False

MAX_KEY_BYTES = 1 << 16
_HALF = 48
_PEM = re.compile(
    rb"-----BEGIN ([A-Z ]+)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----[\r\n]*", re.ASCII
)


def need_cryptography() -> None:
    """Say so where signatures cannot be checked.

    Raises
    ------
    Unchecked
    """
    if not HAVE_CRYPTOGRAPHY:
        raise Unchecked("the Python package cryptography is not installed")


def key_id(spki: bytes) -> str:
    """A key's name: SHA-256 of its SubjectPublicKeyInfo (DER)."""
    return sha256_hex(spki)


def verify_signature(part: str, spki: bytes, signature: bytes, data: bytes) -> None:
    """Check an ECDSA signature on P-384 with SHA-256, r and s one after the other.

    Raises
    ------
    Damaged
        If it is not that key's signature of these bytes.
    Unchecked
        Without `cryptography`.
    """
    need_cryptography()
    if len(signature) != 2 * _HALF:
        raise Damaged(part, "its signature is not one on P-384")
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        key = serialization.load_der_public_key(spki)
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
            key.curve, ec.SECP384R1
        ):
            raise Damaged(part, "its key is not one on P-384")
        # The same point can be written in another form (SEC 1, 2.3.3), which would be a byte
        # that is free to change.
        plain = serialization.PublicFormat.SubjectPublicKeyInfo
        if key.public_bytes(serialization.Encoding.DER, plain) != spki:
            raise Damaged(part, "its key is not written in the one form that we write")
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise Damaged(part, f"it was not signed by the key {key_id(spki)}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Damaged(part, f"its key cannot be read: {error}") from error


def read_base64(part: str, text: object) -> bytes:
    """Base64 with nothing else in it.

    Raises
    ------
    Damaged
    """
    try:
        if not isinstance(text, str):
            raise ValueError("not text")
        data = base64.b64decode(text.encode("ascii"), validate=True)
        if base64.b64encode(data).decode() != text:
            raise ValueError("not in its one form")
    except (ValueError, binascii.Error) as error:
        raise Damaged(part, f"not Base64: {error}") from error
    return data


def read_pem(part: str, text: bytes, label: str) -> list[bytes]:
    """The DER of each block in a PEM file with nothing else in it.

    Raises
    ------
    Damaged
    """
    blocks, at = [], 0
    for found in _PEM.finditer(text):
        if found.start() != at or found.group(1).decode() != label:
            break
        at = found.end()
        blocks.append(read_base64(part, b"".join(found.group(2).split()).decode()))
    if at != len(text) or not blocks:
        raise Damaged(part, f"it holds something other than {label.lower()}s in PEM")
    return blocks


class Keys:
    """Which keys may have signed, and what is known of them here.

    Parameters
    ----------
    pinned
        Ids of the keys that may have signed; empty if any may.
    known
        What this installation says of a key, by its id; None where there is no installation.
    """

    def __init__(
        self, pinned: frozenset[str] = frozenset(), known: Mapping[str, str] | None = None
    ) -> None:
        self._pinned, self._known = pinned, known

    def name(self, spki: bytes) -> str:
        """A key for people, with whose it is as far as that is known."""
        made = key_id(spki)
        if made in self._pinned:
            return f"key {made} (the one that was asked for)"
        if self._known is None:
            return f"key {made}"
        return f"key {made} ({self._known.get(made, 'unknown key')})"

    def demand(self, part: str, spki: bytes) -> None:
        """Refuse a key that is not pinned.

        Raises
        ------
        Damaged
        """
        if self._pinned and key_id(spki) not in self._pinned:
            raise Damaged(part, f"it was signed by another key: {key_id(spki)}")


def pinned_key(text: str, file: Region | None) -> str:
    """The id of a key that is given as its id, or as a file with the key in PEM.

    Raises
    ------
    Damaged
        If it is neither.
    """
    if file is not None:
        blocks = read_pem(text, file.read(text, MAX_KEY_BYTES), "PUBLIC KEY")
        if len(blocks) != 1:
            raise Damaged(text, "it holds more than one key")
        return key_id(blocks[0])
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise Damaged(text, "neither a file with a public key nor a key's id of 64 hex digits")
    return text.lower()

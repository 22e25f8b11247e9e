"""Signing: the installation's key, or a signer of one's own behind one small interface.

Source: WACZ Signing and Verification 0.1.0.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from evidence.signing.keyfolder import KeyFolder
from evidence.signing.p384 import KeySigner, p384, pem_of, spki, verifies
from registry.errors import TouchstoneError
from registry.settings import Settings

__all__ = [
    "ExecSigner",
    "KeyFolder",
    "KeySigner",
    "Signer",
    "key_folder",
    "open_signer",
    "pem_of",
    "public_keys",
    "verifies",
]

#: How long an external signer may take; a person may have to touch a token.
EXTERNAL_SECONDS = 60.0


class Signer(Protocol):
    """Who signs bundles and checkpoints."""

    @property
    def key_id(self) -> str:
        """SHA-256 of the public key's SubjectPublicKeyInfo, as 64 hexadecimal digits."""

    @property
    def public_key(self) -> bytes:
        """The SubjectPublicKeyInfo, DER."""

    def sign(self, data: bytes) -> bytes:
        """Sign; raw r and s, 96 bytes.

        Raises
        ------
        TouchstoneError
            If the signer cannot, saying why.
        """


class ExecSigner:
    """Signs with a command: a smart card, an HSM, a signing service.

    ``COMMAND public-key`` prints the public key as PEM. ``COMMAND sign`` reads the data and
    prints the signature, raw r and s, as hexadecimal digits. What it prints is checked
    before anything is sealed with it.
    """

    def __init__(self, command: Path) -> None:
        self._command = command
        try:
            key = serialization.load_pem_public_key(self._run("public-key"))
        except (UnsupportedAlgorithm, ValueError) as error:
            raise TouchstoneError(f"signer: {command} public-key prints no PEM: {error}") from error
        self._key = p384(key, f"signer: {command}")
        self.public_key = spki(self._key)
        self.key_id = hashlib.sha256(self.public_key).hexdigest()

    def sign(self, data: bytes) -> bytes:
        try:
            signature = bytes.fromhex(self._run("sign", data).decode("ascii").strip())
        except ValueError as error:
            raise TouchstoneError(f"signer: {self._command} sign prints no hex") from error
        if not verifies(self.public_key, signature, data):
            raise TouchstoneError(
                f"signer: what {self._command} sign prints is not a signature by its public key: "
                "it must be raw r and s of 48 bytes each, over SHA-256 of the data"
            )
        return signature

    def _run(self, what: str, data: bytes = b"") -> bytes:
        try:
            done = subprocess.run(
                [self._command, what],
                input=data,
                capture_output=True,
                timeout=EXTERNAL_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise TouchstoneError(
                f"signer: {self._command} {what}: {error}: mend TOUCHSTONE_SIGNER"
            ) from error
        if done.returncode != 0:
            reason = " ".join(done.stderr.decode(errors="replace").split())[:300]
            raise TouchstoneError(
                f"signer: {self._command} {what} ended with {done.returncode}: {reason}"
            )
        return done.stdout


def key_folder(settings: Settings) -> KeyFolder:
    """Where this installation keeps its keys."""
    return KeyFolder(settings.data_dir / "keys")


def open_signer(settings: Settings) -> Signer:
    """The signer that the settings name.

    The installation's own key comes into being when it is first asked for, as the embedded
    database does.

    Raises
    ------
    TouchstoneError
        If the key is damaged, lost or open to others, or the external signer does not work.
    """
    folder = key_folder(settings)
    if settings.signer == "keys:":
        if folder.current() is None:
            folder.create()
        return folder.open()
    signer = ExecSigner(Path(settings.signer.removeprefix("exec:")))
    folder.remember(signer.public_key)
    return signer


def public_keys(settings: Settings) -> dict[str, bytes]:
    """Every public key that this installation ever signed with: id, SubjectPublicKeyInfo.

    Raises
    ------
    TouchstoneError
        If one that is kept is damaged.
    """
    return key_folder(settings).public_keys()

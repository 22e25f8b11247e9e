"""Where an installation keeps its signing key, and every public key that it ever had."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evidence.signing.p384 import KeySigner, p384, pem_of, spki
from registry.blobs import sync_folder
from registry.errors import TouchstoneError

MAX_KEY_BYTES = 64 << 10


class KeyFolder:
    """The folder with the installation's signing key, and every public key that it ever had.

    ``<key_id>.pem`` is the private key (mode 0600, folder 0700), ``<key_id>.pub.pem`` its
    public half, and the file ``current`` names the key in use. A rotation removes the old
    private key, so that nobody can ever sign with it again, and keeps its public half, so
    that what it signed can always be verified.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> str:
        """Make a key if there is none.

        Any number of processes may do so at once, and any of them may be killed: there is
        one key in use afterwards.

        Returns
        -------
        str
            The id of the key in use.

        Raises
        ------
        TouchstoneError
            If the folder cannot be written.
        """
        with self._alone():
            found = self.current()
            if found is None:
                # A process that was killed just before it could name its key left it whole.
                found = next(iter(self._private()), None) or self._make()
                self._name(found)
                self._keep_only(found)
            return found

    def rotate(self) -> str:
        """Make a new key, sign with it from now on, and remove the old private key.

        Returns
        -------
        str
            The id of the new key.

        Raises
        ------
        TouchstoneError
            If the folder cannot be written.
        """
        with self._alone():
            new = self._make()
            self._name(new)
            self._keep_only(new)
            return new

    def current(self) -> str | None:
        """The id of the key in use; None if there is none yet."""
        try:
            return (self.path / "current").read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return None

    def open(self) -> KeySigner:
        """Load the key in use.

        Raises
        ------
        TouchstoneError
            If there is none, if it is damaged, or if others on this machine can read it.
        """
        key_id = self.current()
        if key_id is None:
            raise TouchstoneError(f"signing key: there is none in {self.path}: touchstone init")
        path = self.path / f"{key_id}.pem"
        try:
            with path.open("rb") as stream:
                mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
                pem = stream.read(MAX_KEY_BYTES)
        except OSError as error:
            raise TouchstoneError(
                f"signing key: cannot read {path}: {error.strerror}: put it back, or make "
                "another with: touchstone key rotate"
            ) from error
        if mode & 0o077:
            raise TouchstoneError(
                f"signing key: others can use {path} (mode {mode:04o}): chmod 600 {path}; if "
                "they may have read it, also: touchstone key rotate"
            )
        folder = stat.S_IMODE(self.path.stat().st_mode)
        if folder & 0o022:
            raise TouchstoneError(
                f"signing key: others can replace it (mode {folder:04o}): chmod 700 {self.path}"
            )
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise TouchstoneError(
                f"signing key: {path} is damaged: put it back, or: touchstone key rotate"
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TouchstoneError(f"signing key: {path} is not a P-384 key: touchstone key rotate")
        p384(key.public_key(), f"signing key: {path}")
        signer = KeySigner(key)
        if signer.key_id != key_id:
            raise TouchstoneError(f"signing key: {path} is another key: touchstone key rotate")
        return signer

    def public_keys(self) -> dict[str, bytes]:
        """Every public key that is kept here: its id, and its SubjectPublicKeyInfo as DER.

        Raises
        ------
        TouchstoneError
            If one is damaged.
        """
        keys = {}
        for path in sorted(self.path.glob("*.pub.pem")):
            try:
                der = spki(p384(serialization.load_pem_public_key(path.read_bytes()), str(path)))
            except ValueError as error:
                raise TouchstoneError(f"signing key: {path} is damaged: {error}") from error
            keys[hashlib.sha256(der).hexdigest()] = der
        return keys

    def remember(self, public_key: bytes) -> None:
        """Keep a public key whose private half is elsewhere.

        Parameters
        ----------
        public_key
            SubjectPublicKeyInfo, DER.

        Raises
        ------
        TouchstoneError
            If the folder cannot be written.
        """
        name = f"{hashlib.sha256(public_key).hexdigest()}.pub.pem"
        if not (self.path / name).exists():
            with self._alone():
                self._write(name, pem_of(public_key), 0o644)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep every other process from changing the folder."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)
        except OSError as error:
            raise TouchstoneError(
                f"signing key: cannot write in {self.path}: {error.strerror}: mend its rights"
            ) from error

    def _make(self) -> str:
        key = ec.generate_private_key(ec.SECP384R1())
        public = spki(key.public_key())
        key_id = hashlib.sha256(public).hexdigest()
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        # The public half first: a private key is never there without it.
        self._write(f"{key_id}.pub.pem", pem_of(public), 0o644)
        self._write(f"{key_id}.pem", private, 0o600)
        return key_id

    def _name(self, key_id: str) -> None:
        self._write("current", f"{key_id}\n".encode(), 0o644)

    def _private(self) -> list[str]:
        return sorted(
            path.name.removesuffix(".pem")
            for path in self.path.glob("*.pem")
            if not path.name.endswith(".pub.pem")
        )

    def _keep_only(self, key_id: str) -> None:
        for other in self._private():
            if other != key_id:
                (self.path / f"{other}.pem").unlink()
        for part in self.path.glob(".part-*"):  # of a process that was killed
            part.unlink()
        sync_folder(self.path)

    def _write(self, name: str, data: bytes, mode: int) -> None:
        """Have a file appear whole or not at all, never readable to more than `mode` says."""
        descriptor, part = tempfile.mkstemp(dir=self.path, prefix=".part-")  # O_EXCL, 0600
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            Path(part).rename(self.path / name)
        except BaseException:
            os.unlink(part)
            raise
        sync_folder(self.path)

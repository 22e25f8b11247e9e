"""Secrets at rest: each record under a key of its own, and that key under the master key.

A record is sealed with a fresh data key (AES-256-GCM), and the data key with the
installation's master key, which is in a file beside the database and not in it. What the
record is (`context`) is bound to both, so that a sealed value moved to another row or
column does not open there.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from registry.blobs import sync_folder
from registry.errors import TouchstoneError
from registry.settings import Settings

MAGIC: Final = b"TSV1"
KEY_BYTES: Final = 32
ID_BYTES: Final = 8
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
MAX_FILE_BYTES: Final = 1 << 20

_HEADER: Final = len(MAGIC) + ID_BYTES
_WRAPPED: Final = NONCE_BYTES + KEY_BYTES + TAG_BYTES
_LEAST: Final = _HEADER + _WRAPPED + NONCE_BYTES + TAG_BYTES

_HEADLINE: Final = "touchstone-secrets-1"


class SecretsError(TouchstoneError):
    """A secret that cannot be sealed or opened."""


class Vault:
    """Seals and opens secrets with the master keys of one file.

    The file has one key a line, the newest last, which seals from then on; the older ones
    still open what they sealed. It is made when the first secret is sealed, never when one
    is opened: a file that was lost is then told of, and not replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys: dict[bytes, bytes] = {}

    def seal(self, plaintext: bytes, *, context: str) -> bytes:
        """Seal a secret.

        Parameters
        ----------
        context
            What it is and whose: ``persona:<id>:address``. To be said again on opening.

        Raises
        ------
        SecretsError
            If the key file cannot be read or made.
        """
        if not self._keys:
            self._keys = self._load() or self._make()
        key_id, master = list(self._keys.items())[-1]
        header = MAGIC + key_id
        about = context.encode()
        data_key = os.urandom(KEY_BYTES)
        first, second = os.urandom(NONCE_BYTES), os.urandom(NONCE_BYTES)
        wrapped = first + AESGCM(master).encrypt(first, data_key, header + about)
        head = header + wrapped + second
        return head + AESGCM(data_key).encrypt(second, plaintext, head + about)

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Open what was sealed for the same context.

        Raises
        ------
        SecretsError
            If it was changed, sealed for another context, or under a key that is not here.
        """
        if len(sealed) < _LEAST or not sealed.startswith(MAGIC):
            raise SecretsError(f"secret {context!r}: this is no sealed secret, or not all of it")
        header, wrapped = sealed[:_HEADER], sealed[_HEADER : _HEADER + _WRAPPED]
        end = _HEADER + _WRAPPED + NONCE_BYTES
        head, body = sealed[:end], sealed[end:]
        master = self._key(header[len(MAGIC) :], context)
        about = context.encode()
        try:
            data_key = AESGCM(master).decrypt(
                wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], header + about
            )
            return AESGCM(data_key).decrypt(head[-NONCE_BYTES:], body, head + about)
        except InvalidTag as error:
            raise SecretsError(
                f"secret {context!r}: it was changed, or sealed for something else"
            ) from error

    def rotate(self) -> str:
        """Make a new master key, which seals from now on; the old ones go on opening.

        Returns
        -------
        str
            The new key's id.

        Raises
        ------
        SecretsError
            If the key file cannot be read or written.
        """
        with self._alone():
            keys = self._load()
            key = secrets.token_bytes(KEY_BYTES)
            keys[_id_of(key)] = key
            self._write(keys)
            self._keys = keys
        return _id_of(key).hex()

    def _key(self, key_id: bytes, context: str) -> bytes:
        if key_id not in self._keys:
            # Another process may have made or rotated it meanwhile.
            self._keys = self._load()
        try:
            return self._keys[key_id]
        except KeyError:
            where = "is not in" if self._keys else "is needed, and there is no file"
            raise SecretsError(
                f"secret {context!r}: master key {key_id.hex()} {where} {self.path}: put the "
                "file with it back (TOUCHSTONE_SECRETS_KEY says where it is); without it what "
                "it sealed is lost"
            ) from None

    def _make(self) -> dict[bytes, bytes]:
        with self._alone():
            keys = self._load()
            if not keys:
                key = secrets.token_bytes(KEY_BYTES)
                keys = {_id_of(key): key}
                self._write(keys)
            return keys

    def _load(self) -> dict[bytes, bytes]:
        try:
            with self.path.open("rb") as stream:
                mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
                text = stream.read(MAX_FILE_BYTES).decode("ascii", "replace")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise SecretsError(f"master key: cannot read {self.path}: {error.strerror}") from error
        if mode & 0o077:
            raise SecretsError(
                f"master key: others can use {self.path} (mode {mode:04o}): chmod 600 {self.path}"
            )
        headline, *lines = text.splitlines() or [""]
        keys = {}
        try:
            if headline != _HEADLINE or not lines:
                raise ValueError("it is not one of ours")
            for line in lines:
                key = base64.b64decode(line, validate=True)
                if len(key) != KEY_BYTES:
                    raise ValueError("a key is cut short")
                keys[_id_of(key)] = key
        except ValueError as error:
            raise SecretsError(
                f"master key: {self.path} is damaged ({error}): put the right file back"
            ) from error
        return keys

    def _write(self, keys: dict[bytes, bytes]) -> None:
        """Replace the file, whole or not at all."""
        lines = [_HEADLINE, *(base64.b64encode(key).decode() for key in keys.values())]
        try:
            # Made by mkstemp: nobody else could ever read it.
            number, name = tempfile.mkstemp(dir=self.path.parent, prefix=".secrets-")
            try:
                with os.fdopen(number, "w", encoding="ascii") as stream:
                    stream.write("\n".join(lines) + "\n")
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(name).replace(self.path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            sync_folder(self.path.parent)  # before anything is sealed under a key that could vanish
        except OSError as error:
            raise SecretsError(f"master key: cannot write {self.path}: {error.strerror}") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from making or rotating keys meanwhile."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            name = self.path.with_name(f"{self.path.name}.lock")
            lock = os.open(name, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise SecretsError(f"master key: cannot write {self.path}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def open_vault(settings: Settings) -> Vault:
    """The vault of an installation."""
    return Vault(settings.secrets_file)


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(b"touchstone master key\0" + key).digest()[:ID_BYTES]

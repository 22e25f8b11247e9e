"""Uploads that go on after a broken connection: what has arrived so far, in the data directory."""

from __future__ import annotations

import fcntl
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID, uuid4

from evidence.custody.cases import MAX_FILE_BYTES
from registry.errors import TouchstoneError

#: An upload that nobody went on with for so long is taken away.
KEPT_SECONDS: Final = 7 * 24 * 3600
#: Of one purchase at once.
MOST_AT_ONCE: Final = 20


class InUse(TouchstoneError):
    """Another request writes to this upload."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way: whose it is, what it will be, and how much of it there will be."""

    id: str
    purchase_id: str
    by: str
    kind: str
    name: str
    length: int


class Uploads:
    """The uploads of one installation, each a folder with what is known of it and its bytes.

    Parameters
    ----------
    folder
        Made when it is wanted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, purchase_id: UUID, by: str, kind: str, name: str, length: int) -> Upload:
        """Begin an upload.

        Raises
        ------
        TouchstoneError
            If it would be empty or too large, or too many are under way.
        """
        if not 0 < length <= MAX_FILE_BYTES:
            raise TouchstoneError(f"{length} bytes; 1 to {MAX_FILE_BYTES} can be kept")
        self._sweep()
        under_way = sum(one.purchase_id == str(purchase_id) for one in self._all())
        if under_way >= MOST_AT_ONCE:
            raise TouchstoneError(f"{under_way} uploads of this purchase are under way already")
        made = Upload(uuid4().hex, str(purchase_id), by, kind, name[:200], length)
        place = self.folder / made.id
        place.mkdir(parents=True, mode=0o700)
        (place / "data").touch(mode=0o600)
        (place / "info.json").write_text(json.dumps(asdict(made)), encoding="utf-8")
        return made

    def find(self, upload_id: UUID) -> Upload | None:
        """The upload of an id; None if there is none."""
        try:
            text = (self.folder / upload_id.hex / "info.json").read_text(encoding="utf-8")
        except OSError:
            return None
        return Upload(**json.loads(text))

    def data(self, upload: Upload) -> Path:
        """The file with the bytes that are here."""
        return self.folder / upload.id / "data"

    def offset(self, upload: Upload) -> int:
        """How many bytes are here."""
        return self.data(upload).stat().st_size

    @contextmanager
    def appending(self, upload: Upload) -> Iterator[BinaryIO]:
        """The bytes, to add to; nobody else does meanwhile.

        Raises
        ------
        InUse
            If somebody does.
        """
        with self.data(upload).open("r+b") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InUse("another request sends this file: wait for it") from error
            stream.seek(0, 2)
            yield stream

    def remove(self, upload: Upload) -> None:
        """Take an upload away."""
        shutil.rmtree(self.folder / upload.id, ignore_errors=True)

    def _all(self) -> Iterator[Upload]:
        for place in self.folder.glob("*/info.json"):
            found = self.find(UUID(place.parent.name))
            if found is not None:
                yield found

    def _sweep(self) -> None:
        for data in self.folder.glob("*/data"):
            if time.time() - data.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(data.parent, ignore_errors=True)

"""The bounds of a verification: what it may unpack, how it uses the cores, how far it is."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, TypeVar

from evidence.verifying.checks import Damaged

_T = TypeVar("_T")

CHUNK = 1 << 20
#: What may come out of compressed parts, however little they weigh, and per byte of the file.
#: A real archive is mostly pictures and gives two or three bytes for each of its own.
UNPACKED_AT_LEAST = 4 << 30
UNPACKED_A_BYTE = 20
#: Below this, handing work to threads costs more than it saves.
_WORTH_THREADS = 1 << 20


class Region:
    """A stretch of a file. Nothing is copied: it is read where it lies."""

    __slots__ = ("offset", "path", "size")

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self.path, self.offset, self.size = path, offset, size

    def sub(self, offset: int, size: int) -> Region:
        """A stretch of this one."""
        return Region(self.path, self.offset + offset, size)

    def open(self) -> BinaryIO:
        """The file, at the beginning of the region."""
        stream = self.path.open("rb", buffering=0)
        stream.seek(self.offset)
        return stream

    def read(self, part: str, limit: int) -> bytes:
        """All of it.

        Raises
        ------
        Damaged
            If it is larger than `limit`.
        """
        if self.size > limit:
            raise Damaged(part, f"larger than {limit} bytes")
        with self.open() as stream:
            return read_exactly(stream, self.size)

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Its bytes from a place on, a megabyte at a time; fewer if the file is shorter."""
        left = self.size - start
        with self.path.open("rb", buffering=0) as stream:
            stream.seek(self.offset + start)
            while left > 0 and (chunk := stream.read(min(left, CHUNK))):
                left -= len(chunk)
                yield chunk


def read_exactly(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes, fewer only at the end of the file."""
    data = stream.read(size)
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    return data


class Work:
    """One verification's budget.

    Parameters
    ----------
    size
        Of all that is to be verified, in bytes: time and memory are bounded by it.
    progress
        Called with the bytes that were read since the last call, from any thread.
    """

    def __init__(self, size: int, progress: Callable[[int], None] | None = None) -> None:
        self._left = UNPACKED_AT_LEAST + UNPACKED_A_BYTE * size
        self._lock = threading.Lock()
        self._progress = progress

    def done(self, size: int) -> None:
        """Say that so many bytes were read."""
        if self._progress is not None:
            self._progress(size)

    def unpacked(self, part: str, size: int) -> None:
        """Account for bytes that came out of a compressed part.

        Raises
        ------
        Damaged
            If more came out than any real bundle holds.
        """
        with self._lock:
            self._left -= size
            if self._left < 0:
                raise Damaged(part, "it unpacks to more than any real bundle does")

    def each(self, tasks: Sequence[Callable[[], _T]], weight: int) -> list[_T]:
        """Do tasks side by side, as many as there are cores; what each gave, in order.

        Hashing and unpacking let go of the interpreter, so threads are enough.

        Parameters
        ----------
        weight
            Bytes that all of them read together.
        """
        cores = min(len(tasks), os.cpu_count() or 1)
        if cores < 2 or weight < _WORTH_THREADS:
            return [task() for task in tasks]
        with ThreadPoolExecutor(cores) as pool:
            return list(pool.map(_call, tasks))


def _call(task: Callable[[], _T]) -> _T:
    return task()


def total(regions: Iterable[Region]) -> int:
    """Bytes of all regions together."""
    return sum(region.size for region in regions)

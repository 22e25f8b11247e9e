"""Working folders that go away: at the end, or, if their process was killed, at the next start."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def workspace(data_dir: Path) -> Iterator[Path]:
    """An empty folder under ``work/``, locked by this process for as long as it is used.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    with locked_folder(data_dir / "work", "visit-") as folder:
        yield folder


@contextmanager
def locked_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """The same anywhere. What begins so and is not locked is taken away, whoever left it."""
    parent.mkdir(parents=True, exist_ok=True)
    _sweep(parent, prefix)
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue  # somebody swept it away before it was locked
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            break
        os.close(lock)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep(parent: Path, prefix: str) -> None:
    """Remove what processes left that are no more: the system took their locks away."""
    for folder in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)

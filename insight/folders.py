"""Folders of derived data that several processes may make at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """A new folder to write into; when that is done it gets its name in one step, or none.

    Where another process was quicker its folder stays: the name says what the content is.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = folder.parent / f".making-{os.getpid()}-{uuid4().hex}"
    making.mkdir()
    try:
        yield making
        try:
            making.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)

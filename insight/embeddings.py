"""Optional: registered pictures that the user's model finds like a listing's picture.

They join those that are looked at closely (`matchers.pictures.index`), and decide nothing. The
vectors of all registered pictures lie beside the index, under its name and the model's version,
memory-mapped. A picture keeps its vector from one index to the next.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from sqlalchemy import select

import matchers
from insight.folders import made_whole
from insight.prints import read_blob
from matchers import pictures
from matchers.pictures.embedding import (
    BATCH,
    Embedder,
    EmbeddingError,
    EmbeddingIndex,
    Vectors,
)
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Picture
from registry.settings import Settings

logger = logging.getLogger(__name__)

#: Registered pictures that join the candidates of one of a listing's.
NEAREST = 5
#: Told how many of how many pictures are done, and what is being done.
Progress = Callable[[int, int, str], None]


def open_embedder(settings: Settings) -> Embedder | None:
    """The model that the settings name, loaded once in a process; None if they name none.

    Raises
    ------
    TouchstoneError
        If it cannot be used, and why.
    """
    path = settings.embedding_model
    return None if path is None else _load(path)


@lru_cache(maxsize=2)
def _load(path: Path) -> Embedder:
    try:
        return Embedder.open(path)
    except EmbeddingError as error:
        said = " ".join(str(error).split())
        raise TouchstoneError(f"TOUCHSTONE_EMBEDDING_MODEL: {said}") from error


@dataclass(frozen=True, slots=True)
class Embedded:
    """A model, and the vectors that it made of the registered pictures."""

    embedder: Embedder
    index: EmbeddingIndex

    def nearest(self, decoded: pictures.Decoded, keys: frozenset[str] | None) -> list[str]:
        """The keys of the registered pictures most like this one; only among `keys`, if given.

        A picture on which the model fails has none, and the log says so.
        """
        try:
            (vector,) = self.embedder.embed([decoded.pixels])
        except EmbeddingError as error:
            logger.warning("a listing's picture is looked up without the model: %s", error)
            return []
        return [key for key, _ in self.index.search(vector, NEAREST, keys)]


def open_embedded(
    database: Database,
    blobs: Blobs,
    folder: Path,
    embedder: Embedder,
    wanted: Mapping[str, str],
    progress: Progress | None = None,
) -> Embedded:
    """The vectors of these pictures; worked out first, where they are not there.

    A picture on which the model fails has no vector; it is looked for by all other means.

    Parameters
    ----------
    folder
        Where the vectors lie.
    wanted
        SHA-256 by the key in the index.
    """
    for _ in range(2):
        if not folder.is_dir():
            _build(database, blobs, folder, embedder, wanted, progress)
        try:
            return Embedded(embedder, EmbeddingIndex.open(folder))
        except (OSError, ValueError) as error:
            logger.warning("the vectors %s cannot be opened (%s): making them anew", folder, error)
            shutil.rmtree(folder, ignore_errors=True)
    _build(database, blobs, folder, embedder, wanted, progress)
    return Embedded(embedder, EmbeddingIndex.open(folder))


def _build(
    database: Database,
    blobs: Blobs,
    folder: Path,
    embedder: Embedder,
    wanted: Mapping[str, str],
    progress: Progress | None,
) -> None:
    known = _known(folder, wanted)
    new = sorted(set(wanted.values()) - known.keys())
    for start in range(0, len(new), BATCH):
        if progress is not None:
            progress(start, len(new), "embedding pictures")
        some = dict(_decoded(database, blobs, new[start : start + BATCH]))
        known |= _vectors(embedder, some)
    keys = [key for key, sha256 in wanted.items() if sha256 in known]
    rows = [known[wanted[key]] for key in keys]
    found = np.array(rows, np.float32).reshape(len(rows), embedder.width)
    with made_whole(folder) as making:
        EmbeddingIndex(keys, found).save(making)


def _known(folder: Path, wanted: Mapping[str, str]) -> dict[str, Vectors]:
    """By SHA-256, the vectors that this model made for another index."""
    found: dict[str, Vectors] = {}
    for other in folder.parent.glob(f"*{folder.suffix}"):
        try:
            index = EmbeddingIndex.open(other)
        except (OSError, ValueError):
            continue  # torn, or taken away this moment
        for key, sha256 in wanted.items():
            vector = index.vector(key)
            if vector is not None:
                found[sha256] = vector
    return found


def _decoded(
    database: Database, blobs: Blobs, sha256s: list[str]
) -> Iterator[tuple[str, pictures.Decoded]]:
    with database.reading() as session:
        rows = session.execute(
            select(Picture.sha256, Picture.blob).where(Picture.sha256.in_(sha256s))
        ).all()
    for sha256, blob in rows:
        try:
            yield sha256, pictures.decode(read_blob(blobs, blob))
        except (matchers.PictureError, OSError) as error:
            logger.warning("registered picture %s has no vector: %s", sha256, error)


def _vectors(embedder: Embedder, decoded: dict[str, pictures.Decoded]) -> dict[str, Vectors]:
    try:
        found = embedder.embed([picture.pixels for picture in decoded.values()])
        return dict(zip(decoded, found, strict=True))
    except EmbeddingError as error:
        if len(decoded) == 1:
            logger.warning("registered picture %s has no vector: %s", *decoded, error)
            return {}
    # One that the model fails on is no reason to go without the others.
    alone: dict[str, Vectors] = {}
    for sha256, picture in decoded.items():
        alone |= _vectors(embedder, {sha256: picture})
    return alone

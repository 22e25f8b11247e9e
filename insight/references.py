"""The index of all registered pictures: built from the database, shared by the processes.

It lies in the data directory under a name that is the hash of what is in it (the pictures
and the version of the picture matcher), and is opened memory-mapped, so that the workers of
a machine hold it once. When a brand's pictures change, whoever needs the index next makes
the new one. Two who make it at once do no harm: each writes to a folder of its own, and one
renaming wins.

Where the settings name a picture model, its vectors of the same pictures lie beside it
(`insight.embeddings`).
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from insight.embeddings import Embedded, Progress, open_embedded, open_embedder
from insight.folders import made_whole
from insight.prints import bring_up_to_date, outdated
from matchers import pictures
from matchers.pictures import Decoded, Found, ReferenceIndex, Traits
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Mark, Picture, Reference
from registry.settings import Settings

logger = logging.getLogger(__name__)

Kind = Literal["reference", "logo"]
#: Another process may be about to open the index that was right a moment ago.
GRACE_SECONDS = 600.0
#: Pictures read from the database at a time.
BATCH = 200


@dataclass(frozen=True, slots=True)
class Opened:
    """An index in use.

    Parameters
    ----------
    version
        The hash of its content, which is its folder's name.
    pictures
        How many registered pictures it was made of.
    left_out
        SHA-256 of pictures that could not be read, and why.
    embedded
        The picture model and its vectors, where there is a model.
    """

    index: ReferenceIndex
    version: str
    folder: Path
    pictures: int
    left_out: dict[str, str]
    embedded: Embedded | None = None

    @property
    def versions(self) -> dict[str, str]:
        """What decides which registered pictures are found."""
        if self.embedded is None:
            return {"index": self.version}
        return {"index": self.version, "embedding": self.embedded.embedder.version}

    def search(self, decoded: Decoded, keys: frozenset[str] | None = None) -> list[Found]:
        """The registered pictures seen in a picture, the surest first; of `keys`, if given."""
        like = () if self.embedded is None else self.embedded.nearest(decoded, keys)
        return self.index.search(decoded, keys, like)


@dataclass(frozen=True, slots=True)
class _Kept:
    stamp: tuple[object, ...]
    opened: Opened


_kept: dict[tuple[str, Path], _Kept] = {}
_lock = threading.Lock()


def key_of(kind: Kind, sha256: str) -> str:
    """What a registered picture is called in the index."""
    return f"{kind}:{sha256}"


def parts_of(key: str) -> tuple[Kind, str]:
    """Kind and SHA-256 of a key that `key_of` made."""
    kind, _, sha256 = key.partition(":")
    return "logo" if kind == "logo" else "reference", sha256


def folder_of(settings: Settings) -> Path:
    """Where the indexes of an installation lie."""
    return settings.data_dir / "references"


def open_index(
    database: Database, blobs: Blobs, settings: Settings, progress: Progress | None = None
) -> Opened:
    """The index of what is registered now; made first, if it is not there.

    A picture whose bytes are gone or cannot be read is left out, and the log says so: the
    others are looked for all the same.

    Raises
    ------
    TouchstoneError
        If the settings name a picture model that cannot be used.
    """
    embedder = open_embedder(settings)
    root = folder_of(settings)
    place = (settings.database, root)
    with database.reading() as session:
        stamp = (*_stamp(session), embedder)
    with _lock:
        kept = _kept.get(place)
        if kept is not None and kept.stamp == stamp:
            return kept.opened
        opened = _open(database, blobs, root, progress)
        if embedder is not None:
            folder = root / f"{opened.version}.{embedder.version[:32]}"
            wanted = {key: parts_of(key)[1] for key in opened.index.keys}
            embedded = open_embedded(database, blobs, folder, embedder, wanted, progress)
            opened = replace(opened, embedded=embedded)
        _kept[place] = _Kept(stamp, opened)
        _remove_old(root, opened.version)
        return opened


def forget() -> None:
    """Close what this process has open; for tests, and before a fork."""
    with _lock:
        _kept.clear()


def registered(session: Session) -> list[tuple[Kind, str]]:
    """Every registered picture once, in a fixed order."""
    references = session.scalars(select(Reference.sha256).distinct())
    found: set[tuple[Kind, str]] = {("reference", sha256) for sha256 in references}
    logos = select(Mark.picture_sha256).where(Mark.picture_sha256.is_not(None)).distinct()
    found |= {("logo", sha256) for sha256 in session.scalars(logos) if sha256 is not None}
    return sorted(found)


def _stamp(session: Session) -> tuple[object, ...]:
    """Changes whenever `registered` does; cheap, since every assessment asks for it.

    A reference's row is never changed, and ids grow.
    """
    number = session.scalar(select(func.count()).select_from(Reference))
    newest = session.scalar(select(Reference.id).order_by(Reference.id.desc()).limit(1))
    logos = select(Mark.picture_sha256).where(Mark.picture_sha256.is_not(None))
    return number, newest, tuple(sorted(sha256 or "" for sha256 in session.scalars(logos)))


def _open(database: Database, blobs: Blobs, root: Path, progress: Progress | None) -> Opened:
    with database.reading() as session:
        wanted = registered(session)
    version = hashlib.sha256(json.dumps([pictures.VERSION, wanted]).encode()).hexdigest()[:32]
    folder = root / version
    for _ in range(2):
        if not folder.is_dir():
            _build(database, blobs, wanted, folder, progress)
        try:
            index = ReferenceIndex.open(folder)
            said = json.loads((folder / "left-out.json").read_text(encoding="utf-8"))
            return Opened(index, version, folder, len(wanted), dict(said))
        except (OSError, ValueError) as error:
            # Cut short by a full disk, or taken away this moment: made anew, once.
            logger.warning("the index %s cannot be opened (%s): making it anew", folder, error)
            shutil.rmtree(folder, ignore_errors=True)
    _build(database, blobs, wanted, folder, progress)
    return Opened(ReferenceIndex.open(folder), version, folder, len(wanted), {})


def _build(
    database: Database,
    blobs: Blobs,
    wanted: list[tuple[Kind, str]],
    folder: Path,
    progress: Progress | None,
) -> None:
    with database.reading() as session:
        stale = outdated(session, {sha256 for _, sha256 in wanted})
    left_out: dict[str, str] = {}
    for done, sha256 in enumerate(stale):
        if progress is not None:
            progress(done, len(stale), "reading pictures")
        fault = bring_up_to_date(database, blobs, sha256, traits=True)
        if fault is not None:
            logger.warning("registered picture %s is left out: %s", sha256, fault)
            left_out[sha256] = fault
    with made_whole(folder) as making:
        index = ReferenceIndex.build(_items(database, wanted, left_out, progress))
        index.save(making)
        (making / "left-out.json").write_text(json.dumps(left_out), encoding="utf-8")


def _items(
    database: Database,
    wanted: list[tuple[Kind, str]],
    left_out: dict[str, str],
    progress: Progress | None,
) -> Iterator[pictures.Reference]:
    for start in range(0, len(wanted), BATCH):
        part = wanted[start : start + BATCH]
        with database.reading() as session:
            rows = {
                row.sha256: row.traits
                for row in session.scalars(
                    select(Picture)
                    .where(Picture.sha256.in_({sha256 for _, sha256 in part}))
                    .options(undefer(Picture.traits))
                )
            }
        for kind, sha256 in part:
            kept = rows.get(sha256)
            if kept is None or sha256 in left_out:
                continue
            try:
                kept_traits = Traits.from_bytes(kept)
            except ValueError as error:
                logger.warning("registered picture %s is left out: %s", sha256, error)
                left_out[sha256] = str(error)
                continue
            yield pictures.Reference(key_of(kind, sha256), kind, kept_traits)
        if progress is not None:
            progress(min(start + BATCH, len(wanted)), len(wanted), "indexing")


def _remove_old(root: Path, version: str) -> None:
    """Take away what no process will open any more; one that has it open keeps it."""
    oldest = time.time() - GRACE_SECONDS
    for folder in root.iterdir():
        try:
            # With its vectors, whose folder's name begins in the same way.
            if folder.stem != version and folder.is_dir() and folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # another process took it away

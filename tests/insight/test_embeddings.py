"""The optional picture model: it proposes, geometry decides; without it nothing changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from insight import embeddings, references
from insight.embeddings import open_embedder
from insight.references import key_of, open_index
from insight.replaying import replay
from matchers import pictures
from matchers.pictures.embedding import Embedder
from matchers.pictures.voting import Corners
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Product, Reference, SnapshotPicture
from registry.settings import Settings
from tests.insight.shop import picture
from tests.insight.test_references import folders, register
from tests.insight.test_triage import judged, stored
from tests.picture_models import bright_fails, model
from tests.pictures import draw, encoded, jpeg
from workers.runner import WorkerProcess


@pytest.fixture(autouse=True)
def _forget() -> None:
    references.forget()


def having(settings: Settings, path: Path) -> Settings:
    """The same settings with a picture model."""
    return settings.model_copy(update={"embedding_model": path})


@pytest.fixture
def modelled(settings: Settings, tmp_path: Path) -> Settings:
    return having(settings, model(tmp_path / "small.onnx"))


def cut(seed: int) -> bytes:
    """A registered picture, cut so far that its hash is another."""
    return encoded(draw(seed, 500).crop((75, 50, 450, 425)), quality=80)


def overlook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the corners' votes find nothing, so that only the model proposes."""
    monkeypatch.setattr(Corners, "vote", lambda *_: [])


def shows_a_cut(database: Database, blobs: Blobs) -> tuple[Any, Any]:
    """A listing with a cut copy of the registered picture; ids of snapshot and plan."""
    ids = stored(database, blobs)
    with database.writing() as session:
        shown = session.scalars(select(SnapshotPicture).where(SnapshotPicture.position == 0)).one()
        shown.sha256 = picture(session, blobs, cut(1))
    return ids


def test_what_the_model_proposes_is_matched_by_geometry_and_its_version_kept(
    database: Database, blobs: Blobs, modelled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlook(monkeypatch)
    found = judged(modelled, database, blobs, shows_a_cut(database, blobs))
    (match,) = found.inputs["listing"]["matches"]
    assert match["inliers"] >= 5
    assert len(match["listing_outline"]) >= 4
    embedder = open_embedder(modelled)
    assert embedder is not None
    assert found.result["versions"]["embedding"] == embedder.version
    assert found.inputs["embedding"] == embedder.version
    with database.reading() as session:
        again = replay(session, found.id)
    assert again.same, again.differences
    assert again.versions_now == found.result["versions"]


def test_without_a_model_nothing_changes(
    database: Database, blobs: Blobs, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlook(monkeypatch)
    monkeypatch.setattr(Embedder, "open", lambda *_: pytest.fail("no model is set"))
    found = judged(settings, database, blobs, shows_a_cut(database, blobs))
    assert found.inputs["listing"]["matches"] == []
    assert "embedding" not in found.result["versions"]
    assert "embedding" not in found.inputs
    opened = open_index(database, blobs, settings)
    assert opened.embedded is None
    assert folders(settings) == [opened.folder]


def test_the_model_proposes_only_pictures_of_the_brand(
    database: Database, blobs: Blobs, modelled: Settings
) -> None:
    one, two, *_ = register(database, blobs, *range(8))
    opened = open_index(database, blobs, modelled)
    assert opened.embedded is not None
    decoded = pictures.decode(jpeg(0, 300))
    assert opened.embedded.nearest(decoded, None)[0] == key_of("reference", one)
    assert len(opened.embedded.nearest(decoded, None)) == embeddings.NEAREST
    only = frozenset({key_of("reference", two)})
    assert opened.embedded.nearest(decoded, only) == [*only]


def test_the_vectors_lie_beside_the_index_and_are_made_once(
    database: Database, blobs: Blobs, modelled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[int] = []
    real = Embedder.embed

    def embed(self: Embedder, shown: Any) -> Any:
        embedded.append(len(shown))
        return real(self, shown)

    monkeypatch.setattr(Embedder, "embed", embed)
    register(database, blobs, 1, 2, 3)
    first = open_index(database, blobs, modelled)
    assert sum(embedded) == 3
    assert first.embedded is not None
    version = first.embedded.embedder.version
    beside = first.folder.with_name(f"{first.version}.{version[:32]}")
    assert folders(modelled) == [first.folder, beside]
    assert np.load(beside / "vectors.npy").shape == (3, 128)
    references.forget()
    assert open_index(database, blobs, modelled).version == first.version
    assert sum(embedded) == 3
    # Another picture: the others keep their vectors.
    with database.writing() as session:
        product = session.scalars(select(Product)).one()
        added = Reference(sha256=picture(session, blobs, jpeg(9, 400)), position=9)
        product.references = [*product.references, added]
    second = open_index(database, blobs, modelled)
    assert second.version != first.version
    assert second.embedded is not None
    assert (len(second.embedded.index), sum(embedded)) == (4, 4)


def test_torn_vectors_are_made_anew(database: Database, blobs: Blobs, modelled: Settings) -> None:
    register(database, blobs, 1, 2)
    open_index(database, blobs, modelled)
    references.forget()
    _, beside = folders(modelled)
    (beside / "keys.json").write_text("[", encoding="utf-8")
    opened = open_index(database, blobs, modelled)
    assert opened.embedded is not None
    assert len(opened.embedded.index) == 2


def test_a_picture_that_the_model_fails_on_is_looked_for_without_it(
    database: Database, blobs: Blobs, settings: Settings, tmp_path: Path
) -> None:
    own = having(settings, bright_fails(tmp_path / "dark.onnx"))
    register(database, blobs, 1, 2)
    bright, dark = (
        encoded(Image.blend(draw(seed, 400), Image.new("RGB", (400, 400), colour), 0.6))
        for seed, colour in ((3, "white"), (4, "black"))
    )
    with database.writing() as session:
        product = session.scalars(select(Product)).one()
        product.references = [
            Reference(sha256=picture(session, blobs, data), position=n)
            for n, data in enumerate((bright, dark))
        ]
    opened = open_index(database, blobs, own)
    assert opened.embedded is not None
    assert (len(opened.index), len(opened.embedded.index)) == (2, 1)
    for data in (bright, dark):
        assert len(opened.search(pictures.decode(data))) == 1


@pytest.mark.parametrize("content", [None, b"no model"], ids=["missing", "broken"])
def test_a_model_that_cannot_be_used_is_said_before_any_work_begins(
    database: Database, blobs: Blobs, settings: Settings, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "own.onnx"
    if content is not None:
        path.write_bytes(content)
    own = having(settings, path)
    for begin in (
        lambda: WorkerProcess(own, database, blobs),
        lambda: open_index(database, blobs, own),
    ):
        with pytest.raises(TouchstoneError, match=r"TOUCHSTONE_EMBEDDING_MODEL: .*own\.onnx"):
            begin()
    # Work that needs no pictures is not held up.
    WorkerProcess(own, database, blobs, {}).broker.close()

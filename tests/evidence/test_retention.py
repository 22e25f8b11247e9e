"""Hold, retention and deletion: nothing goes that must stay, whoever comes at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from evidence.custody import cases, retention
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Capture, Exhibit, Job, LedgerEntry, Picture
from registry.models.base import utcnow
from registry.settings import Settings
from tests.evidence.custody import Seeded
from tests.evidence.test_cases import LONG, add_file, entries, on_sqlite, seeded, stored

__all__ = ["seeded"]


def row(database: Database, capture_id: UUID) -> Capture:
    with database.reading() as session:
        return session.get_one(Capture, capture_id)


def delete(database: Database, item_id: UUID) -> None:
    with database.writing() as session:
        retention.delete(session, item_id, actor="Ada", reason="kept long enough")


def erase(database: Database, settings: Settings, blobs: Blobs) -> int:
    """Work off all erase jobs; how many there were."""
    with database.writing() as session:
        wanted = select(Job.id).where(Job.kind == "erase", Job.state == "queued")
        claims = [jobs.claim(session, job, "worker", 60) for job in session.scalars(wanted).all()]
    for claim in claims:
        assert claim is not None
        retention.erase_job(jobs.Hold(database, claim, 60), settings, blobs)
    return len(claims)


def hold(database: Database, case: str = "C-1") -> None:
    with database.writing() as session:
        retention.set_hold(session, case, actor="Ada", reason="suit filed")


def test_nothing_under_hold_is_deleted(
    database: Database, blobs: Blobs, settings: Settings, seeded: Seeded, tmp_path: Path
) -> None:
    (tmp_path / "letter.txt").write_text("letter")
    with database.writing() as session:
        cases.open_case(session, reference="C-2", title="Other", actor="Ada")
        for case in ("C-1", "C-2"):
            cases.add_capture(session, case, seeded.capture_id, actor="Ada")
        cases.add_purchase(session, "C-2", seeded.purchase_id, actor="Ada")
    file = add_file(database, blobs, tmp_path / "letter.txt", "C-2")
    hold(database, "C-2")
    for item in (seeded.capture_id, seeded.purchase_capture_id, file.id):
        with pytest.raises(retention.Refused, match="C-2 is on hold"):
            delete(database, item)
    assert erase(database, settings, blobs) == 0
    assert entries(database, "deleted") == []
    with database.writing() as session:
        retention.release_hold(session, "C-2", actor="Bob", reason="settled")
    for item in (seeded.capture_id, seeded.purchase_capture_id, file.id):
        delete(database, item)
    assert [e["details"] for e in entries(database, "hold_set")] == [{"reason": "suit filed"}]
    released = entries(database, "hold_released")[0]
    assert (released["actor"], released["details"]) == ("Bob", {"reason": "settled"})


@on_sqlite
def test_a_purchase_in_a_held_case_holds_its_captures(database: Database, seeded: Seeded) -> None:
    with database.writing() as session:
        exhibit = cases.add_purchase(session, "C-1", seeded.purchase_id, actor="Ada")
        # As if the capture had been made after the purchase was added.
        session.delete(
            session.scalars(
                select(Exhibit).where(Exhibit.capture_id == seeded.purchase_capture_id)
            ).one()
        )
    hold(database)
    with pytest.raises(retention.Refused, match="C-1 is on hold"):
        delete(database, seeded.purchase_capture_id)
    with pytest.raises(TouchstoneError, match="a purchase, which stays"):
        delete(database, exhibit.id)


@on_sqlite
def test_what_must_be_kept_is_kept_until_the_day_is_over(
    database: Database, seeded: Seeded
) -> None:
    today = utcnow().date()

    def retain(until: date, reason: str = "") -> None:
        with database.writing() as session:
            retention.retain(session, "C-1", until, actor="Ada", reason=reason)

    with database.writing() as session:
        cases.add_capture(session, "C-1", seeded.capture_id, actor="Ada")
    for until in (today, LONG):
        retain(until)
        with pytest.raises(retention.Refused, match=f"kept until {until}"):
            delete(database, seeded.capture_id)
    with pytest.raises(TouchstoneError, match="give a reason"):
        retain(today - timedelta(days=1))
    retain(today - timedelta(days=1), "a typing error")
    delete(database, seeded.capture_id)
    assert [e["details"] for e in entries(database, "retention_set")][1:] == [
        {"until": "2099-12-31", "before": today.isoformat(), "reason": ""},
        {
            "until": (today - timedelta(days=1)).isoformat(),
            "before": "2099-12-31",
            "reason": "a typing error",
        },
    ]


def test_what_is_deleted_leaves_its_hash_and_its_line(
    database: Database, blobs: Blobs, settings: Settings, seeded: Seeded
) -> None:
    with database.writing() as session:
        exhibit = cases.add_capture(session, "C-1", seeded.capture_id, actor="Ada")
    before = row(database, seeded.capture_id)
    delete(database, seeded.capture_id)
    assert stored(blobs, before.blob), "only what is committed is erased"
    assert erase(database, settings, blobs) == 1
    after = row(database, seeded.capture_id)
    assert after.deleted_at is not None
    assert (after.sha256, after.size, after.blob) == (before.sha256, before.size, before.blob)
    assert not stored(blobs, before.blob)
    assert stored(blobs, before.screenshot_blob), "another capture has the same picture"
    said = entries(database, "deleted")
    assert [(e["subject"], e["actor"], e["details"]) for e in said] == [
        (
            f"capture:{seeded.capture_id}",
            "Ada",
            {"sha256": before.sha256, "size": before.size, "reason": "kept long enough"},
        )
    ]
    with database.reading() as session:
        assert session.get_one(Exhibit, exhibit.id).deleted_at == after.deleted_at
    with pytest.raises(TouchstoneError, match="deleted already"):
        delete(database, seeded.capture_id)
    with database.writing() as session:
        cases.open_case(session, reference="C-2", title="T", actor="Ada")
    with pytest.raises(TouchstoneError, match="was deleted"), database.writing() as session:
        cases.add_capture(session, "C-2", seeded.capture_id, actor="Ada")

    delete(database, seeded.purchase_capture_id)
    assert erase(database, settings, blobs) == 1
    assert not stored(blobs, before.screenshot_blob), "nobody needs it any more"


@on_sqlite
def test_erasing_is_repeated_until_it_is_noted(
    database: Database, blobs: Blobs, settings: Settings, seeded: Seeded
) -> None:
    delete(database, seeded.capture_id)
    blobs.delete(row(database, seeded.capture_id).blob)  # a worker was killed after this
    assert erase(database, settings, blobs) == 1
    with database.reading() as session:
        job = session.scalars(select(Job).where(Job.kind == "erase")).one()
    assert job.state == "done"


@on_sqlite
def test_nothing_is_erased_that_was_not_deleted(
    database: Database, blobs: Blobs, settings: Settings, seeded: Seeded
) -> None:
    with database.writing() as session:
        jobs.enqueue(session, "erase", {"item_id": str(seeded.capture_id)})
    with pytest.raises(RuntimeError, match="was not deleted"):
        erase(database, settings, blobs)
    assert stored(blobs, row(database, seeded.capture_id).blob)


def test_bytes_that_others_name_stay(
    database: Database, blobs: Blobs, settings: Settings, seeded: Seeded, tmp_path: Path
) -> None:
    shot = row(database, seeded.capture_id).screenshot_blob
    assert shot is not None
    with database.writing() as session:
        session.add(Picture(sha256="1" * 64, blob=shot, media_type="image/png", fingerprint={}))
        cases.open_case(session, reference="C-2", title="T", actor="Ada")
    (tmp_path / "letter.txt").write_text("letter")
    one, two = (add_file(database, blobs, tmp_path / "letter.txt", c) for c in ("C-1", "C-2"))
    assert one.blob == two.blob
    hold(database, "C-2")
    for item in (seeded.capture_id, seeded.purchase_capture_id, one.id):
        delete(database, item)
    assert erase(database, settings, blobs) == 3
    assert stored(blobs, shot)
    assert stored(blobs, two.blob)


def test_a_file_may_come_back_after_it_was_erased(
    database: Database, blobs: Blobs, settings: Settings, seeded: Seeded, tmp_path: Path
) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("letter")
    first = add_file(database, blobs, path)
    kept = cases.store_file(blobs, path)
    delete(database, first.id)
    erase(database, settings, blobs)
    assert not stored(blobs, kept.blob)
    with database.writing() as session:
        second = cases.add_file(session, blobs, "C-1", kept, actor="Ada")
    assert second.number == 2
    assert stored(blobs, second.blob)


def race(*works: Callable[[], None]) -> list[Exception | None]:
    """Do things at the same moment; what each raised."""
    ready = threading.Barrier(len(works))
    raised: list[Exception | None] = [None] * len(works)

    def run(number: int, work: Callable[[], None]) -> None:
        ready.wait()
        try:
            work()
        except Exception as error:
            raised[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_of_hold_and_deletion_the_first_wins(
    database: Database, blobs: Blobs, settings: Settings, seeded: Seeded, tmp_path: Path
) -> None:
    for turn in range(12):
        path = tmp_path / f"letter-{turn}"
        path.write_text(f"letter {turn}")
        with database.writing() as session:
            cases.open_case(session, reference=f"R-{turn}", title="T", actor="Ada")
        file = add_file(database, blobs, path, f"R-{turn}")
        works = [partial(hold, database, f"R-{turn}"), partial(delete, database, file.id)]
        raised = race(*works) if turn % 2 else race(*works[::-1])[::-1]
        erase(database, settings, blobs)
        assert raised[0] is None, "a hold is never refused"
        with database.reading() as session:
            left = session.get_one(Exhibit, file.id)
            events = session.scalars(
                select(LedgerEntry.event)
                .where(LedgerEntry.event.in_(("hold_set", "deleted")))
                .order_by(LedgerEntry.seq.desc())
                .limit(2)
            ).all()[::-1]
        if raised[1] is None:
            assert events == ["deleted", "hold_set"]
            assert left.deleted_at is not None
            assert not stored(blobs, left.blob)
        else:
            assert isinstance(raised[1], retention.Refused), raised[1]
            assert events[-1] == "hold_set"
            assert left.deleted_at is None
            assert stored(blobs, left.blob)


def test_adding_to_a_held_case_and_deletion_exclude_each_other(
    database: Database, seeded: Seeded
) -> None:
    hold(database)

    def add_purchase() -> None:
        with database.writing() as session:
            cases.add_purchase(session, "C-1", seeded.purchase_id, actor="Ada")

    def add_capture() -> None:
        with database.writing() as session:
            cases.add_capture(session, "C-1", seeded.capture_id, actor="Ada")

    for add, item in (
        (add_purchase, seeded.purchase_capture_id),
        (add_capture, seeded.capture_id),
    ):
        added, deleted = race(add, partial(delete, database, item))
        gone = row(database, item).deleted_at is not None
        assert gone == (deleted is None)
        with database.reading() as session:
            held = session.scalar(select(Exhibit.id).where(Exhibit.capture_id == item))
        assert gone != (held is not None)
        for error in (added, deleted):
            assert error is None or isinstance(error, TouchstoneError), error

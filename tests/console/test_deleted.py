"""A capture that was deleted: its page says so, its files are gone, its hash is there."""

from __future__ import annotations

from evidence.custody import retention
from registry.database import Database
from registry.models import Capture
from tests.console.conftest import Console
from tests.console.seed import Seeded


def test_a_deleted_capture_says_so(console: Console, seeded: Seeded, database: Database) -> None:
    capture_id = seeded.captures[0]
    with database.writing() as session:
        retention.delete(session, capture_id, actor="Ada", reason="kept long enough")
        sha256 = session.get_one(Capture, capture_id).sha256
    page = console.page(f"/captures/{capture_id}")
    assert "deleted on" in page
    assert sha256 in page
    assert "/screenshot" not in page
    for part in ("bundle", "screenshot"):
        assert "was deleted" in console.page(f"/captures/{capture_id}/{part}", status=410)
    answer = console.http.post(f"/captures/{capture_id}/verify")
    assert answer.status_code == 410
    assert str(capture_id) in console.page("/captures")

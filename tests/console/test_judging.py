"""The queue's tabs, outlines, and verdicts of people."""

from __future__ import annotations

import re
from html import unescape
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from insight.verdicts import record
from registry.database import Database
from registry.models import Assessment, Snapshot, Verdict
from tests.console.conftest import Console
from tests.console.seed import Seeded
from tests.console.test_pages import listings


def newest(database: Database, listing_id: UUID) -> UUID:
    """The newest assessment of a listing."""
    with database.reading() as session:
        return session.scalars(
            select(Assessment.id)
            .join(Snapshot, Assessment.snapshot_id == Snapshot.id)
            .where(Snapshot.listing_id == listing_id)
            .order_by(Assessment.id.desc())
        ).first()  # type: ignore[return-value]


def test_what_the_model_leaves_to_people_has_a_queue_of_its_own(
    console: Console, seeded: Seeded, database: Database
) -> None:
    with database.writing() as session:
        doubtful = session.get_one(Assessment, newest(database, seeded.hostile_listing))
        doubtful.flagged, doubtful.outcome, doubtful.kind = False, "abstain", "grey_import"
    flagged, look = console.page("/"), console.page("/?tab=abstain")
    assert f"{seeded.flagged - 1} flagged listings" in flagged
    assert listings(look) == [str(seeded.hostile_listing)]
    assert "To look at <span>1</span>" in flagged
    assert "grey import" in look
    assert "Nothing waits" in console.page("/?tab=abstain&kind=price_breach")
    items = console.json("/queue?tab=abstain")["items"]
    assert [item["listing_id"] for item in items] == [str(seeded.hostile_listing)]
    assert (items[0]["assessment"]["outcome"], items[0]["assessment"]["kind"]) == (
        "abstain",
        "grey_import",
    )
    console.page("/?tab=nothing", status=422)


def test_what_is_under_the_plans_threshold_is_looked_at(
    console: Console, seeded: Seeded, database: Database
) -> None:
    with database.writing() as session:
        session.get_one(Assessment, newest(database, seeded.hostile_listing)).flagged = False
    assert "under the plan" in console.page("/?tab=abstain")


def test_the_matched_area_is_drawn_in_both_pictures(console: Console, seeded: Seeded) -> None:
    page = console.page(f"/listings/{seeded.hostile_listing}")
    drawn = re.findall(r'<svg class="outline" viewBox="0 0 400 400"[^>]*>(.*?)</svg>', page)
    assert len(drawn) == 2
    for svg in drawn:
        assert re.fullmatch(r'(<polygon( class="halo")? points="[\d., ]+"/>){2}', svg)
    assert "The seller, as known then" in page
    assert "31 of this brand" in page


@pytest.mark.parametrize("said", ["counterfeit", "genuine"])
def test_a_person_says_what_it_is_and_it_leaves_the_queue(
    console: Console, seeded: Seeded, database: Database, said: str
) -> None:
    listing = seeded.changed_listing
    assert str(listing) in listings(console.page("/"))
    answer = console.http.post(
        f"/assessments/{newest(database, listing)}/verdict",
        data={"verdict": said, "by": " Ada  Lovelace", "note": "<b>seams</b>"},
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/listings/{listing}#verdicts"
    page = console.page(f"/listings/{listing}")
    assert "Ada Lovelace" in page
    assert "<b>seams" not in page
    assert "<b>seams</b>" in unescape(page)
    assert str(listing) not in listings(console.page("/"))
    assert listings(console.page("/?tab=judged")) == [str(listing)]
    (verdict,) = console.json(f"/listings/{listing}")["verdicts"]
    assert (verdict["verdict"], verdict["by"]) == (said, "Ada Lovelace")


def test_what_cannot_be_told_stays_in_the_queue(
    console: Console, seeded: Seeded, database: Database
) -> None:
    with database.writing() as session:
        record(session, newest(database, seeded.changed_listing), "unclear", "Ada")
    assert str(seeded.changed_listing) in listings(console.page("/"))


def test_a_verdict_without_a_name_keeps_nothing(
    console: Console, seeded: Seeded, database: Database
) -> None:
    path = f"/assessments/{newest(database, seeded.changed_listing)}/verdict"
    for form in ({"verdict": "genuine", "by": " "}, {"verdict": "fake", "by": "Ada"}):
        answer = console.http.post(path, data=form)
        assert answer.status_code == 422
        assert "Nothing was kept" in answer.text
    lost = console.http.post(f"/assessments/{uuid4()}/verdict", data={"verdict": "genuine"})
    assert lost.status_code == 404
    elsewhere = console.http.post(
        path, data={"verdict": "genuine", "by": "Ada"}, headers={"Origin": "https://evil.example"}
    )
    assert elsewhere.status_code == 403
    with database.reading() as session:
        assert session.scalars(select(Verdict)).all() == []

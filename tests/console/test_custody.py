"""Cases, custody and the ledger in the console; who looked at what is written down."""

from __future__ import annotations

import io
import json
import zipfile
from html import unescape
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from registry.blobs import Blobs
from registry.database import Database
from registry.models import Capture, Case, LedgerEntry
from tests.console.conftest import Bundle, Console
from tests.console.seed import Seeded
from tests.console.seed_custody import AUTHORITY, CASE, HOSTILE_CASE, HOSTILE_DETAIL, seed_custody

FOREIGN = {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"}


@pytest.fixture
def held(database: Database, blobs: Blobs, seeded: Seeded, tmp_path: Path) -> Seeded:
    seed_custody(database, blobs, seeded, tmp_path)
    return seeded


def entries(database: Database, event: str) -> list[LedgerEntry]:
    with database.reading() as session:
        return list(session.scalars(select(LedgerEntry).where(LedgerEntry.event == event)))


def case(database: Database) -> Case:
    with database.reading() as session:
        return session.scalars(select(Case).where(Case.reference == CASE)).one()


def with_bundle(database: Database, blobs: Blobs, capture_id: UUID, **members: bytes) -> None:
    """Give a capture a bundle of other members; `/` in their names is written as `__`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, data in members.items():
            package.writestr(".".join(name.replace("__", "/").rsplit("_", 1)), data)
    with database.writing() as session:
        session.get_one(Capture, capture_id).blob = blobs.put_bytes(buffer.getvalue(), ".wacz")


def test_a_capture_shows_its_seal_its_stamps_and_its_custody(
    console: Console, held: Seeded
) -> None:
    page = console.page(f"/captures/{held.captures[0]}")
    assert "<b>312 of 314</b> answers are whole" in page
    assert page.count(AUTHORITY) == 2
    assert "after 3 h" in page
    assert "timed out" in unescape(page)
    assert "<b>timed out" not in page
    assert f'<a href="/cases/{CASE}">' in page
    for event in ("Captured", "Exhibit added", "Viewed"):
        assert f"<b>{event}</b>" in page
    assert "In a window of its own" not in page, "there is no replay origin here"


def test_looking_is_written_down_once_an_hour_and_taking_away_each_time(
    console: Console, held: Seeded, database: Database, bundle: Bundle
) -> None:
    path = f"/captures/{held.captures[4]}"
    for _ in range(2):
        console.page(path)
        assert console.http.get(f"{path}/screenshot").status_code == 200
    viewed = [e for e in entries(database, "viewed") if e.actor == "tester"]
    assert [e.subject for e in viewed] == [f"capture:{held.captures[4]}"]
    for _ in range(2):
        assert console.http.get(f"{path}/bundle").content == bundle.data
    exported = entries(database, "exported")
    assert len(exported) == 2
    assert json.loads(exported[0].leaf)["details"]["sha256"] == bundle.sha256


def test_what_nobody_wanted_to_see_is_neither_sent_nor_written_down(
    console: Console, held: Seeded, database: Database
) -> None:
    path = f"/captures/{held.captures[4]}"
    before = len(entries(database, "viewed")) + len(entries(database, "exported"))
    for part in ("", "/screenshot", "/bundle"):
        ahead = console.http.get(path + part, headers={"Sec-Purpose": "prefetch;prerender"})
        assert ahead.status_code == 503
    for part in ("/screenshot", "/bundle", "/parts/extra/capture.json"):
        assert console.http.get(path + part, headers=FOREIGN).status_code == 403
    assert len(entries(database, "viewed")) + len(entries(database, "exported")) == before


def test_a_deleted_capture_says_so_and_offers_nothing(
    console: Console, held: Seeded, bundle: Bundle
) -> None:
    path = f"/captures/{held.captures[5]}"
    page = console.page(path)
    assert "by <bdi>Grace Hopper</bdi>: <bdi>a double</bdi>" in page
    assert bundle.sha256 in page
    for offer in ("/bundle", "/screenshot", "/verify", "/parts/", "<iframe", "Add to a case"):
        assert offer not in page, offer
    for part in ("/bundle", "/screenshot", "/parts/extra/capture.json"):
        console.page(path + part, status=410)
    assert console.http.post(f"{path}/verify").status_code == 410
    row = console.page("/captures").split(f'href="{path}"')[1].split("</tr>")[0]
    assert "deleted" in row
    assert "Download" not in row


def test_what_is_not_the_listing_never_passes_for_it(
    console: Console, seeded: Seeded, database: Database
) -> None:
    for status in ("login", "captcha", "blocked", "gone"):
        with database.writing() as session:
            session.get_one(Capture, seeded.captures[0]).status = status
        page = console.page(f"/captures/{seeded.captures[0]}")
        assert "not the listing" in page or "was not there any more" in page, status


def test_parts_of_a_bundle_are_shown_and_never_run(
    console: Console, seeded: Seeded, database: Database, blobs: Blobs
) -> None:
    capture_id = seeded.captures[0]
    path = f"/captures/{capture_id}"
    page = b"<script>alert(1)</script><p>shown"
    with_bundle(
        database, blobs, capture_id,
        dom__01_html=page, text__01_txt=page, pdf__01_pdf=b"%PDF-1.7", extra__exchanges_har=b"{}",
        screenshots__01_png=b"\x89PNG", screenshots__01_svg=page, extra__deep__x_json=b"{}",
        archive__data_txt=page,
    )  # fmt: skip
    for name, kind, how in (
        ("dom/01.html", "text/html; charset=utf-8", "inline"),
        ("text/01.txt", "text/plain; charset=utf-8", "inline"),
        ("pdf/01.pdf", "application/pdf", "attachment"),
        ("extra/exchanges.har", "application/json", "attachment"),
        ("screenshots/01.png", "image/png", "inline"),
    ):
        answer = console.http.get(f"{path}/parts/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-disposition"].startswith(how)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert policy.endswith("sandbox")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    assert console.http.get(f"{path}/parts/dom/01.html").content == page
    for name in ("screenshots/01.svg", "extra/deep/x.json", "archive/data.txt", "none", "../x"):
        assert console.http.get(f"{path}/parts/{name}").status_code == 404, name


def test_what_is_missing_is_listed_and_a_hostile_record_does_no_harm(
    console: Console, seeded: Seeded, database: Database, blobs: Blobs
) -> None:
    capture_id = seeded.captures[0]
    about = {
        "recognised_by": HOSTILE_DETAIL,
        "incomplete": [
            {"url": f"https://x.example/{HOSTILE_DETAIL}", "truncated": "length", "error": None},
            {"url": 7},
            "no gap",
        ],
    }
    with_bundle(database, blobs, capture_id, extra__capture_json=json.dumps(about).encode())
    with database.writing() as session:
        capture = session.get_one(Capture, capture_id)
        capture.exchanges, capture.incomplete, capture.status = 9, 2, "blocked"
    page = console.page(f"/captures/{capture_id}")
    assert "What is missing (2)" in page
    assert "length</small>" in page
    assert "<img src=x" not in page
    assert HOSTILE_DETAIL in unescape(page)
    for record in (b"[]", b"{", b'{"incomplete": {"a": 1}}', b"[" * 100_000):
        with_bundle(database, blobs, capture_id, extra__capture_json=record)
        assert "What is missing" not in console.page(f"/captures/{capture_id}")
    with database.writing() as session:
        session.get_one(Capture, capture_id).blob = blobs.put_bytes(b"no zip", ".wacz")
    assert "cannot be read" in console.page(f"/captures/{capture_id}")


def test_a_case_shows_its_exhibits_and_who_handled_them(
    console: Console, held: Seeded, database: Database
) -> None:
    assert CASE in console.page("/cases")
    page = console.page(f"/cases/{CASE}")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert HOSTILE_CASE in unescape(page)
    assert HOSTILE_DETAIL in unescape(page)
    assert page.count('class="card exhibit"') == max(case_exhibits(database).values()) == 6
    assert f'src="/captures/{held.captures[0]}/screenshot"' in page
    assert "sealed apart" in page
    for words in ("Parcel received", "Hold set", "suit filed", "exhibit 2", "entered"):
        assert words in page, words
    console.page("/cases/none", status=404)


def case_exhibits(database: Database) -> dict[str, int]:
    """The numbers of a case's exhibits, by name."""
    with database.reading() as session:
        found = session.scalars(select(Case).where(Case.reference == CASE)).one()
        return {exhibit.name: exhibit.number for exhibit in found.exhibits}


def test_files_of_a_case_are_sent_and_sensitive_ones_are_not(
    console: Console, held: Seeded, database: Database
) -> None:
    numbers = case_exhibits(database)
    picture = console.http.get(f"/cases/{CASE}/exhibits/{numbers['parcel.jpg']}")
    assert picture.headers["content-type"] == "image/jpeg"
    letter = console.http.get(f"/cases/{CASE}/exhibits/{numbers['letter.pdf']}")
    assert letter.headers["content-disposition"].startswith("attachment")
    console.page(f"/cases/{CASE}/exhibits/{numbers['label.jpg']}", status=403)
    console.page(f"/cases/{CASE}/exhibits/1", status=404)
    console.page(f"/cases/{CASE}/exhibits/99", status=404)
    viewed = [e.subject for e in entries(database, "viewed") if e.subject.startswith("exhibit:")]
    assert len(viewed) == 2


def test_holds_are_set_and_released_by_a_named_person(
    console: Console, held: Seeded, database: Database
) -> None:
    release = f"/cases/{CASE}/release"
    for fields in ({"by": " ", "reason": "settled"}, {"by": "Ada", "reason": ""}):
        refused = console.http.post(release, data=fields)
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    named = {"by": "Grace Hopper", "reason": "settled"}
    assert console.http.post(release, data=named, headers=FOREIGN).status_code == 403
    assert case(database).hold
    assert console.http.post(release, data=named).status_code == 303
    assert not case(database).hold
    assert entries(database, "hold_released")[0].actor == "Grace Hopper"
    assert console.http.post(f"/cases/{CASE}/hold", data=named).status_code == 303
    assert case(database).hold
    assert console.http.post("/cases/none/hold", data=named).status_code == 404


def test_cases_are_opened_and_captures_added(
    console: Console, held: Seeded, database: Database
) -> None:
    fields = {"reference": "D-1", "title": "Watches", "brand": "velaro", "by": "Ada"}
    assert console.http.post("/cases", data=fields).headers["location"] == "/cases/D-1"
    for wrong in ({"reference": "../x"}, {"by": ""}, {"title": " "}, {"brand": "nobody"}, {}):
        assert console.http.post("/cases", data=fields | wrong).status_code == 422, wrong
    path = f"/captures/{held.captures[3]}"
    added = console.http.post(f"{path}/case", data={"reference": "D-1", "by": "Ada"})
    assert added.headers["location"] == "/cases/D-1"
    again = console.http.post(f"{path}/case", data={"reference": "D-1", "by": "Ada"})
    assert again.status_code == 422
    other = {"capture": str(held.captures[4]), "by": "Ada"}
    assert console.http.post("/cases/D-1/captures", data=other).status_code == 303
    assert (
        console.http.post("/cases/D-1/captures", data=other | {"capture": "x"}).status_code == 422
    )
    assert console.page("/cases/D-1").count('class="card exhibit"') == 2
    assert 'href="/cases/D-1"' in console.page(path)


def test_the_ledger_shows_what_is_signed(console: Console, held: Seeded) -> None:
    page = console.page("/ledger")
    state = console.json("/ledger?limit=3")
    assert len(state["entries"]) == 3
    assert state["size"] == state["entries"][0]["seq"] + 1
    checkpoint = state["checkpoint"]
    assert checkpoint["root"] in page
    assert checkpoint["key_id"] in page
    assert f"{checkpoint['size']} of {state['size']} entries" in page
    assert checkpoint["stamps"][0]["state"] == "stamped"
    assert "<img src=x" not in page
    older = console.json("/ledger?before=2")
    assert [entry["seq"] for entry in older["entries"]] == [1, 0]
    assert json.loads(older["entries"][0]["leaf"])["seq"] == 1
    capture = console.json(f"/captures/{held.captures[0]}")
    assert (capture["exchanges"], capture["incomplete"]) == (314, 2)
    assert {stamp["state"] for stamp in capture["stamps"]} == {"awaiting", "stamped"}
    assert console.http.get(f"/api/v1/captures/{CASE}").status_code == 422


def test_an_empty_ledger_and_no_case(console: Console) -> None:
    assert "Nothing has happened yet" in console.page("/ledger")
    assert "No case yet" in console.page("/cases")
    assert console.json("/ledger") == {"size": 0, "checkpoint": None, "entries": []}

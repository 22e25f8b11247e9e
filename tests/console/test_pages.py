"""What the pages say of a seeded installation."""

from __future__ import annotations

import hashlib
import re
from html import unescape
from uuid import uuid4

from sqlalchemy import event, select

from registry.blobs import Blobs
from registry.database import Database
from registry.models import Assessment, Capture, Job, Picture, Snapshot
from tests.console.conftest import Bundle, Console
from tests.console.seed import HOSTILE_SELLER, HOSTILE_TITLE, HOSTILE_URL, Seeded


def titles(page: str) -> list[str]:
    """The listings' titles on a queue page, in order."""
    found = re.findall(r'<h2><a href="/listings/[^"]+"><bdi>(.*?)</bdi>', page)
    return [unescape(re.sub(r"</?mark[^>]*>", "", title)) for title in found]


def listings(page: str) -> list[str]:
    return re.findall(r'<h2><a href="/listings/([^"]+)">', page)


def test_an_empty_installation_shows_every_page(console: Console) -> None:
    for path in (
        "/",
        "/captures",
        "/cases",
        "/purchases",
        "/ledger",
        "/jobs",
        "/runs",
        "/alarms",
        "/brands",
    ):
        assert "<main" in console.page(path)
    assert "Nothing is flagged yet" in console.page("/")


def test_the_queue_shows_what_a_person_needs(console: Console, seeded: Seeded) -> None:
    page = console.page("/")
    assert f"{seeded.flagged} flagged listings" in page
    assert titles(page)[0].startswith("Velaro Aria Tote AAA quality")
    first = page.split("<article")[1]
    assert '<mark class="name" title="brand: velaro">Velaro</mark>' in first
    assert '<mark class="lexicon" title="lexicon: en-replica">replica</mark>' in first
    assert len(re.findall(r'<img src="/pictures/[0-9a-f]{64}"', first)) == 2
    assert "features agree" in first
    assert first.count('class="halo" points="48.0,80.0 340.0,40.0 360.0,328.0 72.0,368.0"') == 1
    assert first.count('viewBox="0 0 400 400"') == 2
    assert "13 % of the floor, 310.00 EUR" in first
    assert "Bag Heaven Store" in first
    assert "Velaro is named in the title." in first
    assert "capture complete" in first
    assert "purchase rejected" in first


def test_loading_more_shows_every_listing_once_and_in_order(
    console: Console, seeded: Seeded
) -> None:
    seen = listings(console.page("/"))
    page, scores = console.page("/"), []
    while True:
        scores += [float(s) for s in re.findall(r'class="score"><b>([\d.]+)', page)]
        more = re.search(r'hx-get="([^"]+)" hx-swap="outerHTML"', page)
        if more is None:
            break
        part = console.http.get(
            unescape(more[1]), headers={"HX-Request": "true", "HX-Request-Type": "partial"}
        )
        page = part.text
        assert "<html" not in page
        seen += listings(page)
    assert len(seen) == len(set(seen)) == seeded.flagged
    assert scores == sorted(scores, reverse=True)


def test_filters_narrow_the_queue(console: Console, seeded: Seeded) -> None:
    assert "1 flagged listing." in console.page("/?brand=kestrix&plan=&min_score=&order=score")
    assert "1 flagged listing." in console.page("/?plan=bazaar-kestrix")
    assert "Nothing is flagged that fits these filters" in console.page("/?brand=nobody")
    high = console.page("/?min_score=0.95")
    assert "4 flagged listings" in high
    newest, oldest = console.page("/?order=newest"), console.page("/?order=oldest")
    assert listings(newest)[0] == str(seeded.changed_listing)
    assert listings(oldest)[0] != listings(newest)[0]
    console.page("/?min_score=7", status=422)


def test_a_listing_flagged_again_is_in_the_queue_once(console: Console, seeded: Seeded) -> None:
    page = console.page("/")
    assert listings(page).count(str(seeded.changed_listing)) == 1
    assert "Velaro Aria shopper bag top grade with box, replica" in titles(page)


def test_the_queue_asks_the_database_the_same_number_of_times_for_any_length(
    console: Console, seeded: Seeded, database: Database
) -> None:
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: asked.append(str(call[2])))
    console.json("/queue?limit=2")
    few = len(asked)
    asked.clear()
    assert len(console.json("/queue?limit=100")["items"]) == seeded.flagged
    assert len(asked) == few > 0


def test_a_listings_history_says_what_changed(console: Console, seeded: Seeded) -> None:
    page = console.page(f"/listings/{seeded.changed_listing}")
    assert "<del>V.e.l.a.r.o</del><ins>Velaro</ins>" in page
    assert "<del>64.50 EUR</del><ins>59.00 EUR</ins>" in page
    assert page.count("<figcaption>new</figcaption>") == 1
    assert page.count("<figcaption>gone</figcaption>") == 1
    assert page.count('class="verdict"') == 2
    assert page.count("seen so 1 time") == 2
    assert "900000000 pixels: too large" in page
    assert "price under floor" in page
    assert "+1.40" in page
    assert page.count('<li><a href="/captures/') == 2
    assert "/approve" in page


def test_a_picture_that_could_not_be_compared_says_why(
    console: Console, seeded: Seeded, database: Database
) -> None:
    with database.writing() as session:
        made = session.scalars(
            select(Assessment)
            .join(Snapshot, Snapshot.id == Assessment.snapshot_id)
            .where(Snapshot.listing_id == seeded.changed_listing)
            .order_by(Assessment.id.desc())
        ).first()
        assert made is not None
        sha256 = next(p.sha256 for p in made.snapshot.pictures if p.sha256)
        made.inputs = {**made.inputs, "faults": {sha256: "broken picture: <cut short>"}}
    page = console.page(f"/listings/{seeded.changed_listing}")
    assert page.count("not compared: broken picture: &lt;cut short&gt;") == 1


def test_hostile_text_is_shown_and_never_run(console: Console, seeded: Seeded) -> None:
    checkout = seeded.captures[2]  # what it shows is not for everybody
    paths = [
        "/",
        f"/listings/{seeded.hostile_listing}",
        "/captures",
        *(f"/captures/{capture}" for capture in seeded.captures if capture != checkout),
        "/purchases",
        *(f"/purchases/{purchase}" for purchase in seeded.purchases.values()),
        "/jobs",
        "/runs",
    ]
    pages = {path: console.page(path) for path in paths}
    for path, page in pages.items():
        scripts = re.findall(r"<script[^>]*>", page)
        assert all('src="/static/' in script for script in scripts), path
        assert len(scripts) == 2, path
        assert not re.search(r"<(svg onload|img src=x|b>timed|i>no order)", page), path
        assert not re.search(r"""\s(on\w+|style)\s*=\s*["']""", page), path
        assert not re.search(r"""(href|src|action)=["']?\s*(javascript|data):""", page), path
    listing = pages[f"/listings/{seeded.hostile_listing}"]
    for text in (HOSTILE_SELLER, HOSTILE_URL, "{{ 7 * 7 }} ${7*7}", "PU <b>leather</b>"):
        assert text in unescape(listing)
    assert HOSTILE_TITLE in titles(pages["/"])


def test_links_to_marketplaces_tell_them_nothing(console: Console, seeded: Seeded) -> None:
    page = console.page(f"/listings/{seeded.changed_listing}")
    outward = re.findall(r'<a [^>]*href="https?:[^>]*>', page)
    assert len(outward) == 2
    assert all('rel="noreferrer noopener nofollow"' in link for link in outward)


def test_a_capture_is_shown_downloaded_and_verified(
    console: Console, seeded: Seeded, bundle: Bundle
) -> None:
    path = f"/captures/{seeded.captures[0]}"
    page = console.page(path)
    assert bundle.sha256 in page
    assert f"{path}/screenshot" in page
    assert console.http.get(f"{path}/screenshot").content == bundle.screenshot
    download = console.http.get(f"{path}/bundle")
    assert hashlib.sha256(download.content).hexdigest() == bundle.sha256
    assert download.headers["content-length"] == str(len(bundle.data))
    assert download.headers["content-disposition"].startswith('attachment; filename="touchstone-')
    report = console.http.post(f"{path}/verify").text
    assert "Intact: " in report
    assert "FAIL" not in report


def test_a_changed_bundle_is_called_so(
    console: Console, seeded: Seeded, bundle: Bundle, database: Database, blobs: Blobs
) -> None:
    tampered = bytearray(bundle.data)
    tampered[len(tampered) // 2] ^= 1
    with database.writing() as session:
        capture = session.get_one(Capture, seeded.captures[0])
        capture.blob = blobs.put_bytes(bytes(tampered), ".wacz")
    report = console.http.post(
        f"/captures/{seeded.captures[0]}/verify",
        headers={"HX-Request": "true", "HX-Request-Type": "partial"},
    ).text
    assert "NOT intact" in report
    assert "<b>FAIL</b>" in report
    assert "<html" not in report


def test_a_bundle_that_is_not_in_the_store_is_404(
    console: Console, seeded: Seeded, database: Database
) -> None:
    with database.writing() as session:
        session.get_one(Capture, seeded.captures[0]).blob = "00/00.wacz"
    for answer in (
        console.http.get(f"/captures/{seeded.captures[0]}/bundle"),
        console.http.post(f"/captures/{seeded.captures[0]}/verify"),
    ):
        assert answer.status_code == 404
        assert "The store has no such" in answer.text


def test_pictures_are_served_as_pictures_and_nothing_else(
    console: Console, seeded: Seeded, database: Database, blobs: Blobs
) -> None:
    page = b"<script>alert(1)</script>"
    page_sha256 = hashlib.sha256(page).hexdigest()
    with database.writing() as session:
        session.add(
            Picture(
                sha256=page_sha256,
                blob=blobs.put_bytes(page, ".svg"),
                media_type="image/svg+xml",
                fingerprint={},
            )
        )
    picture = console.http.get(f"/pictures/{seeded.pictures[0]}")
    assert hashlib.sha256(picture.content).hexdigest() == seeded.pictures[0]
    assert picture.headers["content-type"] == "image/jpeg"
    assert "immutable" in picture.headers["cache-control"]
    other = console.http.get(f"/pictures/{page_sha256}")
    assert other.headers["content-type"] == "application/octet-stream"
    assert other.headers["content-disposition"].startswith("attachment")
    for answer in (picture, other):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
    console.page(f"/pictures/{'0' * 64}", status=404)
    console.page("/pictures/..%2f..%2ftouchstone.db", status=404)


def test_jobs_are_shown_and_dead_ones_requeued_once(
    console: Console, seeded: Seeded, database: Database
) -> None:
    page = console.page("/jobs?state=dead")
    assert "timed out" in page
    assert 'hx-trigger="every' in page
    dead = seeded.jobs["dead"]
    answer = console.http.post(f"/jobs/{dead}/requeue")
    assert answer.status_code == 303
    with database.reading() as session:
        assert session.get_one(Job, dead).state == "queued"
    assert console.http.post(f"/jobs/{dead}/requeue").status_code == 409


def test_runs_and_brands(console: Console, seeded: Seeded) -> None:
    runs = console.page("/runs")
    assert "listings <b>168</b>" in runs
    assert "connection refused" in runs
    brands = console.page("/brands")
    assert "Maison Lumière" in brands
    assert f'src="/pictures/{seeded.pictures[0]}"' in brands
    assert "018123456" in brands


def test_what_is_not_there_is_a_404_in_style(console: Console) -> None:
    gone = uuid4()
    for path in (
        "/nothing",
        f"/listings/{gone}",
        "/listings/1",
        f"/captures/{gone}",
        "/captures/x/bundle",
    ):
        page = console.page(path, status=404)
        assert "<main" in page
        assert "404" in page


def test_a_crash_is_a_500_in_style_and_says_nothing_of_its_cause(
    console: Console, seeded: Seeded, database: Database
) -> None:
    with database.writing() as session:
        session.get_one(Capture, seeded.captures[0])
        session.connection().exec_driver_sql("UPDATE assessments SET result = '{\"secret\": 1}'")
    answer = console.http.get("/")
    assert answer.status_code == 500
    assert "<main" in answer.text
    assert "secret" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_health(console: Console, database: Database) -> None:
    assert console.http.get("/healthz").json() == {"status": "ok", "database": "ok"}
    with database.writing() as session:
        session.connection().exec_driver_sql("DROP TABLE alembic_version")
    assert console.http.get("/healthz").status_code == 503

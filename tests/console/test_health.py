"""Pages about runs and alarms."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import pytest

from console.progress import in_words
from crawler.crawling.pace import Pace, points, rate, seconds_left
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Alarm
from tests.console.conftest import Console
from tests.console.seed_health import Health, seed_health


@pytest.fixture
def health(database: Database, blobs: Blobs) -> Health:
    return seed_health(database, blobs)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is asked here is asked on PostgreSQL by the tests of `crawler.health.judging`."""
    return sqlite_url


def test_a_live_run_says_how_far_it_is(console: Console, health: Health) -> None:
    page = console.page(f"/runs/{health.live}")
    assert 'hx-trigger="every 2s"' in page
    assert "1829 of 2303 pages visited" in page
    assert page.count("<polyline") == 1
    assert "about 1 min" in page or "less than a minute" in page
    assert "unknown" in page, "a shard that has only begun has no time left"
    listed = console.page("/runs")
    assert "time left: unknown" in listed, "one shard waits for a worker: nobody knows its size"
    well = console.page(f"/runs/{health.well}")
    assert "hx-trigger" not in well
    assert "healthy" in well


def test_an_unhealthy_run_says_so_everywhere(console: Console, health: Health) -> None:
    for path in ("/runs", f"/runs/{health.ill}"):
        page = console.page(path)
        assert "unhealthy: fleamarket: price on 0 of 49 pages of listings" in page
        assert "<b>refused</b>" not in page
    assert 'title="1 for a person to see to">1</span>' in console.page("/brands")
    listed = console.page("/alarms")
    assert str(health.alarm) in listed
    assert str(health.closed) not in listed
    assert str(health.closed) in console.page("/alarms?all=1")
    console.page(f"/runs/{uuid4()}", 404)
    console.page(f"/alarms/{uuid4()}", 404)


def test_a_saved_page_is_shown_as_source_only(console: Console, health: Health) -> None:
    page = console.page(f"/alarms/{health.alarm}")
    assert "without price, currency" in page
    assert "<script>alert" not in page
    source = console.page(f"/alarms/{health.alarm}/samples/{health.sample}")
    assert "&lt;script&gt;document.title" in source
    assert "<script>document.title" not in source
    assert "onerror=alert(2)&gt;" in source
    console.page(f"/alarms/{health.closed}/samples/{health.sample}", 404)


def test_people_take_an_alarm_on_and_close_it(
    console: Console, health: Health, database: Database
) -> None:
    here = f"/alarms/{health.alarm}"
    assert console.http.post(f"{here}/acknowledge", data={"by": " "}).status_code == 409
    assert console.http.post(f"{here}/acknowledge", data={"by": "Ada"}).status_code == 303
    nobody = console.http.post(f"{here}/close", data={"by": "Ada", "note": " "})
    assert nobody.status_code == 409
    assert "wants a note" in nobody.text
    said = {"by": "Ada", "note": "no prices for visitors any more", "usual": "true"}
    assert console.http.post(f"{here}/close", data=said).status_code == 303
    with database.reading() as session:
        alarm = session.get_one(Alarm, health.alarm)
        assert (alarm.acknowledged_by, alarm.closed_by, alarm.usual) == ("Ada", "Ada", True)
    assert console.http.post(f"{here}/close", data=said).status_code == 409
    foreign = console.http.post(
        f"{here}/close", data=said, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 403


def _course(*steps: tuple[float, int, int]) -> Sequence[Sequence[float]]:
    pace = Pace()
    for step in steps:
        pace.note(*step)
    return pace.to_json()


def test_the_time_that_is_left_is_told_only_where_it_is_known() -> None:
    steady = points(_course(*((t, t * 5, 1000 - t * 5) for t in range(100))))
    assert len(steady) <= 60
    assert steady[0] == (0, 0, 1000)
    assert steady[-1][:2] == (99, 495)
    assert rate(steady) == pytest.approx(5.0)
    assert seconds_left(steady, 505) == pytest.approx(101.0)
    assert in_words(seconds_left(steady, 505)) == "about 2 min"
    growing = points(_course(*((t, t * 5, 10 + t * 20) for t in range(100))))
    assert seconds_left(growing, 2000) is None, "the end is not in sight"
    stuck = points(_course(*((t, 300, 40) for t in range(100))))
    assert seconds_left(stuck, 40) is None
    assert seconds_left((), 40) is None
    assert seconds_left((), 0) is None, "it has not begun"
    assert seconds_left(stuck, 0) == 0.0
    assert [in_words(s) for s in (None, 3, 180, 7200)] == [
        "unknown",
        "less than a minute",
        "about 3 min",
        "about 2 h",
    ]
    again = Pace(_course((1, 5, 3)))
    again.note(2, 9, 0)
    assert again.to_json() == [[1.0, 5, 3], [2, 9, 0]]

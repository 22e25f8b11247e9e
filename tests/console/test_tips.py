"""The public page: takes tips, shows nothing, and holds off who sends too many."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from console.tips.app import MAX_BODY, create_tips_app
from console.tips.limits import MAX_ADDRESSES, OF_ALL, PER_ADDRESS, Limits
from crawler.ways_in.tips import accept, refuse
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Lead, Tip
from registry.settings import Settings
from tests.console.conftest import serve
from tests.crawler.ways_in import planned

HOSTILE = "<script>alert(1)</script>\u202egnp.exe'; DROP TABLE tips;--"
URL = "http://shop.example/item/1/x"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite is enough here."""
    return sqlite_url


@pytest.fixture
def page(settings: Settings, database: Database) -> Iterator[httpx.Client]:
    with serve(create_tips_app(settings, database)) as served:
        yield served.http


def told(database: Database) -> list[Tip]:
    with database.reading() as session:
        return list(session.scalars(select(Tip).order_by(Tip.id)))


def test_a_tip_is_kept_as_it_was_written(page: httpx.Client, database: Database) -> None:
    answer = page.post("/tip", data={"url": URL, "text": f"{HOSTILE}\nsecond line\x00\x1b[2J"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/tip/thanks")
    (tip,) = told(database)
    assert tip.url == URL
    assert tip.text == f"{HOSTILE.replace(chr(0x202E), '')}\nsecond line[2J"
    assert tip.contact is None
    assert "Thank you" in page.get("/tip/thanks").text


def test_what_comes_in_does_not_go_out(page: httpx.Client) -> None:
    for data in (
        {"url": f"javascript:{HOSTILE}", "text": HOSTILE},
        {"url": "http://127.0.0.2/" + HOSTILE, "text": HOSTILE},
        {"url": URL, "text": HOSTILE * 80},
        {"url": "", "text": HOSTILE},
    ):
        answer = page.post("/tip", data=data)
        assert answer.status_code in (422, 429)
        assert "alert(1)" not in answer.text
        assert "javascript" not in answer.text
        api = page.post("/api/tip", json=data)
        assert api.status_code in (422, 429)
        assert "alert(1)" not in api.text
    assert "alert" not in page.get(f"/tip?fault={HOSTILE}").text


def test_every_answer_lets_nothing_be_loaded_or_framed(page: httpx.Client) -> None:
    for path in ("/tip", "/tip/thanks", "/tip.css", "/nowhere"):
        answer = page.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert "set-cookie" not in answer.headers
    assert page.get("/tip", headers={"host": "evil.example"}).status_code == 400


def test_it_has_nothing_of_the_console(page: httpx.Client) -> None:
    for path in (
        "/queue",
        "/leads",
        "/api/v1/queue",
        "/captures",
        "/plans",
        "/api/v1/openapi.json",
    ):
        assert page.get(path).status_code == 404


def test_a_machine_that_fills_in_everything_is_thanked(
    page: httpx.Client, database: Database
) -> None:
    for _ in range(30):
        sent = {"url": URL, "text": "buy", "website": "http://spam.example"}
        assert page.post("/tip", data=sent).status_code == 303
    assert told(database) == []


def test_who_sends_too_many_has_to_wait(page: httpx.Client, database: Database) -> None:
    codes = [page.post("/api/tip", json={"url": URL}).status_code for _ in range(9)]
    assert codes == [200] * PER_ADDRESS[0][0] + [429] * (9 - PER_ADDRESS[0][0])
    assert len(told(database)) == PER_ADDRESS[0][0]


@pytest.mark.parametrize(
    "sent",
    [b"x" * (MAX_BODY + 1), b"\xff\xfe", b"[]", b"{", b"[" * 50_000, b"null", b'{"url": 5}'],
    ids=["large", "bytes", "list", "half", "deep", "null", "number"],
)
def test_what_is_no_tip(page: httpx.Client, database: Database, sent: bytes) -> None:
    assert page.post("/api/tip", content=sent).status_code in (400, 413, 422)
    assert page.post("/tip", content=sent).status_code in (400, 413, 422)
    assert told(database) == []


def test_limits_hold_for_networks_and_for_all() -> None:
    now = [0.0]
    limits = Limits(lambda: now[0])
    most, seconds = PER_ADDRESS[0]
    assert [limits.ask(f"2001:db8::{n:x}") > 0 for n in range(most + 1)] == [False] * most + [True]
    assert limits.ask("2001:db8:0:1::1") == 0
    now[0] = seconds + 1
    assert limits.ask("2001:db8::1") == 0
    taken = sum(limits.ask(f"10.{n // 250}.{n % 250}.1") == 0 for n in range(500))
    assert taken <= OF_ALL[0][0]
    for n in range(MAX_ADDRESSES + 100):
        limits.ask(f"192.{n // 62500}.{n // 250 % 250}.{n % 250}")
    assert len(limits._by_address) <= MAX_ADDRESSES


def test_a_person_decides(page: httpx.Client, database: Database) -> None:
    for text in ("it is a fake", "the seller said so"):
        page.post("/tip", data={"url": URL, "text": text, "contact": "ada@example.org"})
    page.post("/tip", data={"url": "shop.example/item/2/y", "text": "an advertisement"})
    first, second, third = told(database)
    with database.writing() as session:
        plan = planned(session)
        lead = accept(session, first.id, "Ada", plan.brand_id, plan.id)
        assert (lead.origin, lead.external_id, lead.state) == ("tip", "1", "waiting")
        assert lead.context == "it is a fake\nthe seller said so"
        refuse(session, third.id, "Ada", "an  advertisement")
        with pytest.raises(TouchstoneError, match="accepted already, by Ada"):
            accept(session, second.id, "Bob", plan.brand_id)
        with pytest.raises(TouchstoneError, match="your name"):
            refuse(session, third.id, " ", "x")
    assert [(tip.state, tip.reason) for tip in told(database)] == [
        ("accepted", None), ("accepted", None), ("refused", "an advertisement"),
    ]  # fmt: skip
    with database.reading() as session:
        assert session.scalars(select(Lead)).one().who == "Ada"

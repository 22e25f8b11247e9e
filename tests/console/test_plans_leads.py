"""The pages of plans and leads: what is shown, what a person decides, hostile text."""

from __future__ import annotations

from sqlalchemy import select

from crawler.queries.yields import found
from crawler.ways_in.leads import Told, add
from crawler.ways_in.places import Places
from registry.database import Database
from registry.models import Lead, Tip
from tests.console.conftest import Console
from tests.crawler.ways_in import planned, run_of

HOSTILE = "<img src=x onerror=alert(1)>"


def test_a_plan_with_what_its_queries_yield(console: Console, database: Database) -> None:
    assert "no plan yet" in console.page("/plans")
    with database.writing() as session:
        plan = planned(session, queries=[f"velaro {HOSTILE}"], generate=12, schedule=["@daily"])
        run = run_of(session, plan, "finished")
        market = plan.marketplaces[0].id
        found(session, plan.id, market, run.id, "VELARO", ["1", "2", "3"])
        plan_id = plan.id
    page = console.page("/plans")
    assert f"/plans/{plan_id}" in page
    assert "1 given, 12 made" in page
    page = console.page(f"/plans/{plan_id}")
    assert "VELARO replica" in page
    assert "said of what is not genuine" in page
    assert '<meter min="0" max="3.0" value="3.0">' in page
    assert HOSTILE not in page
    assert "&lt;img src=x" in page
    assert "queries that the next run leaves out" in page
    console.page("/plans/0197f3b0-0000-7000-8000-000000000000", status=404)


def test_a_list_is_imported_in_the_browser(console: Console, database: Database) -> None:
    with database.writing() as session:
        brand = str(planned(session).brand_id)
    rows = f"url;note\nhttp://shop.example/item/1/x;{HOSTILE}\nfile:///etc/passwd;{HOSTILE}\n"
    sent = {"file": ("../../links.csv", rows.encode(), "text/csv")}
    answer = console.http.post("/leads/import", files=sent, data={"by": "Ada", "brand": brand})
    assert answer.status_code == 200
    assert "<bdi>links.csv</bdi></b>: 1 new" in answer.text
    assert "line 3: scheme" in answer.text
    assert HOSTILE not in answer.text
    for data in ({"by": "", "brand": brand}, {"by": "Ada", "brand": ""}):
        assert console.http.post("/leads/import", files=sent, data=data).status_code == 422
    empty = {"file": ("x.csv", b"", "text/csv")}
    answer = console.http.post("/leads/import", files=empty, data={"by": "Ada", "brand": brand})
    assert answer.status_code == 422
    assert "it is empty" in answer.text
    with database.reading() as session:
        lead = session.scalars(select(Lead)).one()
        assert (lead.who, lead.source, lead.note) == ("Ada", "links.csv, line 2", HOSTILE)


def test_a_person_decides_on_tips_and_leads(console: Console, database: Database) -> None:
    with database.writing() as session:
        plan = planned(session)
        brand_id = plan.brand_id
        session.add_all(
            [
                Tip(url=f"http://shop.example/item/1/{HOSTILE}", text=HOSTILE, contact=HOSTILE),
                Tip(url="http://shop.example/item/2/x", text="an advertisement"),
            ]
        )
        told = Told("http://shop.example/item/3/x", "link", context=HOSTILE, source=HOSTILE)
        add(session, brand_id, [told], Places.watched(session))
    page = console.page("/leads")
    assert HOSTILE not in page
    assert "an advertisement" in page
    with database.reading() as session:
        first, second = session.scalars(select(Tip).order_by(Tip.id))
        lead = session.scalars(select(Lead)).one()
    accept, refuse = f"/leads/tips/{first.id}/accept", f"/leads/tips/{second.id}/refuse"
    for path, sent in (
        (accept, {"by": "", "brand": str(brand_id)}),
        (accept, {"by": "Ada", "brand": ""}),
        (refuse, {"by": "Ada", "why": " "}),
        (f"/leads/{lead.id}/refuse", {"by": "Ada", "why": ""}),
    ):
        assert console.http.post(path, data=sent).status_code == 422
    sent = {"by": "Ada", "brand": str(brand_id)}
    assert console.http.post(accept, data=sent).status_code == 303
    assert console.http.post(accept, data=sent).status_code == 422
    assert console.http.post(refuse, data={"by": "Ada", "why": "spam"}).status_code == 303
    page = console.page("/leads?tab=waiting")
    assert HOSTILE not in page
    assert "http://shop.example/item/3/x" in page
    assert console.page("/leads").count("card tip") == 0
    answer = console.http.post(f"/leads/{lead.id}/refuse", data={"by": "Ada", "why": "ours"})
    assert answer.status_code == 303
    assert "Ada: ours" in console.page("/leads?tab=refused")
    # From elsewhere nobody decides.
    other = {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}
    assert console.http.post(accept, data=sent, headers=other).status_code == 403

"""Whose a purchase's browser is, in the console: its buyer's and nobody else's."""

from __future__ import annotations

from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from console.web.doors import COOKIE
from purchases import people
from purchases.buying import seat
from purchases.states import IllegalMove
from registry.database import Database
from registry.models import Takeover
from registry.settings import Settings
from tests.console.conftest import Console, console
from tests.console.test_takeover import offered
from tests.purchases import staff
from tests.purchases.conftest import flagged

__all__ = ["console"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def waiting(database: Database, settings: Settings) -> tuple[UUID, UUID]:
    """A purchase of Bea's whose browser waits, and the takeover."""
    purchase_id = staff.approved_and_assigned(database, settings, flagged(database))
    with database.writing() as session:
        row = offered(session, settings, kind="purchase", subject=purchase_id, why="a captcha")
        return purchase_id, row.id


def signed_in(console: Console, database: Database, name: str) -> None:
    with database.writing() as session:
        code = people.new_code(session, name)
    console.http.cookies.clear()
    console.http.cookies.set(COOKIE, code)


def test_the_buyer_finds_it_at_the_task_and_takes_it(
    console: Console, database: Database, settings: Settings
) -> None:
    purchase_id, takeover_id = waiting(database, settings)
    signed_in(console, database, "Bea Buyer")
    here = f"/takeovers/{takeover_id}"
    task = console.page(f"/tasks/{purchase_id}")
    assert here in task
    assert "a captcha" in task
    page = console.page(here)
    assert "Take over" in page
    assert "/ledger" not in page, "nothing but tasks leads on from here"
    assert console.http.get("/takeovers").status_code == 403
    assert console.http.post(f"{here}/take", data={"by": "Ada"}).status_code == 303
    with database.reading() as session:
        assert session.get_one(Takeover, takeover_id).taken_by == "Bea Buyer"
    given = console.http.post(f"{here}/give-back", data={"done": "true"})
    assert given.headers["location"] == f"/tasks/{purchase_id}"
    with database.reading() as session:
        assert seat.waiting(session, purchase_id) is None


def test_others_do_not_even_see_that_it_is_there(
    console: Console, database: Database, settings: Settings
) -> None:
    _, takeover_id = waiting(database, settings)
    with database.writing() as session:
        of_a_crawl = offered(session, settings).id
        people.add(session, "Ben Buyer", ["buyer"])
    for name in ("Ben Buyer", "Eve Examiner"):
        signed_in(console, database, name)
        for one in (takeover_id, of_a_crawl, uuid7()):
            console.page(f"/takeovers/{one}", 404)
            taken = console.http.post(f"/takeovers/{one}/take", data={"by": "Bea Buyer"})
            assert taken.status_code == 404
            assert console.http.get(f"/takeovers/{one}/picture").status_code == 410


@pytest.mark.parametrize("name", ["Ada Lovelace", "Ann Admin", "Finn Finance"])
def test_those_of_another_office_see_it_wait_and_cannot_take_it(
    console: Console, database: Database, settings: Settings, name: str
) -> None:
    purchase_id, takeover_id = waiting(database, settings)
    signed_in(console, database, name)
    assert "a captcha" in console.page("/takeovers")
    refused = console.http.post(f"/takeovers/{takeover_id}/take", data={"by": "Bea Buyer"})
    assert refused.status_code == 409
    assert "Bea Buyer" in refused.text
    with database.writing() as session, pytest.raises(IllegalMove):
        seat.check_taker(session, purchase_id, name)

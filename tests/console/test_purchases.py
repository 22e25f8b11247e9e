"""What people decide about test purchases, in the console."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID, uuid4

from httpx import Response
from sqlalchemy import select

from purchases import people, personas
from registry.database import Database
from registry.models import Job, Purchase
from registry.secrets import open_vault
from registry.settings import Settings
from tests.console.conftest import Console
from tests.console.seed import Seeded


def state(database: Database, purchase_id: UUID) -> Purchase:
    with database.reading() as session:
        return session.get_one(Purchase, purchase_id)


def decide(console: Console, purchase_id: UUID, what: str, **fields: str) -> Response:
    return console.http.post(f"/purchases/{purchase_id}/{what}", data=fields)


def test_an_approval_needs_a_person_and_assigning_makes_the_job(
    console: Console, seeded: Seeded, database: Database, settings: Settings
) -> None:
    proposed = seeded.purchases["proposed"]
    for name in ("  ", "Nobody", "Bea Buyer", "touchstone"):
        refused = decide(console, proposed, "approve", by=name, limit="80.00 EUR")
        assert refused.status_code == 422
        assert 'role="alert"' in refused.text
    assert state(database, proposed).state == "proposed"

    done = decide(
        console, proposed, "approve", by="Grace Hopper", limit="75.50 EUR", back="listing"
    )
    assert done.status_code == 303
    assert done.headers["location"].startswith(f"/listings/{seeded.changed_listing}#")
    purchase = state(database, proposed)
    assert (purchase.state, purchase.approved_by) == ("approved", "Grace Hopper")
    assert (purchase.limit_amount, purchase.limit_currency) == (Decimal("75.50"), "EUR")
    assert decide(console, proposed, "assign", by="Grace Hopper", how="browser").status_code == 422
    with database.writing() as session:
        bea = people.find(session, "Bea Buyer")
        personas.add(session, open_vault(settings), bea, "P-1", personas.EXAMPLE)
    assert decide(console, proposed, "assign", by="Grace Hopper", how="browser").status_code == 303
    assert state(database, proposed).buyer == "Bea Buyer"
    with database.reading() as session:
        job = session.scalars(select(Job).where(Job.kind == "purchase")).one()
    assert job.payload == {"purchase_id": str(proposed)}

    for what in ("approve", "assign"):
        twice = decide(console, proposed, what, by="Grace Hopper", how="browser")
        assert twice.status_code == 422
    with database.reading() as session:
        assert len(session.scalars(select(Job).where(Job.kind == "purchase")).all()) == 1


def test_a_limit_that_is_no_money_changes_nothing(
    console: Console, seeded: Seeded, database: Database
) -> None:
    proposed = seeded.purchases["proposed"]
    refused = decide(console, proposed, "approve", by="Grace Hopper", limit="<b>much</b>")
    assert refused.status_code == 422
    assert "&lt;b&gt;much&lt;/b&gt;" in refused.text
    assert state(database, proposed).state == "proposed"


def test_a_rejection_keeps_who_and_why(
    console: Console, seeded: Seeded, database: Database
) -> None:
    proposed = seeded.purchases["proposed"]
    assert (
        decide(console, proposed, "reject", by="Grace Hopper", note="own shop").status_code == 303
    )
    assert state(database, proposed).state == "rejected"
    page = console.page("/purchases?state=rejected")
    assert "Grace" in page
    assert "own shop" in page


def test_an_unclear_outcome_is_settled_by_what_a_person_found_out(
    console: Console, seeded: Seeded, database: Database
) -> None:
    unclear = seeded.purchases["outcome_unclear"]
    assert decide(console, unclear, "settle", by="Grace Hopper", note="?").status_code == 422
    assert state(database, unclear).state == "outcome_unclear"
    done = decide(
        console,
        unclear,
        "settle",
        by="Grace Hopper",
        ordered="yes",
        order_number=" B-7 ",
        note="mail",
    )
    assert done.status_code == 303
    settled = state(database, unclear)
    assert (settled.state, settled.order_number) == ("ordered", "B-7")


def test_pages_by_state(console: Console, seeded: Seeded) -> None:
    everything = console.page("/purchases")
    for name, purchase_id in seeded.purchases.items():
        page = console.page(f"/purchases?state={name}")
        assert f'id="purchase-{purchase_id}"' in page
        assert page.count('<article class="card purchase"') == 1
        assert f'id="purchase-{purchase_id}"' in everything
    assert everything.count("/approve") == 3  # and another try where one stopped before the click
    assert everything.count("/assign") == 1
    assert everything.count("/settle") == 1


def test_a_purchase_that_is_not_there(console: Console) -> None:
    assert decide(console, uuid4(), "approve", by="Grace").status_code == 404

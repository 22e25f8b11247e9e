"""What is unexpected asks the buyer, who helps in the live browser; it is ordered at most once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from purchases import modes, ordering, proposals
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.models import (
    Assessment,
    Capture,
    Job,
    LedgerEntry,
    Listing,
    Purchase,
    PurchaseEvent,
    Seller,
    Snapshot,
    Takeover,
)
from registry.money import Money
from registry.settings import Settings
from tests.console.conftest import Console, console
from tests.purchases import staff
from tests.purchases.conftest import Shop, flagged
from tests.purchases.hands import Hands, buying, until
from tests.servers import Bazaar, bazaar

__all__ = ["console"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    with bazaar(tmp_path_factory.mktemp("world"), seed=12, listings=30) as running:
        yield running


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"person_minutes": 2.0})


@pytest.fixture
def hands(console: Console, database: Database) -> Hands:
    return Hands(console, database)


class Trial:
    """One purchase of a listing of the shop."""

    def __init__(
        self, database: Database, settings: Settings, shop: Bazaar, trouble: str, mode: str
    ) -> None:
        self.database, self.shop = database, shop
        world = json.loads((shop.folder / "world.json").read_text(encoding="utf-8"))
        row = next(row for row in world["listings"] if row["currency"] == "EUR")
        self.listing = str(row["id"])
        assessment_id = flagged(database, shop.url, mode=mode)
        with database.writing() as session:
            session.execute(
                update(Listing).values(url=f"{shop.url}item/{row['id']}/x?trouble={trouble}")
            )
            session.execute(update(Seller).values(name=world["sellers"][row["seller"]]["name"]))
            amount = Decimal(row["price"])
            session.execute(
                update(Snapshot).values(title=row["title"], amount=amount, currency="EUR")
            )
        staff.enter(database, settings)
        with database.writing() as session:
            made = proposals.propose(session, session.get_one(Assessment, assessment_id))
            assert made is not None
            limit = Money(amount * 2 + 20, "EUR")
            proposals.approve(session, made.id, "Ada Lovelace", limit)
            self.id = staff.assign(session, settings, made.id).id
        self.before = len(shop.orders())

    def orders(self) -> list[tuple[str, str]]:
        """What the shop's table got of it."""
        return self.shop.orders()[self.before :]

    def purchase(self) -> Purchase:
        with self.database.reading() as session:
            return session.scalars(select(Purchase).where(Purchase.id == self.id)).one()

    def events(self) -> list[PurchaseEvent]:
        with self.database.reading() as session:
            return list(
                session.scalars(
                    select(PurchaseEvent)
                    .where(PurchaseEvent.purchase_id == self.id)
                    .order_by(PurchaseEvent.id)
                )
            )

    def reasons(self) -> list[str]:
        """Why the buyer was asked, in order."""
        return [e.details["reason"] for e in self.events() if e.details.get("takeover")]

    def kept_in(self) -> list[str]:
        """What was not let out while the buyer had the browser."""
        return [e.details["did_not_leave"] for e in self.events() if "did_not_leave" in e.details]

    def ordered_once(self) -> None:
        """It is ordered, and the shop says the same."""
        purchase = self.purchase()
        assert purchase.state == "ordered", purchase.note
        assert self.orders() == [(purchase.order_number, self.listing)]


def answer_captcha(hands: Hands) -> None:
    hands.press("Shift+Tab", "Shift+Tab", "Space", "Tab", "Enter")
    hands.sees("/checkout/address")


def load_anew(hands: Hands) -> None:
    hands.reload()


def choose_seller(hands: Hands) -> None:
    # From the review page only to a step that the recipe knows: here, the basket.
    hands.press(*["Tab"] * 10, "Enter")
    hands.sees("/cart")
    hands.press("Shift+Tab", "Shift+Tab", "Enter")
    hands.sees("seller=own")


def go_past(hands: Hands) -> None:
    hands.sees("/checkout/insurance")
    hands.press_last_button()
    hands.sees("/checkout/review")


def look(hands: Hands) -> None:
    hands.sees("/checkout/review")


@pytest.mark.parametrize(
    ("trouble", "reason", "helps"),
    [
        ("captcha", "captcha", answer_captcha),
        ("stock", "out_of_stock", load_anew),
        ("seller", "other_seller", choose_seller),
        ("step", "unknown_step", go_past),
        ("price", "price_changed", look),
    ],
)
def test_the_buyer_helps_and_the_recipe_goes_on(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    shop: Bazaar,
    hands: Hands,
    trouble: str,
    reason: str,
    helps: object,
) -> None:
    trial = Trial(database, settings, shop, trouble, "automatic")
    with buying(database, settings, blobs):
        why = hands.take()
        assert trial.orders() == []
        assert callable(helps)
        helps(hands)
        hands.give_back()
    trial.ordered_once()
    assert trial.reasons() == [reason]
    if trouble == "price":
        assert "the price was" in why
        assert "it is" in why
    (answered,) = [e for e in trial.events() if e.details.get("takeover")]
    assert (answered.actor, answered.details["ended"]) == ("Bea Buyer", "given_back")
    with database.reading() as session:
        told = session.scalars(select(LedgerEntry).where(LedgerEntry.event == "taken_over")).one()
        assert told.actor == "Bea Buyer"
        assert session.scalars(select(Capture)).one().purchase_id == trial.id


def test_a_bank_that_asks_after_the_click_is_the_buyers_and_nothing_is_clicked_again(
    database: Database, settings: Settings, blobs: Blobs, shop: Bazaar, hands: Hands
) -> None:
    trial = Trial(database, settings, shop, "bank", "automatic")
    with buying(database, settings, blobs):
        hands.take()
        assert trial.purchase().clicked_at is not None
        assert trial.orders() == []
        hands.press("Shift+Tab", "Shift+Tab", "1234", "Enter")
        hands.sees("/checkout/done/")
        hands.give_back()
    trial.ordered_once()
    assert trial.reasons() == ["bank"]


def test_a_bank_that_nobody_answers_leaves_the_outcome_unclear(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    shop: Bazaar,
    hands: Hands,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("purchases.buying.outcome.OUTCOME_SECONDS", 5.0)
    trial = Trial(database, settings, shop, "bank", "automatic")
    with buying(database, settings, blobs):
        hands.take()
        hands.give_back(done=False)
    assert trial.purchase().state == "outcome_unclear"
    assert trial.orders() == []


@pytest.mark.parametrize("trouble", ["", "popup"])
def test_the_buyer_makes_the_click(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    shop: Bazaar,
    hands: Hands,
    trouble: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("purchases.buying.outcome.OUTCOME_SECONDS", 5.0)
    trial = Trial(database, settings, shop, trouble, "assisted")
    with buying(database, settings, blobs):
        hands.take()
        hands.sees("/checkout/review")
        assert trial.purchase().clicked_at is None
        hands.press_last_button()
        until(lambda: trial.purchase().clicked_at is not None, "no intent")
        if trouble == "":
            hands.sees("/checkout/done/")
            until(lambda: trial.orders() != [], "no order")
        else:
            hands.press("Enter")  # once more: it does not leave
        hands.give_back()
    assert len(trial.orders()) <= 1
    if trouble == "":
        trial.ordered_once()
    else:
        # The window that the page opened is closed, so no confirmation is seen.
        assert trial.purchase().state == "outcome_unclear"
    (intended,) = [e for e in trial.events() if e.note == "the ordering click comes"]
    assert intended.actor == "Bea Buyer"
    assert intended.details == {"mode": "assisted", "allowed_by": "Ann Admin"}


@pytest.mark.parametrize(
    ("does", "reason"),
    [("gives back", "declined"), ("gives up", "declined"), ("never comes", "order_click")],
)
def test_no_click_is_no_order(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    shop: Bazaar,
    console: Console,
    does: str,
    reason: str,
) -> None:
    hands = Hands(console, database)
    if does == "never comes":
        settings = settings.model_copy(update={"person_minutes": 0.05})
    trial = Trial(database, settings, shop, "", "assisted")
    with buying(database, settings, blobs):
        if does != "never comes":
            hands.take()
            hands.give_back(done=does == "gives back")
    purchase = trial.purchase()
    assert (purchase.state, purchase.clicked_at) == ("stopped", None)
    assert trial.orders() == []
    assert trial.events()[-1].details["reason"] == reason


@pytest.mark.parametrize(("mode", "state"), [("rehearse", "rehearsed"), ("automatic", "ordered")])
def test_a_buyer_who_was_asked_about_the_price_orders_nothing(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    shop: Bazaar,
    hands: Hands,
    mode: str,
    state: str,
) -> None:
    trial = Trial(database, settings, shop, "price", mode)
    with buying(database, settings, blobs):
        assert "does not leave" in hands.take()
        hands.press_last_button()
        hands.press("Enter")
        hands.sees("/checkout/review")
        assert trial.orders() == []
        assert trial.purchase().clicked_at is None
        hands.give_back()
    assert trial.purchase().state == state
    assert len(trial.orders()) == (state == "ordered")
    assert trial.kept_in() == ["/checkout/place"]


def test_nor_from_a_window_that_the_page_opens_and_what_is_still_wrong_stops(
    database: Database, settings: Settings, blobs: Blobs, shop: Bazaar, hands: Hands
) -> None:
    trial = Trial(database, settings, shop, "popup", "automatic")
    with database.writing() as session:
        session.execute(update(Snapshot).values(title="Another thing"))
    with buying(database, settings, blobs):
        hands.take()
        hands.press_last_button()
        hands.press("Enter")
        hands.give_back()
    purchase = trial.purchase()
    assert (purchase.state, purchase.clicked_at) == ("stopped", None)
    assert trial.events()[-1].details["reason"] == "other_item"
    assert trial.orders() == []
    assert trial.kept_in() == ["/checkout/place"]


def test_no_way_of_a_pages_script_lets_an_order_out(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    hands: Hands,
    open_shop: Callable[[str], Shop],
) -> None:
    shop = open_shop("nasty")
    purchase_id = staff.approved_and_assigned(database, settings, flagged(database, shop.url))
    with database.writing() as session:
        session.execute(update(Snapshot).values(title="Another thing"))
    with buying(database, settings, blobs):
        hands.take()
        hands.press_last_button()
        time.sleep(1.5)  # the page's script tries until then
        hands.give_back()
    with database.reading() as session:
        assert session.get_one(Purchase, purchase_id).state == "stopped"
        told = session.scalars(select(LedgerEntry).where(LedgerEntry.event == "taken_over")).one()
    assert shop.orders() == 0
    assert '"did_not_leave":"/checkout/place"' in told.leaf


def test_only_its_buyer_takes_a_purchases_browser(
    database: Database, settings: Settings, blobs: Blobs, shop: Bazaar, hands: Hands
) -> None:
    trial = Trial(database, settings, shop, "", "assisted")
    with buying(database, settings, blobs):
        until(lambda: hands._open() is not None, "no browser was offered")
        row = hands._open()
        assert row is not None
        for name in ("Ada Lovelace", "Eve Examiner", "Ann Admin", "touchstone", "Nobody"):
            refused = hands.http.post(f"/takeovers/{row.id}/take", data={"by": name})
            assert refused.status_code == 409, name
        hands.take("bea  buyer")
        with database.reading() as session:
            assert session.get_one(Takeover, row.id).taken_by == "Bea Buyer"
        hands.give_back(done=False)
    assert trial.purchase().state == "stopped"


def test_a_mode_that_was_taken_back_meanwhile_lets_nothing_out(
    database: Database, settings: Settings, blobs: Blobs, shop: Bazaar, hands: Hands
) -> None:
    trial = Trial(database, settings, shop, "", "assisted")
    with buying(database, settings, blobs):
        hands.take()
        with database.writing() as session:
            modes.set_mode(session, "m", "rehearse", "Ada Lovelace")
        hands.press_last_button()
        hands.sees("/checkout/review")
        hands.give_back()
    purchase = trial.purchase()
    assert (purchase.state, purchase.clicked_at) == ("stopped", None)
    assert trial.events()[-1].details["reason"] == "mode_changed"
    assert trial.orders() == []


def test_a_job_that_is_lost_after_the_buyers_intent_lets_nothing_out(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    shop: Bazaar,
    hands: Hands,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lost(_self: ordering.Buyer) -> None:
        raise jobs.LeaseLost("another worker has it")

    monkeypatch.setattr(ordering.Buyer, "_still_ours", lost)
    monkeypatch.setattr("purchases.buying.outcome.OUTCOME_SECONDS", 1.0)
    trial = Trial(database, settings, shop, "", "assisted")
    with buying(database, settings, blobs):
        hands.take()
        hands.press_last_button()
        until(lambda: trial.purchase().clicked_at is not None, "no intent")
        hands.press("Enter")
        hands.sees("/checkout/review")
        hands.give_back()
    assert trial.purchase().state == "outcome_unclear"
    assert trial.orders() == []


@pytest.mark.parametrize("late", [False, True], ids=["before the click", "after the click"])
def test_a_worker_that_is_killed_while_the_buyer_has_the_browser(
    database: Database, settings: Settings, blobs: Blobs, shop: Bazaar, hands: Hands, late: bool
) -> None:
    trial = Trial(database, settings, shop, "", "assisted")
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.purchases.buyer"],
        env={
            **os.environ,
            "TOUCHSTONE_DATA_DIR": str(settings.data_dir),
            "TOUCHSTONE_DATABASE_URL": settings.database,
            "TOUCHSTONE_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            "TOUCHSTONE_PERSON_MINUTES": "2",
        },
        start_new_session=True,
    )
    hands.take()
    hands.sees("/checkout/review")
    if late:
        hands.press_last_button()
        until(lambda: trial.purchase().clicked_at is not None, "no intent")
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    with database.writing() as session:
        session.execute(update(Job).values(lease_until=Job.created_at))
    with database.writing() as session:
        assert jobs.sweep(session, 30).lost == 1
    orders = len(trial.orders())
    assert orders <= late
    with buying(database, settings, blobs):
        pass  # nobody is asked again: it stood before the ordering button
    assert trial.purchase().state == ("outcome_unclear" if late else "stopped")
    assert len(trial.orders()) == orders
    assert trial.reasons() == []

"""The account's order list before another attempt, and what came of an unclear one."""

from __future__ import annotations

import mailbox
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from inspect import signature
from pathlib import Path
from threading import Thread
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from crawler.browsing.sessions import Login, unlock_login
from crawler.marketplaces import KINDS
from evidence.signing.signer import open_signer
from purchases import mail, ordering, orders, people, personas, proposals
from purchases.reconciling import asking, job, lists, mailboxes
from purchases.states import move
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import (
    Assessment,
    Capture,
    Exhibit,
    Job,
    LedgerEntry,
    Marketplace,
    Purchase,
    PurchaseLetter,
    PurchaseLook,
    StoredSession,
)
from registry.models.base import utcnow
from registry.secrets import open_vault
from registry.settings import Settings
from tests.purchases import account, staff
from tests.servers import Bazaar, bazaar


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Maildir of all buyers."""
    return tmp_path_factory.mktemp("post") / "box"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, post: Path) -> Iterator[Bazaar]:
    with bazaar(tmp_path_factory.mktemp("world"), seed=5, listings=16, mail=post) as running:
        yield running


def attempt(database: Database, settings: Settings, blobs: Blobs) -> str:
    """Work off the purchase's job; the purchase's state then."""
    work(database, settings, blobs, "purchase")
    with database.reading() as session:
        return session.scalars(select(Purchase.state)).one()


def work(database: Database, settings: Settings, blobs: Blobs, kind: str) -> None:
    with database.writing() as session:
        wanted = select(Job.id).where(Job.state == "queued", Job.kind == kind)
        claim = jobs.claim(session, session.scalars(wanted).one(), "worker", 60)
    assert claim is not None
    do = ordering.purchase_job if kind == "purchase" else job.reconcile_job
    do(jobs.Hold(database, claim, 60), settings, blobs)


def again(database: Database, settings: Settings, purchase_id: UUID) -> None:
    """A person approves another attempt, and somebody is to make it."""
    with database.writing() as session:
        session.execute(update(Marketplace).values(mode="automatic", mode_by="Ann Admin"))
        proposals.approve(session, purchase_id, "Ada Lovelace")
        staff.assign(session, settings, purchase_id)


@pytest.fixture
def client(shop: Bazaar) -> Iterator[httpx.Client]:
    """Somebody at a browser of their own, signed in to the persona's account."""
    client = account.sign_in(shop)
    yield client
    client.close()


@pytest.fixture
def thing(database: Database, shop: Bazaar, request: pytest.FixtureRequest) -> account.Thing:
    # Each test has one of its own: the e-mails of all are in one box.
    name = request.node.originalname
    return account.offered(database, shop, sorted(TESTS).index(name))


@pytest.fixture
def tried(
    database: Database,
    settings: Settings,
    shop: Bazaar,
    client: httpx.Client,
    thing: account.Thing,
) -> UUID:
    """A purchase with the persona's account, whose first worker was lost before the click."""
    account.store_login(database, settings, shop, client)
    purchase_id = staff.approved_and_assigned(database, settings, thing.assessment_id)
    lose_a_worker(database, purchase_id, reviewed=True)
    return purchase_id


def test_an_order_that_is_there_is_not_made_again(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    shop: Bazaar,
    client: httpx.Client,
    thing: account.Thing,
    tried: UUID,
) -> None:
    number = account.order_by_hand(client, thing)
    before = shop.orders()
    assert attempt(database, settings, blobs) == "outcome_unclear"
    assert shop.orders() == before
    with database.reading() as session:
        purchase = session.get_one(Purchase, tried)
        assert number in (purchase.note or "")
        assert purchase.clicked_at is None
        (look,) = session.scalars(select(PurchaseLook))
        assert (look.why, look.proposal, look.order_number) == ("attempt", "ordered", number)
        assert look.orders[0]["fits"] == ["title"]
        capture = session.get_one(Capture, look.capture_id)
        assert (capture.purchase_id, capture.status) == (tried, "complete")
        assert capture.url.endswith("/account/orders")
    # Nothing settles by itself; a person does, with what was proposed.
    with database.writing() as session:
        proposals.settle(session, tried, "Ada Lovelace", True, number, "order list")


def test_after_a_rehearsal_a_list_without_it_lets_the_attempt_go_on(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    shop: Bazaar,
    client: httpx.Client,
    thing: account.Thing,
) -> None:
    account.store_login(database, settings, shop, client)
    purchase_id = staff.approved_and_assigned(database, settings, thing.assessment_id)
    with database.writing() as session:
        session.execute(update(Marketplace).values(mode="rehearse"))
    assert attempt(database, settings, blobs) == "rehearsed"
    before = len(shop.orders())
    again(database, settings, purchase_id)
    assert attempt(database, settings, blobs) == "ordered"
    assert len(shop.orders()) == before + 1
    with database.reading() as session:
        (look,) = session.scalars(select(PurchaseLook))
        assert (look.proposal, look.orders) == ("nothing", [])
        # It was ordered with the account.
        assert account.listed(client) == [session.get_one(Purchase, purchase_id).order_number]


def test_an_order_of_something_else_is_looked_at_by_a_person(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    shop: Bazaar,
    client: httpx.Client,
    tried: UUID,
) -> None:
    account.order_by_hand(client, account.things(shop)[-1])
    before = shop.orders()
    assert attempt(database, settings, blobs) == "stopped"
    assert shop.orders() == before
    with database.reading() as session:
        assert session.scalars(select(PurchaseLook.proposal)).all() == ["unclear"]


def test_a_list_that_cannot_be_read_stops_the_attempt(
    database: Database, settings: Settings, blobs: Blobs, shop: Bazaar, tried: UUID
) -> None:
    account.store_login(database, settings, shop)
    before = shop.orders()
    assert attempt(database, settings, blobs) == "stopped"
    assert shop.orders() == before
    with database.writing() as session:
        (look,) = session.scalars(select(PurchaseLook))
        assert look.proposal == "unreadable"
        assert session.get_one(Capture, look.capture_id).status == "login"
        # Now it is known that the login has run out, and nobody even looks.
        assert session.scalars(select(StoredSession.state)).one() == "needs_login"
    again(database, settings, tried)
    assert attempt(database, settings, blobs) == "stopped"
    with database.reading() as session:
        assert "log in again" in (session.get_one(Purchase, tried).note or "")


def test_a_guest_who_stood_before_the_button_needs_a_newer_approval(
    database: Database, settings: Settings, blobs: Blobs, shop: Bazaar, thing: account.Thing
) -> None:
    purchase_id = staff.approved_and_assigned(database, settings, thing.assessment_id)
    lose_a_worker(database, purchase_id, reviewed=True)
    before = len(shop.orders())
    assert attempt(database, settings, blobs) == "stopped"
    assert len(shop.orders()) == before
    again(database, settings, purchase_id)
    # Now somebody has looked; and one that never got so far goes on by itself.
    lose_a_worker(database, purchase_id, reviewed=False)
    assert attempt(database, settings, blobs) == "ordered"
    assert len(shop.orders()) == before + 1


def test_who_must_log_in_again_does_not_buy_as_a_guest(
    database: Database, settings: Settings, blobs: Blobs, shop: Bazaar
) -> None:
    thing = account.offered(database, shop)  # any: nothing is ordered
    account.store_login(database, settings, shop)
    with database.writing() as session:
        unlock_login(session, session.scalars(select(StoredSession.id)).one(), "it ran out")
    purchase_id = staff.approved_and_assigned(database, settings, thing.assessment_id)
    before = shop.orders()
    assert attempt(database, settings, blobs) == "stopped"
    assert shop.orders() == before
    with database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        assert "log in again" in (purchase.note or "")
        assert purchase.events[-1].details["reason"] == "login"
        # Also if it ran out since that was looked at.
        with pytest.raises(TouchstoneError, match="log in again"):
            orders.login_of(session, open_vault(settings), purchase)


def test_an_attempt_that_was_rejected_since_is_not_forgotten(
    database: Database, settings: Settings, blobs: Blobs, shop: Bazaar, thing: account.Thing
) -> None:
    first = staff.approved_and_assigned(database, settings, thing.assessment_id)
    lose_a_worker(database, first, reviewed=True)
    assert attempt(database, settings, blobs) == "stopped"
    with database.writing() as session:
        proposals.reject(session, first, "Ada Lovelace", "too dear")
        old = session.get_one(Assessment, thing.assessment_id)
        new = Assessment(
            snapshot_id=old.snapshot_id, plan_id=old.plan_id, brand_id=old.brand_id, score=0.9,
            threshold=0.6, flagged=True, result={"signals": []}, inputs={},
        )  # fmt: skip
        session.add(new)
        session.flush()
        made = proposals.propose(session, new)
        assert made is not None
        second = made.id
        proposals.approve(session, second, "Ada Lovelace")
        staff.assign(session, settings, second)
    before = len(shop.orders())
    work(database, settings, blobs, "purchase")
    with database.reading() as session:
        purchase = session.get_one(Purchase, second)
        assert purchase.state == "stopped"
        assert "look into the mailbox" in (purchase.note or "")
    # Whoever approves it now has been told.
    again(database, settings, second)
    work(database, settings, blobs, "purchase")
    with database.reading() as session:
        assert session.get_one(Purchase, second).state == "ordered"
    assert len(shop.orders()) == before + 1


def lose_a_worker(database: Database, purchase_id: UUID, *, reviewed: bool) -> None:
    """As if one had begun, and was killed before or after the last page before the click."""
    with database.writing() as session:
        wanted = select(Job.id).where(Job.state == "queued")
        claim = jobs.claim(session, session.scalars(wanted).one(), "lost", -1)
        assert claim is not None
        move(session, session.get_one(Purchase, purchase_id), "ordering", by=people.MACHINE)
        if reviewed:
            orders.note_review(session, purchase_id)
        jobs.sweep(session, 30)


def test_what_came_of_it_is_looked_for_and_a_person_settles(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    shop: Bazaar,
    post: Path,
    client: httpx.Client,
    thing: account.Thing,
) -> None:
    for file in (post / "new").iterdir():
        file.unlink()
    account.store_login(database, settings, shop, client)
    purchase_id = staff.approved_and_assigned(database, settings, thing.assessment_id)
    with database.writing() as session:
        persona = personas.find(session, "P-1")
        bea = people.find(session, "Bea Buyer")
        mailboxes.set_mailbox(
            session, open_vault(settings), persona, f"maildir://{post}", None, bea
        )
    # The click came, and the worker never told what came of it.
    lose_a_worker(database, purchase_id, reviewed=True)
    with database.writing() as session:
        session.get_one(Purchase, purchase_id).clicked_at = utcnow()
    assert attempt(database, settings, blobs) == "outcome_unclear"
    with database.writing() as session:
        assert asking.ask_daily(session, utcnow()) == 1
        assert asking.ask_daily(session, utcnow()) == 0
    work(database, settings, blobs, "reconcile")
    assert looks(database)[-1] == ("nothing", None)

    number = account.order_by_hand(client, thing)
    before = shop.orders()
    for _ in range(2):  # looking again keeps nothing twice
        with database.writing() as session:
            asking.ask(session, purchase_id, "Bea Buyer")
        work(database, settings, blobs, "reconcile")
    assert looks(database)[1:] == [("ordered", number)] * 2
    assert shop.orders() == before
    with database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        assert purchase.state == "outcome_unclear"
        (letter,) = session.scalars(select(PurchaseLetter))
        assert (letter.kind, letter.found["order_number"]) == ("confirmation", number)
        assert letter.found["known_sender"]
        assert "dkim=pass" in letter.found["authentication"][0]
        exhibit = session.get_one(Exhibit, letter.exhibit_id)
        assert exhibit.sha256 == letter.sha256
        told = [entry.leaf for entry in session.scalars(select(LedgerEntry))]
        assert any(letter.sha256 in leaf for leaf in told)
        shown = mail.shown(session, blobs, letter)
        assert shown is not None
        assert thing.title in shown.text
        # What says who the buyer is stands in the sealed exhibit alone.
        assert personas.EXAMPLE.line1 not in str(letter.found) + "".join(told)
    with database.writing() as session:
        proposals.settle(session, purchase_id, "Bea Buyer", True, number, "the shop's list")

    ship = [sys.executable, "-m", "bazaar", "ship", str(shop.folder), number, "--mail", str(post)]
    subprocess.run([*ship, "--carrier", "DHL", "--tracking", "JD0146"], check=True)
    with database.writing() as session:
        asking.ask(session, purchase_id, "Bea Buyer")
    work(database, settings, blobs, "reconcile")
    with database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        letters = session.scalars(select(PurchaseLetter).order_by(PurchaseLetter.id)).all()
        assert [one.kind for one in letters] == ["confirmation", "shipping"]
        assert mail.tracking_of(letters, purchase) == {"carrier": "DHL", "tracking": "JD0146"}
        assert purchase.state == "ordered"


def test_a_guest_s_order_is_looked_up_at_the_shop(
    database: Database,
    settings: Settings,
    blobs: Blobs,
    shop: Bazaar,
    client: httpx.Client,
    thing: account.Thing,
    tmp_path: Path,
) -> None:
    purchase_id = staff.approved_and_assigned(database, settings, thing.assessment_id)
    lose_a_worker(database, purchase_id, reviewed=True)
    assert attempt(database, settings, blobs) == "stopped"
    again(database, settings, purchase_id)
    lose_a_worker(database, purchase_id, reviewed=True)
    with database.writing() as session:
        session.get_one(Purchase, purchase_id).clicked_at = utcnow()
        box = mailbox.Maildir(tmp_path / "box", create=True)
        persona, bea = personas.find(session, "P-1"), people.find(session, "Bea Buyer")
        url = f"maildir://{tmp_path}/box"
        mailboxes.set_mailbox(session, open_vault(settings), persona, url, None, bea)
    assert attempt(database, settings, blobs) == "outcome_unclear"
    # Anybody can write such an e-mail; the shop knows nothing of it.
    for number in ("B-00000000", account.order_by_hand(client, thing)):
        box.clear()
        box.add(
            f"From: Bazaar <orders@bazaar.example>\nSubject: Your order {number}\n\n"
            f"Order number: {number}\nItem: {thing.title}\n".encode()
        )
        with database.writing() as session:
            asking.ask(session, purchase_id, "Bea Buyer")
        work(database, settings, blobs, "reconcile")
    assert looks(database) == [("unclear", None), ("ordered", number)]
    with database.reading() as session:
        last = session.scalars(select(PurchaseLook).order_by(PurchaseLook.id.desc())).first()
        assert last is not None
        assert [order["number"] for order in last.orders] == [number]
        assert session.get_one(Capture, last.capture_id).url.endswith("/orders/find")


def test_a_shop_in_a_bad_moment_is_asked_again(
    settings: Settings, shop: Bazaar, client: httpx.Client, tmp_path: Path
) -> None:
    number = account.order_by_hand(client, account.things(shop)[0])
    cookies = [account.cookie(shop, client.cookies["bazaar_account"])]
    login = Login(uuid7(), uuid7(), "P-1", "ok", {"cookies": cookies, "origins": []}, utcnow())
    recipe = KINDS["bazaar"].checkout
    assert recipe is not None
    with again_with_faults(shop, "status_503=1") as url:
        read = lists.read_orders(
            url, recipe, login, utcnow(), settings=settings, folder=tmp_path / "work",
            signer=open_signer(settings), circumstances={},
        )  # fmt: skip
    assert (read.problem, [order.number for order in read.orders]) == (None, [number])


def test_what_was_typed_into_a_form_is_in_no_problem(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = b'<form action="/orders/find"><input name="email" disabled><input name="number"></form>'

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *args: object) -> None: ...

    monkeypatch.setattr(lists, "PAGE_SECONDS", 0.5)
    recipe = KINDS["bazaar"].checkout
    assert recipe is not None
    assert recipe.look_up is not None
    recipe = replace(recipe, look_up=replace(recipe.look_up, email="input[name=email]"))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        read = lists.look_up(
            f"http://127.0.0.1:{server.server_port}/", recipe, "zyxwina@qrstuv.example", "B-1",
            settings=settings, folder=tmp_path / "work", signer=open_signer(settings),
            circumstances={},
        )  # fmt: skip
        server.shutdown()
    assert read.problem is not None
    assert "Timeout" in read.problem
    assert "qrstuv" not in read.problem
    assert "log" not in read.problem


@contextmanager
def again_with_faults(shop: Bazaar, faults: str) -> Iterator[str]:
    """The same shop, the same accounts, on worse days; its address."""
    serve = [sys.executable, "-m", "bazaar", "serve", str(shop.folder), "--port", "0"]
    server = subprocess.Popen([*serve, "--faults", faults], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().removeprefix("bazaar: ").strip()
    finally:
        server.terminate()
        server.wait(timeout=10)


def looks(database: Database) -> list[tuple[str, str | None]]:
    with database.reading() as session:
        rows = session.scalars(select(PurchaseLook).order_by(PurchaseLook.id))
        return [(row.proposal, row.order_number) for row in rows]


TESTS = [
    name
    for name, value in list(globals().items())
    if name.startswith("test_") and {"thing", "tried"} & set(signature(value).parameters)
]

"""The job that buys: a rehearsal up to the ordering click, or the click, at most once.

Before the click its intent is committed (`clicked_at`), under the fence of the job. Whoever
finds the intent without an outcome writes *outcome unclear* and clicks nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Request, Response, Route
from sqlalchemy import update
from sqlalchemy.orm import Session

from crawler.browsing.browser import CONTEXT_OPTIONS, find_chromium, open_browser, tame
from crawler.marketplaces import KINDS
from crawler.marketplaces.checkout import Checkout
from crawler.network.gate import gate_of
from crawler.network.gateway import Gateway
from evidence.capturing.capture import Capture
from evidence.capturing.recorder import Recorder, Sealed
from evidence.capturing.workspace import workspace
from evidence.custody.keeping import enter, keep
from evidence.signing.signer import Signer, open_signer
from purchases.checkout import Stopped, Walk
from purchases.people import MACHINE
from purchases.personas import Persona, of_purchase
from purchases.states import Given, move
from registry import jobs, models
from registry.blobs import Blobs
from registry.models.base import utcnow
from registry.money import Money
from registry.secrets import open_vault
from registry.settings import Settings

OUTCOME_SECONDS = 45.0
#: How long a request that posts waits for the answer to another before it goes all the same.
TURN_SECONDS = 5.0
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be bought, as it was approved.

    Parameters
    ----------
    click
        Whether ordering is switched on for the marketplace.
    """

    url: str
    title: str
    seller: str | None
    limit: Money
    recipe: Checkout
    click: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: the state to go to, and what is known then."""

    state: str
    note: str | None = None
    number: str | None = None
    total: Money | None = None
    sealed: Sealed | None = None


def purchase_job(hold: jobs.Hold, settings: Settings, blobs: Blobs) -> None:
    """Run the checkout of an assigned purchase.

    A worker that dies before the click is followed by another from the start; one that dies
    after it leaves an unclear outcome. When the last try fails, the purchase is stopped, so that
    a person can approve it again or reject it.
    """
    purchase_id = UUID(hold.claim.payload["purchase_id"])
    try:
        _buy(hold, settings, blobs, purchase_id)
    except jobs.LeaseLost:
        raise
    except Exception as error:
        if hold.claim.last_try:
            with hold.writing() as session:
                given_up(session, hold.claim.job_id, f"{type(error).__name__}: {error}")
        raise


def given_up(session: Session, job_id: UUID, error: str) -> None:
    """Stop the purchase of a job that is not tried again, so that a person can take it up.

    After the click it is not known what came of it, whatever the error was.
    """
    job = session.get_one(models.Job, job_id)
    purchase = session.get_one(models.Purchase, UUID(job.payload["purchase_id"]))
    if _superseded(job, purchase) or purchase.state not in ("assigned", "ordering"):
        return
    to = "stopped" if purchase.clicked_at is None else "outcome_unclear"
    note = " ".join(f"given up: {error}".split())[:500]
    move(session, purchase, to, by=MACHINE, given=Given(note=note))


def _superseded(job: models.Job, purchase: models.Purchase) -> bool:
    """Whether it was approved or assigned again since: then this job does nothing more."""
    return purchase.assigned_at is None or job.created_at < purchase.assigned_at


def _buy(hold: jobs.Hold, settings: Settings, blobs: Blobs, purchase_id: UUID) -> None:
    with hold.writing() as session:
        purchase = session.get_one(models.Purchase, purchase_id)
        superseded = _superseded(session.get_one(models.Job, hold.claim.job_id), purchase)
        if purchase.state == "assigned" and not superseded:
            move(session, purchase, "ordering", by=MACHINE)
        state, clicked = purchase.state, purchase.clicked_at is not None
        listing = purchase.listing
        order = _order(purchase) if state == "ordering" and not clicked else None
    if superseded or state != "ordering":
        with hold.finishing({"state": state}):
            return  # it was rejected, is over already or has another job
    if clicked:
        note = "the worker was lost after the ordering click; look into the shop's orders"
        _end(hold, settings, purchase_id, Outcome("outcome_unclear", note))
        return
    if isinstance(order, Outcome):
        _end(hold, settings, purchase_id, order)
        return
    assert order is not None
    with hold.database.reading() as session:
        purchase = session.get_one(models.Purchase, purchase_id)
        persona = of_purchase(session, open_vault(settings), purchase)
    signer = open_signer(settings)  # before the shop is visited: without one, nothing is sealed
    with workspace(settings.data_dir) as folder:
        outcome = asyncio.run(
            Buyer(hold, settings, purchase_id, order, persona, folder, signer).buy()
        )
        capture = None
        if outcome.sealed is not None:
            seen = Capture("complete", 200, order.url, outcome.sealed)
            capture = keep(seen, listing, settings, blobs)
        _end(hold, settings, purchase_id, outcome, capture)


def _order(purchase: models.Purchase) -> Order | Outcome:
    snapshot = purchase.snapshot
    marketplace = purchase.listing.marketplace
    recipe = KINDS[marketplace.kind].checkout
    if recipe is None:
        return Outcome("stopped", f"there is no checkout recipe for {marketplace.kind}")
    return Order(
        url=purchase.listing.url,
        title=snapshot.title,
        seller=snapshot.seller.name if snapshot.seller else None,
        limit=purchase.limit,
        recipe=recipe,
        click=marketplace.ordering,
    )


def _end(
    hold: jobs.Hold,
    settings: Settings,
    purchase_id: UUID,
    outcome: Outcome,
    capture: models.Capture | None = None,
) -> None:
    with hold.finishing({"state": outcome.state}) as session:
        purchase = session.get_one(models.Purchase, purchase_id)
        given = Given(note=outcome.note, order_number=outcome.number, total=outcome.total)
        move(session, purchase, outcome.state, by=MACHINE, given=given)
        if capture is not None:
            capture.purchase_id = purchase_id
            enter(session, capture, settings, actor=settings.operator)


class Buyer:
    """One try in one fresh browser."""

    def __init__(
        self,
        hold: jobs.Hold,
        settings: Settings,
        purchase_id: UUID,
        order: Order,
        persona: Persona,
        folder: Path,
        signer: Signer,
    ) -> None:
        self.hold = hold
        self.settings = settings
        self.purchase_id = purchase_id
        self.order = order
        self.persona = persona
        self.folder = folder
        self.signer = signer
        self.clicked = False

    async def buy(self) -> Outcome:
        """Go as far as is allowed; after the click, no error is raised any more."""
        gate = gate_of(self.settings)
        await gate.acheck(self.order.url)
        try:
            async with open_browser(find_chromium(self.settings.browser), gate) as opened:
                context = await opened.browser.new_context(**CONTEXT_OPTIONS)
                page = await context.new_page()
                await tame(page)
                recorder = Recorder(page, opened.gateway, self.folder, self._why(), self.signer)
                await recorder.start()
                walk = Walk(page, recorder, self.order.recipe, self.persona.fields())
                outcome = await self._walk(walk)
                return await self._seal(recorder, outcome)
        except Exception as error:
            if not self.clicked:
                raise  # nothing was ordered: the job may be tried again
            note = f"after the ordering click: {type(error).__name__}: {error}"[:500]
            return Outcome("outcome_unclear", note)

    def _why(self) -> dict[str, str]:
        return {
            "operator": self.settings.operator,
            "why": f"test purchase {self.purchase_id}",
            "url": self.order.url,
        }

    async def _walk(self, walk: Walk) -> Outcome:
        try:
            await walk.to_review(self.order.url)
            total = await walk.check(self.order.title, self.order.seller, self.order.limit)
        except Stopped as stopped:
            with contextlib.suppress(PlaywrightError, TimeoutError):
                await walk.recorder.step("stopped")
            return Outcome("stopped", str(stopped))
        if not self.order.click:
            note = "rehearsed: ordering is switched off for this marketplace"
            return Outcome("rehearsed", note, total=total)
        await asyncio.to_thread(self._intend)
        self.clicked = True
        return await self._click(walk, total)

    def _intend(self) -> None:
        """Commit that the click comes now; only one may ever do so for a purchase."""
        with self.hold.writing() as session:
            intended = session.scalars(
                update(models.Purchase)
                .where(
                    models.Purchase.id == self.purchase_id,
                    models.Purchase.state == "ordering",
                    models.Purchase.clicked_at.is_(None),
                )
                .values(clicked_at=utcnow())
                .returning(models.Purchase.id)
                .execution_options(synchronize_session=False)
            ).all()
            if not intended:
                raise jobs.LeaseLost(f"purchase {self.purchase_id} was clicked already")

    async def _click(self, walk: Walk, total: Money) -> Outcome:
        page, recipe = walk.page, self.order.recipe
        await _once(page, walk.recorder.gateway)
        button = page.locator(recipe.order_button)
        with contextlib.suppress(PlaywrightError):
            # No waiting for navigation in the click itself, and never a second click.
            await button.click(no_wait_after=True, timeout=5_000)
        thanks = re.compile(recipe.thanks)
        with contextlib.suppress(PlaywrightError):
            await page.wait_for_url(
                lambda url: bool(thanks.search(urlsplit(url).path)),
                timeout=OUTCOME_SECONDS * 1000,
                wait_until="load",
            )
        number = None
        # Whatever the page does now, it is neither an error nor waited for without an end.
        with contextlib.suppress(PlaywrightError, TimeoutError):
            async with asyncio.timeout(OUTCOME_SECONDS):
                number = await walk.order_number()
        with contextlib.suppress(PlaywrightError, TimeoutError):
            await walk.recorder.step("outcome")
        if number is None:
            note = f"no confirmation was seen; the page was {page.url[:200]}"
            return Outcome("outcome_unclear", note, total=total)
        return Outcome("ordered", number=number, total=total)

    async def _seal(self, recorder: Recorder, outcome: Outcome) -> Outcome:
        sealed = await recorder.seal(
            state=outcome.state, order_number=outcome.number, note=outcome.note
        )
        return Outcome(outcome.state, outcome.note, outcome.number, outcome.total, sealed)


async def _once(page: Page, gateway: Gateway) -> None:
    """Let nothing that orders be sent twice from here on, whatever page and browser do.

    The page's script may post again, so each address is posted to once. The browser may send
    again what got no answer, so what posts goes one after the other, each with one new
    connection until its answer is here; no other post cuts off the order before it. Beacons
    order nothing, and would cut off the confirmation, being sent when the page is left: they
    are not sent.
    """
    sent: set[str] = set()
    redirected: set[Request] = set()
    turn = asyncio.Lock()
    whose: Request | None = None

    async def judge(route: Route) -> None:
        nonlocal whose
        request = route.request
        if request.method in _SAFE_METHODS:
            await route.continue_()
        elif request.url not in sent and request.resource_type != "ping":
            sent.add(request.url)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(turn.acquire(), TURN_SECONDS)
                whose = request
                await gateway.hold_to_one()
            await route.continue_()
        else:
            await route.abort("blockedbyclient")

    def concerns(request: Request) -> bool:
        """Whether it is what is held for, or what that led to; an order may be a GET as well."""
        if whose is None:
            return request.is_navigation_request() and request.frame == page.main_frame
        first = request
        while first.redirected_from is not None:
            first = first.redirected_from
        return first == whose

    def answered(response: Response) -> None:
        if concerns(response.request):
            gateway.release()
            if 300 <= response.status < 400:
                redirected.add(response.request)

    def ended(request: Request) -> None:
        nonlocal whose
        if concerns(request):
            gateway.release()
            # Where a post leads to is part of its turn: the next one would cut that off.
            if whose is not None and request not in redirected:
                whose = None
                turn.release()

    await page.route("**/*", judge)
    page.on("response", answered)
    page.on("requestfinished", ended)
    page.on("requestfailed", ended)
    await gateway.hold_to_one()

"""The job that buys: a rehearsal up to the ordering click, or the click, at most once.

Before the click its intent is committed (`clicked_at`), under the fence of the job, whether the
recipe or a person makes it. Whoever finds the intent without an outcome writes *outcome unclear*
and clicks nothing. What is done in the browser stands in `purchases.buying`.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from uuid import UUID

from playwright.async_api import Error as PlaywrightError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from crawler.browsing.browser import (
    CONTEXT_OPTIONS,
    MAX_SECONDS,
    find_chromium,
    open_browser,
    tame,
)
from crawler.browsing.sessions import Login
from crawler.network.gate import gate_of
from evidence.capturing.capture import Capture
from evidence.capturing.recorder import Recorder
from evidence.capturing.workspace import workspace
from evidence.custody.keeping import enter, keep
from evidence.signing.signer import Signer, open_signer
from purchases import orders
from purchases.buying.asking import MAX_ASKED, Asker, note
from purchases.buying.checking import PriceChanged
from purchases.buying.guard import Guard
from purchases.buying.outcome import Outcome, look_for_outcome, until_confirmed
from purchases.buying.reasons import Stopped
from purchases.buying.seat import check_taker
from purchases.buying.walking import Walk
from purchases.buying.wanted import Wanted, wanted_of
from purchases.people import MACHINE
from purchases.personas import Persona, of_purchase
from purchases.states import Given, move
from registry import jobs, models
from registry.blobs import Blobs
from registry.models.base import utcnow
from registry.money import Money
from registry.secrets import open_vault
from registry.settings import Settings


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
    purchase = _locked(session, UUID(job.payload["purchase_id"]))
    if _superseded(job, purchase) or purchase.state not in ("assigned", "ordering"):
        return
    if _in_other_hands(session, purchase.id, job_id):
        return
    to = "stopped" if purchase.clicked_at is None else "outcome_unclear"
    said = " ".join(f"given up: {error}".split())[:500]
    move(session, purchase, to, by=MACHINE, given=Given(note=said))


def _locked(session: Session, purchase_id: UUID) -> models.Purchase:
    return session.get_one(
        models.Purchase, purchase_id, with_for_update=True, populate_existing=True
    )


def _superseded(job: models.Job, purchase: models.Purchase) -> bool:
    """Whether it was approved or assigned again since: then this job does nothing more."""
    return purchase.assigned_at is None or job.created_at < purchase.assigned_at


def _in_other_hands(session: Session, purchase_id: UUID, job_id: UUID) -> bool:
    """Whether another job has the purchase just now: one at a time, or both would end it."""
    others = session.scalars(
        select(models.Job).where(
            models.Job.kind == "purchase",
            models.Job.state == "running",
            models.Job.id != job_id,
            models.Job.lease_until > utcnow(),
        )
    )
    return any(job.payload.get("purchase_id") == str(purchase_id) for job in others)


def _buy(hold: jobs.Hold, settings: Settings, blobs: Blobs, purchase_id: UUID) -> None:
    with hold.writing() as session:
        purchase = _locked(session, purchase_id)
        idle = _superseded(session.get_one(models.Job, hold.claim.job_id), purchase)
        idle = idle or _in_other_hands(session, purchase_id, hold.claim.job_id)
        if purchase.state == "assigned" and not idle:
            move(session, purchase, "ordering", by=MACHINE)
        state, clicked = purchase.state, purchase.clicked_at is not None
        listing = purchase.listing
        if idle or state != "ordering":
            # It was rejected, is over already or has another job. Ended before the purchase is
            # unlocked, or the other one would see this one at work and leave it alone as well.
            jobs.finish(session, hold.claim, {"state": state})
            return
        order = None if clicked else wanted_of(purchase)
    if clicked:
        said = "the worker was lost after the ordering click; look into the shop's orders"
        _end(hold, settings, purchase_id, Outcome("outcome_unclear", said))
        return
    if order is None:
        said = f"there is no checkout recipe for {listing.marketplace.kind}"
        _end(hold, settings, purchase_id, Outcome("stopped", said, reason="no_recipe"))
        return
    halted = orders.before_attempt(hold, settings, blobs, purchase_id)
    if halted is not None:
        state, said, reason = halted
        _end(hold, settings, purchase_id, Outcome(state, said, reason=reason))
        return
    with hold.database.reading() as session:
        vault = open_vault(settings)
        purchase = session.get_one(models.Purchase, purchase_id)
        persona = of_purchase(session, vault, purchase)
        login = orders.login_of(session, vault, purchase)
    signer = open_signer(settings)  # before the shop is visited: without one, nothing is sealed
    with workspace(settings.data_dir) as folder:
        outcome = asyncio.run(
            Buyer(hold, settings, purchase_id, order, persona, folder, signer, login).buy()
        )
        capture = None
        if outcome.sealed is not None:
            seen = Capture("complete", 200, order.url, outcome.sealed)
            capture = keep(seen, listing, settings, blobs)
        _end(hold, settings, purchase_id, outcome, capture)


def _end(
    hold: jobs.Hold,
    settings: Settings,
    purchase_id: UUID,
    outcome: Outcome,
    capture: models.Capture | None = None,
) -> None:
    with hold.finishing({"state": outcome.state}) as session:
        purchase = _locked(session, purchase_id)
        if purchase.clicked_at is not None and outcome.state in ("stopped", "rehearsed"):
            raise jobs.LeaseLost(f"purchase {purchase_id} was clicked by another")
        details = {"reason": outcome.reason} if outcome.reason else {}
        given = Given(
            note=outcome.note, order_number=outcome.number, total=outcome.total, details=details
        )
        move(session, purchase, outcome.state, by=MACHINE, given=given)
        if capture is not None:
            capture.purchase_id = purchase_id
            enter(session, capture, settings, actor=settings.operator)


class Buyer:
    """One try in one fresh browser, signed in where the persona has an account."""

    def __init__(
        self,
        hold: jobs.Hold,
        settings: Settings,
        purchase_id: UUID,
        order: Wanted,
        persona: Persona,
        folder: Path,
        signer: Signer,
        login: Login | None = None,
    ) -> None:
        self.hold = hold
        self.settings = settings
        self.purchase_id = purchase_id
        self.order = order
        self.persona = persona
        self.folder = folder
        self.signer = signer
        self.storage = login.storage if login is not None else None
        self.intended = False
        self._reviewed = False

    async def buy(self) -> Outcome:
        """Go as far as is allowed; after the click, no error is raised any more."""
        gate = gate_of(self.settings)
        await gate.acheck(self.order.url)
        seconds = MAX_SECONDS + MAX_ASKED * self.settings.person_minutes * 60
        try:
            async with open_browser(
                find_chromium(self.settings.browser), gate, seconds=seconds
            ) as opened:
                options = {**CONTEXT_OPTIONS, "storage_state": self.storage}
                context = await opened.browser.new_context(**options)
                page = await context.new_page()
                await tame(page)
                recorder = Recorder(page, opened.gateway, self.folder, self._why(), self.signer)
                await recorder.start()
                walk = Walk(
                    page,
                    recorder,
                    self.order,
                    self.persona.fields(),
                    signed_in=self.storage is not None,
                    before_submit=self._before_submit,
                )
                self.guard = Guard(page, opened.gateway, walk, self._still_ours)
                await self.guard.start()
                outcome = await self._go(walk, recorder)
                return await self._seal(recorder, outcome)
        except jobs.LeaseLost:
            raise
        except Exception as error:
            if not self.intended:
                raise  # nothing was ordered: the job may be tried again
            said = f"after the ordering click: {type(error).__name__}: {error}"[:500]
            return Outcome("outcome_unclear", said)

    def _why(self) -> dict[str, str]:
        return {
            "operator": self.settings.operator,
            "why": f"test purchase {self.purchase_id}",
            "url": self.order.url,
        }

    async def _before_submit(self, to_review: bool) -> None:
        self.guard.go_on()
        if to_review:
            await self._note_review()

    async def _note_review(self) -> None:
        """From here on another attempt first looks whether this one has ordered."""

        def write() -> None:
            with self.hold.writing() as session:
                orders.note_review(session, self.purchase_id)

        if not self._reviewed:
            await asyncio.to_thread(write)
            self._reviewed = True

    async def _go(self, walk: Walk, recorder: Recorder) -> Outcome:
        asker = Asker(self.hold, self.settings, self.purchase_id, self.order, recorder, self.guard)
        try:
            total = await self._to_review(walk, asker)
            if self.order.mode == "rehearse":
                said = "rehearsed: the marketplace is in the mode rehearse"
                return Outcome("rehearsed", said, total=total)
            if self.order.mode == "assisted":
                total = await self._clicked_by_buyer(walk, asker, total)
            else:
                await self._click(walk)
        except Stopped as stopped:
            with contextlib.suppress(PlaywrightError, TimeoutError):
                await recorder.step("stopped")
            if walk.confirmed:
                said = f"the shop shows an order that was not meant to be made: {stopped}"
                return Outcome("outcome_unclear", said[:500], reason=stopped.reason)
            return Outcome("stopped", str(stopped), reason=stopped.reason)
        return await look_for_outcome(walk, asker, total)

    async def _to_review(self, walk: Walk, asker: Asker) -> Money:
        """To the last page before the order, everything compared; the buyer helps where needed."""
        begun = False
        while True:
            try:
                await (walk.find_step() if begun else walk.begin())
                begun = True
                await walk.to_review()
                await self._note_review()  # if it was a person who brought it there
                return await walk.check()
            except Stopped as stopped:
                if walk.confirmed or not asker.may_ask(stopped.reason):
                    raise
                answer = await asker.ask(stopped)
                if not answer.given_back:
                    how = "nobody came" if answer.by is None else f"{answer.by} did not go on"
                    raise Stopped(stopped.reason, f"{stopped}; {how}") from stopped
                if isinstance(stopped, PriceChanged):
                    walk.accepted = stopped.now

    async def _click(self, walk: Walk) -> None:
        """The ordering click of the recipe."""
        await asyncio.to_thread(self._intend)
        self.intended = True
        await self.guard.click_comes()
        await self._still_ours()
        button = walk.page.locator(self.order.recipe.order_button)
        with contextlib.suppress(PlaywrightError):
            # No waiting for navigation in the click itself, and never a second click.
            await button.click(no_wait_after=True, timeout=5_000)

    async def _clicked_by_buyer(self, walk: Walk, asker: Asker, total: Money) -> Money:
        """Wait for the ordering click of the buyer: the total then.

        Raises
        ------
        Stopped
            If nothing was ordered.
        """
        if not asker.may_ask("order_click"):
            raise Stopped("order_click", "the ordering click is the buyer's, and nobody is asked")

        async def allow(takeover_id: UUID) -> None:
            await asyncio.to_thread(self._intend, takeover_id)
            self.intended = True

        click = Stopped("order_click", f"the order of {total} is ready, but for the click")
        answer = await asker.ask(click, allow=allow, until=lambda: until_confirmed(walk))
        if self.intended:
            return self.guard.total or total
        if isinstance(self.guard.failed, jobs.LeaseLost | Stopped):
            raise self.guard.failed
        if answer.by is None:
            raise Stopped("order_click", f"{click}; nobody came")
        failed = f": {self.guard.failed}" if self.guard.failed else ""
        raise Stopped("declined", f"{answer.by} did not make the ordering click{failed}"[:500])

    def _intend(self, takeover_id: UUID | None = None) -> None:
        """Commit that the click comes now; only one may ever do so for a purchase.

        Parameters
        ----------
        takeover_id
            In which the buyer makes it; None: the recipe makes it.
        """
        with self.hold.writing() as session:
            purchase = _locked(session, self.purchase_id)
            marketplace = session.get_one(
                models.Marketplace, self.order.marketplace_id, populate_existing=True
            )
            if marketplace.mode != self.order.mode:
                said = f"the marketplace is in the mode {marketplace.mode} since"
                raise Stopped("mode_changed", said)
            actor = MACHINE.name
            if takeover_id is not None:
                takeover = session.get_one(models.Takeover, takeover_id)
                actor = check_taker(session, purchase.id, takeover.taken_by or "")
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
            note(
                session, purchase.id, actor, "the ordering click comes",
                mode=marketplace.mode, allowed_by=marketplace.mode_by or "",
            )  # fmt: skip

    async def _still_ours(self) -> None:
        """Look whether the job went to another since the intent was written.

        A machine may stand still for longer than the lease, and what it orders when it goes on
        would be nobody's.

        Raises
        ------
        LeaseLost
            If it did.
        """

        def look() -> None:
            with self.hold.writing():
                pass

        await asyncio.to_thread(look)

    async def _seal(self, recorder: Recorder, outcome: Outcome) -> Outcome:
        sealed = await recorder.seal(
            state=outcome.state, order_number=outcome.number, note=outcome.note
        )
        return Outcome(
            outcome.state, outcome.note, outcome.number, outcome.total, sealed, outcome.reason
        )

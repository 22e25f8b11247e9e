"""Handing the browser of a purchase to its buyer, and getting it back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from playwright.async_api import Error as PlaywrightError
from sqlalchemy.orm import Session

from crawler.browsing.takeover import Offer, offer
from evidence.capturing.recorder import Recorder
from evidence.custody import ledger
from purchases.buying.guard import Guard
from purchases.buying.reasons import TO_DO, Reason, Stopped
from purchases.buying.wanted import Wanted
from purchases.people import MACHINE
from registry import jobs
from registry.models import Purchase, PurchaseEvent, Takeover
from registry.settings import Settings

#: So often a person is asked in one purchase; then it is stopped.
MAX_ASKED = 5
_ORDER_NOTHING = (
    "Do not order: what looks like an order does not leave, but that is told by the words on "
    "the page."
)
_REHEARSES = (
    "Do not order: it is a rehearsal, and from a page that the recipe does not know, or the one "
    "with the ordering button, what is sent does not leave."
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking.

    Parameters
    ----------
    by
        Who had the browser; None: nobody came.
    """

    by: str | None
    given_back: bool


@dataclass
class Asker:
    """Asks the buyer of one purchase; each thing once."""

    hold: jobs.Hold
    settings: Settings
    purchase_id: UUID
    wanted: Wanted
    recorder: Recorder
    guard: Guard
    _asked: list[tuple[Reason, str]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long the buyer is waited for."""
        return self.settings.person_minutes * 60

    def may_ask(self, reason: Reason) -> bool:
        """Whether the buyer is to be asked about something, where the page is now."""
        about = reason, self.recorder.page.url
        return (
            self.seconds > 0
            and reason in TO_DO
            and len(self._asked) < MAX_ASKED
            and about not in self._asked
        )

    async def ask(
        self,
        stopped: Stopped,
        *,
        allow: Callable[[UUID], Awaitable[None]] | None = None,
        until: Callable[[], Awaitable[str]] | None = None,
    ) -> Answer:
        """Offer the browser until it is given back, given up, or nobody came in time.

        Parameters
        ----------
        allow
            Commits the intent, given the takeover's id; None: nothing may be ordered.
        until
            Ends by itself when there is no need to wait for the buyer any more, saying why.
        """
        page, guard = self.recorder.page, self.guard
        self._asked.append((stopped.reason, page.url))
        refused = len(guard.refused)
        await self._step(f"asked-{stopped.reason}")
        await asyncio.to_thread(self._note_asked, stopped)
        await guard.hold()
        try:
            async with self._offer(stopped, orders=allow is not None) as offered:
                if allow is not None:
                    guard.allow(lambda: allow(offered.id))
                given_back = await self._over(offered, until)
        finally:
            await guard.given_back()
        kept_in = ", ".join(dict.fromkeys(guard.refused[refused:]))[:1000]
        by = await asyncio.to_thread(self._note_answer, stopped, offered.id, given_back, kept_in)
        await self._step("given-back" if given_back else "not-given-back")
        return Answer(by, given_back)

    @asynccontextmanager
    async def _offer(self, stopped: Stopped, *, orders: bool) -> AsyncIterator[Offer]:
        wanted = self.wanted
        why = f"{stopped}. {TO_DO[stopped.reason]}"
        if not orders and not self.guard.intended:
            rehearses = wanted.mode == "rehearse"
            why = f"{why} {_REHEARSES if rehearses else _ORDER_NOTHING}"
        async with offer(
            self.recorder.page,
            kind="purchase",
            subject=self.purchase_id,
            why=f"{why} It is to be {wanted.title!r}, one, for at most {wanted.limit}.",
            database=self.hold.database,
            settings=self.settings,
            marketplace_id=wanted.marketplace_id,
            before_input=self.guard.before_input,
        ) as offered:
            yield offered

    async def _over(self, offered: Offer, until: Callable[[], Awaitable[str]] | None) -> bool:
        """Wait for the end: whether the buyer has done what there was to do."""
        back = asyncio.ensure_future(offered.given_back(self.seconds))
        if until is None:
            return await back
        done = asyncio.ensure_future(until())
        try:
            await asyncio.wait((back, done), return_when=asyncio.FIRST_COMPLETED)
            if not back.done():
                offered.done = done.result()
            return back.result() if back.done() else True
        finally:
            back.cancel()
            done.cancel()

    async def _step(self, name: str) -> None:
        with contextlib.suppress(PlaywrightError, TimeoutError):  # a page may be too busy
            await self.recorder.step(name.replace("_", "-"))

    def _note_asked(self, stopped: Stopped) -> None:
        with self.hold.writing() as session:
            note(session, self.purchase_id, MACHINE.name, str(stopped), reason=stopped.reason)

    def _note_answer(
        self, stopped: Stopped, takeover_id: UUID, given_back: bool, kept_in: str
    ) -> str | None:
        with self.hold.writing() as session:
            row = session.get_one(Takeover, takeover_id)
            said = {"reason": stopped.reason, "takeover": str(row.id), "ended": row.state}
            if kept_in:
                said["did_not_leave"] = kept_in
            by = row.taken_by
            what = "gave the browser back" if given_back else "did not give the browser back"
            if by is None:
                note(session, self.purchase_id, MACHINE.name, "nobody came", **said)
                return None
            note(session, self.purchase_id, by, f"{by} {what}", **said)
            ledger.record(
                session,
                event="taken_over",
                subject=f"purchase:{self.purchase_id}",
                actor=by,
                details=said,
            )
            return by


def note(session: Session, purchase_id: UUID, actor: str, text: str, **details: str) -> None:
    """Put into the purchase's history what happened within a state."""
    state = session.get_one(Purchase, purchase_id).state
    session.add(
        PurchaseEvent(
            purchase_id=purchase_id, actor=actor, state=state, note=text[:2000], details=details
        )
    )
    session.flush()

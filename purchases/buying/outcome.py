"""What came of the ordering click: known by evidence, or not known."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from sqlalchemy.exc import SQLAlchemyError

from evidence.capturing.recorder import Sealed
from purchases.buying.asking import Asker
from purchases.buying.reasons import Reason, Stopped
from purchases.buying.recognising import at_bank
from purchases.buying.walking import Walk
from registry.errors import TouchstoneError
from registry.money import Money

OUTCOME_SECONDS = 45.0
POLL_SECONDS = 0.2
#: A page of another host is looked at for so long before somebody is asked: it may lead on.
BANK_SECONDS = 3.0
ASK_SECONDS = 2.0
#: How long a buyer whose order was confirmed has for giving the browser back.
FAREWELL_SECONDS = 5.0
#: The order is out: that the bank cannot be answered is no reason to lose what was seen.
_NO_MATTER = (PlaywrightError, TimeoutError, TouchstoneError, SQLAlchemyError, OSError)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: the state to go to, and what is known then."""

    state: str
    note: str | None = None
    number: str | None = None
    total: Money | None = None
    sealed: Sealed | None = None
    reason: Reason | None = None


async def look_for_outcome(walk: Walk, asker: Asker, total: Money) -> Outcome:
    """Wait for the page that confirms the order; whatever comes, it is no error.

    A bank that asks (3-D Secure) is for the buyer to answer; nothing is clicked again.
    """
    with contextlib.suppress(*_NO_MATTER):
        if await _confirmed(walk, ask=True) is not None and asker.may_ask("bank"):
            stopped = Stopped("bank", "the bank asks for its customer (3-D Secure)")
            await asker.ask(stopped, until=lambda: until_confirmed(walk))
            await _confirmed(walk, ask=False)
    number = walk.number
    # Whatever the page does now, it is neither an error nor waited for without an end.
    with contextlib.suppress(PlaywrightError, TimeoutError):
        async with asyncio.timeout(OUTCOME_SECONDS):
            number = number or await walk.order_number()
    with contextlib.suppress(PlaywrightError, TimeoutError):
        await walk.recorder.step("outcome")
    if number is None:
        # Not the query: sessions, tokens and the buyer's address may stand there.
        parts = urlsplit(walk.page.url)
        note = f"no confirmation was seen; the page was {parts.hostname or ''}{parts.path}"[:300]
        return Outcome("outcome_unclear", note, total=total)
    return Outcome("ordered", number=number, total=total)


async def until_confirmed(walk: Walk) -> str:
    """Wait until the page that confirms an order is there, and keep what it says.

    Whoever has the browser may go on to another page the next moment.
    """
    while walk.number is None:
        await asyncio.sleep(POLL_SECONDS)
        with contextlib.suppress(PlaywrightError, TimeoutError):
            walk.number = await walk.order_number()
            if walk.number is not None:
                await walk.recorder.step("confirmed")
    await asyncio.sleep(FAREWELL_SECONDS)
    return "the order is confirmed"


async def _confirmed(walk: Walk, *, ask: bool) -> str | None:
    """Wait for the confirmation, or what tells that the bank asks."""
    loop = asyncio.get_running_loop()
    end = loop.time() + OUTCOME_SECONDS
    since: float | None = None
    while walk.number is None and not walk.confirmed and loop.time() < end:
        bank = None
        with contextlib.suppress(PlaywrightError, TimeoutError):
            async with asyncio.timeout(ASK_SECONDS):
                bank = await at_bank(walk.page, walk.wanted.url) if ask else None
        if bank is None:
            since = None
        elif since is None:
            since = loop.time()
        elif loop.time() - since > BANK_SECONDS:
            return bank
        await asyncio.sleep(POLL_SECONDS)
    return None

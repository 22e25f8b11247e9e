"""Tips: what people outside tell us, until somebody of the house has looked at it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crawler.network.gate import Forbidden, Gate
from crawler.ways_in.leads import MAX_URL, Told, add
from crawler.ways_in.places import Places
from registry.errors import TouchstoneError
from registry.models import Lead, Tip
from registry.models.base import utcnow

MAX_TEXT = 4_000
MAX_CONTACT = 200
#: Tips that wait for a decision; with more, somebody floods us, and none is taken.
MAX_WAITING = 5_000


class Unwanted(TouchstoneError):
    """A tip that is not taken. The text is ours: nothing of the tip stands in it."""


def tell(session: Session, gate: Gate, url: str, text: str, contact: str = "") -> Tip:
    """Keep a tip.

    Raises
    ------
    Unwanted
        If it has no address of the web, says too much, or too many wait.
    """
    url, text, contact = url.strip(), _clean(text), " ".join(_clean(contact).split())
    if not url or len(url) > MAX_URL:
        raise Unwanted(f"The address of a page is wanted, of at most {MAX_URL} characters.")
    if "://" not in url:
        url = f"https://{url}"
    try:
        gate.check_form(url)
    except Forbidden:
        raise Unwanted("This is no address of a page on the web.") from None
    if len(text) > MAX_TEXT or len(contact) > MAX_CONTACT:
        raise Unwanted(
            f"At most {MAX_TEXT} characters, and {MAX_CONTACT} for how to reach you, can be taken."
        )
    waiting = session.scalar(select(func.count()).where(Tip.state == "new")) or 0
    if waiting >= MAX_WAITING:
        raise Unwanted("Too many tips wait at the moment. Please try again another day.")
    tip = Tip(url=url, text=text, contact=contact or None)
    session.add(tip)
    session.flush()
    return tip


def accept(
    session: Session, tip_id: UUID, who: str, brand_id: UUID, plan_id: UUID | None = None
) -> Lead:
    """Make a lead of a tip, and of the other new ones with the same address.

    Raises
    ------
    TouchstoneError
        If there is no such tip, it has been decided on, or no name is given.
    """
    tip = _undecided(session, tip_id, who)
    same = _same(session, tip)
    said = "\n".join(dict.fromkeys(other.text for other in same if other.text))
    told = Told(
        tip.url,
        "tip",
        who=who,
        plan_id=plan_id,
        source=f"tip {tip.id}",
        context=said or None,
    )
    places = Places.watched(session)
    add(session, brand_id, [told], places)
    lead = session.scalars(
        select(Lead).where(Lead.brand_id == brand_id, Lead.key == places.of(tip.url).key)
    ).one()
    if lead.state == "refused":
        # A person refused the address, and a person now takes the tip.
        lead.state, lead.note, lead.changed_at = "waiting", None, utcnow()
    for other in same:
        _decide(other, "accepted", who)
        other.lead_id = lead.id
    session.flush()
    return lead


def refuse(session: Session, tip_id: UUID, who: str, reason: str) -> Tip:
    """Lay a tip aside, with the reason.

    Raises
    ------
    TouchstoneError
        If there is no such tip, it has been decided on, or name or reason is missing.
    """
    tip = _undecided(session, tip_id, who)
    if not reason.strip():
        raise TouchstoneError("refuse: say why; who looks later wants to know")
    _decide(tip, "refused", who)
    tip.reason = " ".join(reason.split())[:MAX_TEXT]
    session.flush()
    return tip


def _undecided(session: Session, tip_id: UUID, who: str) -> Tip:
    if not who.strip():
        raise TouchstoneError("your name is wanted: a person decides on a tip")
    tip = session.get(Tip, tip_id, with_for_update=True)
    if tip is None:
        raise TouchstoneError(f"there is no tip {tip_id}: see touchstone tips list")
    if tip.state != "new":
        raise TouchstoneError(f"tip {tip_id} is {tip.state} already, by {tip.decided_by}")
    return tip


def _same(session: Session, tip: Tip) -> Sequence[Tip]:
    return session.scalars(
        select(Tip).where(Tip.url == tip.url, Tip.state == "new").order_by(Tip.id)
    ).all()


def _decide(tip: Tip, state: str, who: str) -> None:
    tip.state, tip.decided_by, tip.decided_at = state, " ".join(who.split()), utcnow()


def _clean(text: str) -> str:
    """Without control characters, but for the ends of lines."""
    kept = (c for c in text.replace("\r\n", "\n") if c == "\n" or c.isprintable())
    return "".join(kept).strip()

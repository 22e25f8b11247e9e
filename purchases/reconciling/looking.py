"""Looking into the order lists of a purchase's accounts, and keeping what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from crawler.browsing.sessions import unlock_login
from evidence.capturing.capture import Capture
from evidence.capturing.workspace import workspace
from evidence.custody.keeping import enter, keep
from evidence.signing.signer import open_signer
from purchases.reconciling import lists
from purchases.reconciling.accounts import Account, Earlier, recipe_of
from purchases.reconciling.comparing import Found, Proposal, Sought, as_json, compare, sought
from registry import models
from registry.blobs import Blobs
from registry.models import Purchase, PurchaseLook
from registry.settings import Settings


@dataclass(frozen=True, slots=True)
class Seen:
    """One account's list; its capture is a row not yet added.

    Parameters
    ----------
    problem
        Why it could not be read; then nothing is found.
    """

    account: Account
    problem: str | None
    found: Found | None
    capture: models.Capture


@dataclass(frozen=True, slots=True)
class Subject:
    """A purchase whose orders are looked for."""

    purchase_id: UUID
    listing: models.Listing
    shop: str
    wanted: Sought
    earlier: Earlier

    @classmethod
    def of(cls, session: Session, purchase: Purchase, earlier: Earlier) -> Subject:
        """That of a purchase as it is now."""
        return cls(
            purchase.id,
            purchase.listing,
            purchase.listing.marketplace.url,
            sought(session, purchase, earlier.since),
            earlier,
        )


def look_up(
    subject: Subject,
    kind: str,
    account: Account,
    email: str,
    number: str,
    settings: Settings,
    blobs: Blobs,
) -> Seen:
    """Look up an order that a guest's e-mail confirms.

    Parameters
    ----------
    kind
        Of the marketplace; it has a recipe with a look-up.

    Raises
    ------
    TouchstoneError
        If there is no browser, or the shop may not be visited.
    """
    recipe = recipe_of(kind)
    assert recipe is not None
    signer = open_signer(settings)
    with workspace(settings.data_dir) as folder:
        reading = lists.look_up(
            subject.shop, recipe, email, number, settings=settings, folder=folder, signer=signer,
            circumstances=_why(subject, account, settings),
        )  # fmt: skip
        return _seen(subject, account, reading, settings, blobs)


def look_into(subject: Subject, kind: str, settings: Settings, blobs: Blobs) -> list[Seen]:
    """Read the list of each account that has a login, in browsers of their own.

    Parameters
    ----------
    kind
        Of the marketplace; it has a recipe with an order list.

    Raises
    ------
    TouchstoneError
        If there is no browser, or the shop may not be visited.
    """
    signer = open_signer(settings)  # before the shop is visited: without one, nothing is sealed
    recipe = recipe_of(kind)
    assert recipe is not None
    seen = []
    for account in subject.earlier.accounts:
        if account.login is None:
            continue
        with workspace(settings.data_dir) as folder:
            reading = lists.read_orders(
                subject.shop, recipe, account.login, subject.earlier.since,
                settings=settings, folder=folder, signer=signer,
                circumstances=_why(subject, account, settings),
            )  # fmt: skip
            seen.append(_seen(subject, account, reading, settings, blobs))
    return seen


def _why(subject: Subject, account: Account, settings: Settings) -> dict[str, str]:
    return {
        "operator": settings.operator,
        "why": f"orders of {account.label}, for test purchase {subject.purchase_id}",
    }


def _seen(
    subject: Subject, account: Account, reading: lists.Reading, settings: Settings, blobs: Blobs
) -> Seen:
    """What a reading is for a purchase; its bundle goes into the store."""
    made = Capture(reading.status, 200, reading.url, reading.sealed)
    row = keep(made, subject.listing, settings, blobs)
    found = None if reading.problem else compare(reading.orders, subject.wanted)
    return Seen(account, reading.problem, found, row)


def write_look(
    session: Session,
    settings: Settings,
    subject: Subject,
    seen: Seen | None,
    proposal: Proposal,
    *,
    by: str,
    why: str,
    letters: list[str] | None = None,
) -> PurchaseLook:
    """Write down one look, with its capture in the ledger; a login that has run out is told of."""
    orders = []
    if seen is not None and seen.found is not None:
        orders = [as_json(o, subject.wanted) for o in (*seen.found.these, *seen.found.strange)]
    if seen is not None:
        if seen.capture.status == "login" and seen.account.login is not None:
            unlock_login(session, seen.account.login.id, "the order list asked to sign in")
        seen.capture.purchase_id = subject.purchase_id
        enter(session, seen.capture, settings, actor=settings.operator)
    look = PurchaseLook(
        purchase_id=subject.purchase_id,
        capture_id=None if seen is None else seen.capture.id,
        by=by,
        why=why,
        orders=orders,
        letters=letters or [],
        proposal=proposal.proposal,
        order_number=proposal.number,
        note=proposal.note,
    )
    session.add(look)
    session.flush()
    return look

"""Before another attempt: whether an earlier one has ordered, by the account's order list.

A purchase that was attempted before is ordered only after the order list of each account that
attempted it was read, and shows no order that could be its. A list that should be there and
cannot be read stops the attempt. Where a buyer has no account, or the shop no list, nothing
can tell: then an attempt that follows one which stood before the ordering button needs an
approval that is newer than that.

Whoever has an account buys with it or not at all: where its login has run out, the attempt
stops, since a guest's order would stand in no list.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from crawler.browsing.sessions import Login
from purchases.buying.reasons import Reason
from purchases.people import MACHINE
from purchases.reconciling.accounts import Account, Earlier, account_of, earlier_attempts, recipe_of
from purchases.reconciling.comparing import describe, propose
from purchases.reconciling.looking import Seen, Subject, look_into, write_look
from registry import jobs
from registry.blobs import Blobs
from registry.errors import TouchstoneError
from registry.models import Purchase
from registry.models.base import utcnow
from registry.secrets import Vault, open_vault
from registry.settings import Settings

MAX_NOTE = 1900

#: The state to go to instead of on, why, and the same for programs.
Halted = tuple[str, str, Reason]


def login_of(session: Session, vault: Vault, purchase: Purchase) -> Login | None:
    """The stored login of a purchase's persona at its marketplace; None where it is a guest.

    Raises
    ------
    SecretsError
        If it cannot be opened.
    TouchstoneError
        If it has run out, or somebody is logging in just now.
    """
    if purchase.persona_id is None:
        return None
    account = account_of(session, vault, purchase, purchase.persona_id)
    if account.logged_out:
        raise TouchstoneError(_no_guest(account))
    return account.login


def note_review(session: Session, purchase_id: UUID) -> None:
    """Note that an attempt goes to the page with the ordering button now."""
    session.get_one(Purchase, purchase_id).reviewed_at = utcnow()
    session.flush()


def before_attempt(
    hold: jobs.Hold, settings: Settings, blobs: Blobs, purchase_id: UUID
) -> Halted | None:
    """Look whether the attempt may go on: with the persona's login, and not ordered already.

    Nothing is clicked.

    Returns
    -------
    Halted or None
        The state to go to instead, and why: ``outcome_unclear`` where an order of this thing
        was seen, whatever else speaks for it; ``stopped`` where nobody can know, or the
        persona's login has run out. None: go on.

    Raises
    ------
    LeaseLost
        If the job is in other hands.
    TouchstoneError
        If there is no browser, or the shop may not be visited.
    """
    vault = open_vault(settings)
    again = hold.claim.fence > 1 or hold.claim.failures > 0
    with hold.database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        earlier = earlier_attempts(session, vault, purchase, again=again)
        if earlier is None:
            return _without_login(session, vault, purchase)
        kind = purchase.listing.marketplace.kind
        subject = Subject.of(session, purchase, earlier)
        halted = _without_login(session, vault, purchase)
    recipe = recipe_of(kind)
    if recipe is None or recipe.orders is None:
        if halted is not None:
            return halted
        return _unknown() if earlier.reviewed_at is not None else None
    halted = _logged_out(earlier) or halted
    if halted is not None:
        return halted
    seen = look_into(subject, kind, settings, blobs)
    with hold.writing() as session:
        for one in seen:
            proposal = propose(one.found, (), [one.problem] if one.problem else [])
            write_look(session, settings, subject, one, proposal, by=MACHINE.name, why="attempt")
    return _judged(seen) or (_unknown() if earlier.as_guest else None)


def _without_login(session: Session, vault: Vault, purchase: Purchase) -> Halted | None:
    if purchase.persona_id is None:
        return None
    account = account_of(session, vault, purchase, purchase.persona_id)
    return ("stopped", _no_guest(account), "login") if account.logged_out else None


def _no_guest(account: Account) -> str:
    return (
        f"{account.label} has an account here and does not buy as a guest: it has to log in "
        "again (touchstone session login)"
    )


def _logged_out(earlier: Earlier) -> Halted | None:
    for account in earlier.accounts:
        if account.logged_out:
            said = (
                "an earlier attempt may have ordered, and the order list cannot be read: "
                f"{account.label} has to log in again (touchstone session login)"
            )
            return "stopped", said, "login"
    return None


def _unknown() -> Halted:
    said = (
        "an earlier attempt stood before the ordering button, and no order list tells what "
        "came of it: look into the mailbox, then approve it again"
    )
    return "stopped", said, "tried_before"


def _judged(seen: list[Seen]) -> Halted | None:
    these = [one for part in seen if part.found for one in part.found.these]
    if these:
        said = "; ".join(map(describe, these))
        said = f"nothing was clicked: the order list shows {said}"
        return "outcome_unclear", said[:MAX_NOTE], "tried_before"
    problems = [part.problem for part in seen if part.problem]
    if problems:
        said = f"an earlier attempt may have ordered, and {problems[0]}"
        return "stopped", said[:MAX_NOTE], "tried_before"
    strange = [one for part in seen if part.found for one in part.found.strange]
    if strange:
        said = "; ".join(map(describe, strange))
        said = f"the order list shows what is no known purchase's: {said}"
        return "stopped", said[:MAX_NOTE], "tried_before"
    return None

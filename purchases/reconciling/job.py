"""The job that looks what came of a purchase: into order lists and mailboxes, and no further.

It is run while an outcome is unclear, and, for e-mails alone, until the parcel is there. It
changes no state. What it proposes, a person settles.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from crawler.network.gate import Forbidden
from purchases import mail
from purchases.people import MACHINE
from purchases.personas import unsealed
from purchases.reconciling.accounts import Account, Earlier, earlier_attempts, recipe_of
from purchases.reconciling.asking import STATES, UNCLEAR
from purchases.reconciling.comparing import Found, Proposal, propose
from purchases.reconciling.letters import BadLetter
from purchases.reconciling.looking import Seen, Subject, look_into, look_up, write_look
from purchases.reconciling.mailboxes import Box, MailboxError, mailbox_of, read_box
from registry import jobs
from registry.blobs import Blobs
from registry.errors import TouchstoneError
from registry.models import (
    Marketplace,
    Persona,
    Purchase,
)
from registry.secrets import open_vault
from registry.settings import Settings

#: An e-mail may say that it was written a little before the order was sent, as clocks differ.
SLACK = timedelta(days=1)
#: Whoever knows the shop and the number can write such e-mails: no more are kept of one look.
MAX_LETTERS = 20
#: So many numbers of e-mails are looked up for a guest.
MAX_LOOK_UPS = 3


@dataclass(frozen=True, slots=True)
class Mail:
    """What the mailboxes of a purchase had for it.

    Parameters
    ----------
    letters
        E-mails of the shop about this order.
    confirmed
        Order numbers that they confirm.
    """

    letters: tuple[mail.Read, ...]
    confirmed: tuple[str, ...]
    problems: tuple[str, ...]
    boxes: int


@dataclass(frozen=True, slots=True)
class Looked:
    """All that was looked into; it grows.

    Parameters
    ----------
    doubts
        What contradicts an e-mail.
    """

    seen: list[Seen]
    mail: Mail
    problems: list[str]
    doubts: list[str]


def reconcile_job(hold: jobs.Hold, settings: Settings, blobs: Blobs) -> None:
    """Look into what there is for a purchase, keep it, and propose. Never clicks or settles."""
    purchase_id, by = UUID(hold.claim.payload["purchase_id"]), str(hold.claim.payload["by"])
    vault = open_vault(settings)
    with hold.database.reading() as session:
        purchase = session.get_one(Purchase, purchase_id)
        state, marketplace = purchase.state, purchase.listing.marketplace
        earlier = earlier_attempts(session, vault, purchase, again=True)
        if state in STATES and earlier is not None:
            subject = Subject.of(session, purchase, earlier)
            boxes = _boxes(session, settings, earlier)
            number = purchase.order_number
    if state not in STATES or earlier is None:
        with hold.finishing({"state": state}):
            return  # it was settled meanwhile, or is none of ours
    got = _read_mail(boxes, marketplace, subject, number)
    looked = Looked([], got, list(got.problems), [])
    if state == UNCLEAR:
        recipe = recipe_of(marketplace.kind)
        if recipe is not None and recipe.orders is not None:
            _read_lists(subject, marketplace.kind, settings, blobs, looked)
        if recipe is not None and recipe.look_up is not None:
            guests = _guests(hold, settings, earlier)
            _look_up(subject, marketplace.kind, guests, settings, blobs, looked)
    _write(hold, settings, blobs, subject, looked, by)


def _read_lists(
    subject: Subject, kind: str, settings: Settings, blobs: Blobs, looked: Looked
) -> None:
    """The order lists of those who have an account."""
    looked.problems.extend(
        f"{one.label} has to log in again (touchstone session login)"
        for one in subject.earlier.accounts
        if one.logged_out
    )
    try:
        seen = look_into(subject, kind, settings, blobs)
    except (
        TouchstoneError,
        Forbidden,
    ) as error:  # no browser, or no way there: what the mailbox has, counts
        looked.problems.append(str(error))
        return
    looked.seen.extend(seen)
    looked.problems.extend(one.problem for one in seen if one.problem)


def _look_up(
    subject: Subject,
    kind: str,
    guests: list[tuple[Account, str]],
    settings: Settings,
    blobs: Blobs,
    looked: Looked,
) -> None:
    """What the shop itself shows of the orders that e-mails to guests confirm."""
    for number in list(dict.fromkeys(looked.mail.confirmed))[:MAX_LOOK_UPS] if guests else ():
        try:
            seen = [
                look_up(subject, kind, account, email, number, settings, blobs)
                for account, email in guests
            ]
        except (TouchstoneError, Forbidden) as error:  # as above
            looked.problems.append(str(error))
            return
        looked.seen.extend(seen)
        looked.problems.extend(one.problem for one in seen if one.problem)
        if all(one.found == Found((), ()) for one in seen):
            looked.doubts.append(f"an e-mail confirms order {number}, which the shop does not show")


def _boxes(session: Session, settings: Settings, earlier: Earlier) -> list[Box]:
    vault = open_vault(settings)
    personas = [session.get_one(Persona, one.persona_id) for one in earlier.accounts]
    return [box for one in personas if (box := mailbox_of(session, vault, one)) is not None]


def _read_mail(
    boxes: list[Box], marketplace: Marketplace, subject: Subject, number: str | None
) -> Mail:
    """The shop's e-mails about this order: by its number, or else by its title."""
    letters: list[mail.Read] = []
    confirmed: list[str] = []
    problems: list[str] = []
    for box in boxes:
        try:
            for raw in read_box(box, subject.earlier.since):
                read = _about(raw, marketplace, subject, number)
                if read is None:
                    continue
                if len(letters) == MAX_LETTERS:
                    problems.append(f"there are more than {MAX_LETTERS} e-mails about it")
                    break
                letters.append(read)
                if read.said.kind == "confirmation":
                    confirmed += [n for n in read.said.numbers if n not in subject.wanted.known]
        except MailboxError as error:
            problems.append(str(error))
    return Mail(tuple(letters), tuple(confirmed), tuple(problems), len(boxes))


def _about(
    raw: bytes, marketplace: Marketplace, subject: Subject, number: str | None
) -> mail.Read | None:
    try:
        read = mail.Read.of(raw, marketplace)
    except BadLetter:
        return None
    at = read.letter.at
    if not read.known_sender or (at is not None and at < subject.earlier.since - SLACK):
        return None
    if number is not None:
        return read if number in read.said.numbers else None
    new = set(read.said.numbers) - subject.wanted.known
    return read if new and _names(read.letter.text, subject.wanted.title) else None


def _names(text: str, title: str) -> bool:
    """Whether a text has the title in it, wherever its lines were broken."""
    return "".join(title.split()).casefold() in "".join(text.split()).casefold()


def _guests(hold: jobs.Hold, settings: Settings, earlier: Earlier) -> list[tuple[Account, str]]:
    """Who bought without an account, and the address that they gave."""
    vault = open_vault(settings)
    with hold.database.reading() as session:
        return [
            (one, unsealed(vault, session.get_one(Persona, one.persona_id)).email)
            for one in earlier.accounts
            if one.state is None
        ]


def _write(
    hold: jobs.Hold, settings: Settings, blobs: Blobs, subject: Subject, looked: Looked, by: str
) -> None:
    kept = [hashlib.sha256(one.raw).hexdigest() for one in looked.mail.letters]
    _keep_letters(hold, blobs, subject.purchase_id, looked.mail)
    with hold.finishing({"letters": len(kept), "lists": len(looked.seen)}) as session:
        purchase = session.get_one(Purchase, subject.purchase_id, with_for_update=True)
        if purchase.state != UNCLEAR:
            return
        proposal = _proposal(looked)
        looks: list[Seen | None] = [*looked.seen] or [None]
        for one in looks:
            write_look(
                session, settings, subject, one, proposal, by=by, why="reconcile", letters=kept
            )


def _proposal(looked: Looked) -> Proposal:
    """One proposal from all that was seen, whichever account or mailbox showed it."""
    found = [one.found for one in looked.seen if one.found is not None]
    together = None
    if found:
        together = Found(
            tuple(order for one in found for order in one.these),
            tuple(order for one in found for order in one.strange),
        )
    problems = looked.problems
    if not looked.seen and not looked.mail.boxes and not problems:
        problems = [
            "there is neither an order list nor a mailbox to look into "
            "(touchstone session login, touchstone persona mailbox)"
        ]
    return propose(together, looked.mail.confirmed, problems, looked.doubts)


def _keep_letters(hold: jobs.Hold, blobs: Blobs, purchase_id: UUID, got: Mail) -> None:
    """Make exhibits of the e-mails that are none yet."""
    for read in got.letters:
        with mail.stored(blobs, read.raw) as file, hold.writing() as session:
            purchase = session.get_one(Purchase, purchase_id, with_for_update=True)
            if not mail.is_kept(session, purchase_id, file.sha256):
                mail.keep(session, blobs, purchase, read, file, actor=MACHINE.name)

"""E-mails about a purchase: exhibits of its case, with what stands in them as a suggestion.

What an e-mail says can be made up, also who sent it. It moves no purchase on: a person reads
it and decides.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from evidence.custody.cases import StoredFile, add_file, store_file
from purchases import people
from purchases.files import case_of
from purchases.messages import STATES
from purchases.proposals import find
from purchases.reconciling.accounts import recipe_of
from purchases.reconciling.letters import (
    MAX_BYTES,
    BadLetter,
    Letter,
    Said,
    is_from,
    read_letter,
    understand,
)
from purchases.states import IllegalMove
from registry.blobs import Blobs
from registry.errors import TouchstoneError
from registry.models import Exhibit, Marketplace, Purchase, PurchaseFile, PurchaseLetter

#: Comments and quoted texts, in which anything may stand.
_COMMENTS = re.compile(r"\([^()]*\)|\"[^\"]*\"")
_RESULT = re.compile(
    r"\s*(arc|auth|dkim|dkim-adsp|dkim-atps|dmarc|domainkeys|iprev|sender-id|spf)(?:/\d+)?\s*=\s*"
    r"(pass|fail|hardfail|softfail|neutral|none|policy|temperror|permerror)(?![^\s;])",
    re.I,
)
_SIGNED = re.compile(r"\sheader\.d=[a-z0-9.-]{1,253}(?=\s|$)", re.I)


@dataclass(frozen=True, slots=True)
class Read:
    """An e-mail that was read, and what it says by the patterns of the shop.

    Parameters
    ----------
    known_sender
        Whether it says that it comes from the shop.
    """

    raw: bytes
    letter: Letter
    said: Said
    known_sender: bool

    @classmethod
    def of(cls, raw: bytes, marketplace: Marketplace) -> Read:
        """Read an e-mail as one about an order at a marketplace.

        Raises
        ------
        BadLetter
            If it is none, or larger than is read.
        """
        recipe = recipe_of(marketplace.kind)
        patterns = None if recipe is None else recipe.letters
        host = urlsplit(marketplace.url).hostname or ""
        domains = (*(() if patterns is None else patterns.senders), *((host,) if host else ()))
        letter = read_letter(raw)
        return cls(raw, letter, understand(letter, patterns), is_from(letter, domains))

    def found(self, number: str | None) -> dict[str, Any]:
        """What is kept of it beside the exhibit: nothing that the buyer's name stands in.

        Parameters
        ----------
        number
            The order number, where it was told which of the numbers that is.
        """
        return {
            "domain": self.letter.domain,
            "known_sender": self.known_sender,
            "date": None if self.letter.at is None else self.letter.at.isoformat(),
            "order_number": number,
            "numbers": list(self.said.numbers),
            "tracking": self.said.tracking,
            "carrier": self.said.carrier,
            "authentication": list(filter(None, map(_results, self.letter.authentication))),
            "attachments": self.letter.attachments,
        }


def _results(header: str) -> str:
    """The results in an ``Authentication-Results`` header (RFC 8601), and who signed.

    All else is left out: of whom and to whom it was is the buyer's address, or has it in it.
    """
    found = []
    for part in _COMMENTS.sub(" ", header).split(";"):
        result = _RESULT.match(part)
        if result is not None:
            signed = _SIGNED.search(part)
            found.append(f"{result[1]}={result[2]}" + (f" {signed[0].strip()}" if signed else ""))
    return "; ".join(found)


@contextmanager
def stored(blobs: Blobs, raw: bytes) -> Iterator[StoredFile]:
    """An e-mail's bytes in the store, for `keep`; before the transaction, since it takes time.

    Raises
    ------
    TouchstoneError
        If they cannot be kept.
    """
    with tempfile.TemporaryDirectory(prefix="touchstone-") as folder:
        path = Path(folder) / "letter.eml"
        path.write_bytes(raw)
        yield store_file(blobs, path)


def read_file(path: Path) -> bytes:
    """The bytes of an e-mail in a file, if these are no more than is read.

    Raises
    ------
    TouchstoneError
        If they are.
    OSError
        If it cannot be read.
    """
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise BadLetter(f"{path}: an e-mail has at most {MAX_BYTES} bytes here")
    return raw


def add(
    session: Session, blobs: Blobs, purchase_id: UUID, read: Read, file: StoredFile, by: str
) -> PurchaseLetter:
    """Keep an e-mail that a person has.

    Parameters
    ----------
    by
        The buyer or the approver of the purchase, or an administrator. Not an examiner: it
        tells what the thing cost and where it came from.

    Raises
    ------
    TouchstoneError
        If it is somebody else, it was kept already, or there is no order yet that it is about.
    """
    purchase = find(session, purchase_id)
    person = people.find(session, by)
    if (
        person.name not in (purchase.buyer, purchase.approved_by)
        and "administrator" not in person.roles
    ):
        raise IllegalMove(f"{person.name} has no part in this purchase")
    if purchase.state not in STATES:
        raise IllegalMove(f"purchase {purchase.id} is {purchase.state}: no e-mail is about it now")
    if is_kept(session, purchase.id, file.sha256):
        raise TouchstoneError("this e-mail is kept with the purchase already")
    return keep(session, blobs, purchase, read, file, actor=person.name)


def keep(
    session: Session, blobs: Blobs, purchase: Purchase, read: Read, file: StoredFile, *, actor: str
) -> PurchaseLetter:
    """Make an e-mail an exhibit of the purchase's case: its SHA-256 stands in the ledger then.

    One that may be about several purchases of a case is one exhibit.
    """
    case = case_of(session, purchase, actor=actor)
    exhibit = session.scalar(
        select(Exhibit).where(
            Exhibit.case_id == case.id,
            Exhibit.sha256 == file.sha256,
            Exhibit.deleted_at.is_(None),
        )
    )
    if exhibit is None:
        exhibit = add_file(session, blobs, case.reference, file, actor=actor, sensitive=True)
        session.add(
            PurchaseFile(
                exhibit_id=exhibit.id,
                purchase_id=purchase.id,
                kind="mail",
                sha256=file.sha256,
                taken={},
                added_by=actor,
            )
        )
    number = purchase.order_number if purchase.order_number in read.said.numbers else None
    if number is None and len(read.said.numbers) == 1:
        number = read.said.numbers[0]
    row = PurchaseLetter(
        purchase_id=purchase.id,
        exhibit_id=exhibit.id,
        sha256=file.sha256,
        kind=read.said.kind,
        found=read.found(number),
        added_by=actor,
    )
    session.add(row)
    session.flush()
    return row


def is_kept(session: Session, purchase_id: UUID, sha256: str) -> bool:
    """Whether an e-mail of that hash is kept with a purchase."""
    wanted = select(PurchaseLetter.id).where(
        PurchaseLetter.purchase_id == purchase_id, PurchaseLetter.sha256 == sha256
    )
    return session.scalar(wanted) is not None


def shown(session: Session, blobs: Blobs, row: PurchaseLetter) -> Letter | None:
    """A kept e-mail as text; None if its exhibit was erased."""
    exhibit = session.get_one(Exhibit, row.exhibit_id)
    if exhibit.blob is None or exhibit.deleted_at is not None:
        return None
    with contextlib.suppress(FileNotFoundError, BadLetter), blobs.open(exhibit.blob) as file:
        return read_letter(file.read(MAX_BYTES + 1))
    return None


def tracking_of(letters: Sequence[PurchaseLetter], purchase: Purchase) -> dict[str, str]:
    """Carrier and tracking number that e-mails of the shop about this order suggest, if any."""
    for row in reversed(letters):
        found = row.found
        if (
            row.kind == "shipping"
            and found.get("known_sender")
            and found.get("tracking")
            and purchase.order_number is not None
            and found.get("order_number") == purchase.order_number
        ):
            return {"tracking": found["tracking"], "carrier": found.get("carrier") or ""}
    return {}

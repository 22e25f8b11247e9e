"""`touchstone purchase reconcile`, `mail`, `message`, `show`, `deadline`: after the order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.cli.house import open_house, parse_day, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain, table
from console.cli.working import work_until_idle
from purchases import deadlines, people
from registry.errors import TouchstoneError
from registry.models import Purchase, PurchaseLetter, PurchaseLook, PurchaseMessage
from registry.models.base import utcnow
from registry.secrets import open_vault

By = Annotated[str, typer.Option("--by", help="Your name: it stands under this.")]

_Row = TypeVar("_Row", PurchaseLook, PurchaseLetter, PurchaseMessage)


def reconcile(
    by: By,
    purchase: Annotated[
        str | None,
        typer.Argument(help="Id of the purchase; by default all that are unclear and yours."),
    ] = None,
    work: Annotated[
        bool, typer.Option("--work/--no-work", help="With the embedded broker: look at once.")
    ] = True,
    json: JsonFlag = False,
) -> None:
    """Look into order list and mailbox for what came of a purchase; a person settles it.

    Nothing is clicked, and no purchase changes its state.
    """
    from purchases.reconciling import asking

    with open_house() as house:
        with house.database.writing() as session:
            if purchase is None:
                wanted = asking.unclear(session, by)
            else:
                wanted = [parse_id(purchase, "purchase")]
            for purchase_id in wanted:
                asking.ask(session, purchase_id, by)
        if work and house.settings.broker_url == "embedded:" and wanted:
            work_until_idle(house, only=(asking.KIND, "stamp"))
        with house.database.reading() as session:
            rows = [_newest_look(session, one) for one in wanted]
    if json:
        emit_json(rows)
        return
    table(
        ("Purchase", "State", "Proposed", "Order", "Seen"),
        ((r["id"], r["state"], r["proposal"], r["order_number"], r["note"]) for r in rows),
        empty="No purchase is unclear that you have a part in.",
    )


def _newest_look(session: Session, purchase_id: UUID) -> dict[str, Any]:
    look = session.scalar(
        select(PurchaseLook)
        .where(PurchaseLook.purchase_id == purchase_id)
        .order_by(PurchaseLook.id.desc())
        .limit(1)
    )
    return {
        "id": purchase_id,
        "state": session.get_one(Purchase, purchase_id).state,
        "proposal": None if look is None else look.proposal,
        "order_number": None if look is None else look.order_number,
        "note": None if look is None else look.note,
    }


def mail_(
    purchase: str,
    path: Annotated[Path, typer.Argument(metavar="FILE.eml")],
    by: By,
    json: JsonFlag = False,
) -> None:
    """Keep an e-mail about a purchase as an exhibit, and say what stands in it."""
    from purchases import mail

    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house:
        raw = mail.read_file(path)
        with house.database.reading() as session:
            bought = session.get(Purchase, purchase_id)
            if bought is None:
                raise TouchstoneError(f"there is no purchase {purchase_id}")
            read = mail.Read.of(raw, bought.listing.marketplace)
        with mail.stored(house.blobs, raw) as file, house.database.writing() as session:
            row = _letter(mail.add(session, house.blobs, purchase_id, read, file, by))
    if json:
        emit_json(row)
        return
    sender = row["domain"] or "nobody"
    known = "the shop's" if row["known_sender"] else "not the shop's"
    out.print(f"Kept, SHA-256 {row['sha256']}: {row['kind']}, from {plain(sender)} ({known})")
    for name in ("order_number", "carrier", "tracking"):
        if row[name]:
            out.print(f"{name.replace('_', ' ')}, as it says: {plain(row[name])}")


def message(
    purchase: str,
    direction: Annotated[str, typer.Argument(help="to_seller, from_seller or delivery")],
    text: str,
    by: By,
    at: Annotated[
        str | None, typer.Option(help="When, as 2026-11-26T14:00+01:00; now by default.")
    ] = None,
    expected: Annotated[
        str | None, typer.Option(help="When the parcel is expected, as 2026-12-24.")
    ] = None,
    file: Annotated[
        str | None, typer.Option(help="SHA-256 of a file of the purchase that shows it.")
    ] = None,
    not_inducing: Annotated[
        bool,
        typer.Option(
            "--not-inducing", help="What was written asks for nothing that is not offered."
        ),
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Enter what was written to or by the seller, or how the parcel fares."""
    from purchases import messages

    purchase_id = parse_id(purchase, "purchase")
    when, day = _time("--at", at), None if expected is None else parse_day(expected, "--expected")
    with open_house() as house, house.database.writing() as session:
        row = _message(
            messages.add(
                session, purchase_id, by, direction=direction, text=text, at=when,
                expected_on=day, file=file, not_inducing=not_inducing,
            )
        )  # fmt: skip
    if json:
        emit_json(row)
        return
    out.print(f"Entered under purchase {purchase_id}.")


def show(purchase: str, json: JsonFlag = False) -> None:
    """Show what is known of a purchase since its order: looks, e-mails, messages, deadline."""
    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house, house.database.reading() as session:
        bought = session.get(Purchase, purchase_id)
        if bought is None:
            raise TouchstoneError(f"there is no purchase {purchase_id}")
        due = deadlines.deadlines(session, [purchase_id]).get(purchase_id)
        said: dict[str, Any] = {
            "id": purchase_id,
            "state": bought.state,
            "order_number": bought.order_number,
            "due_at": None if due is None else due.due_at,
            "overdue": due is not None and due.overdue(utcnow()),
        }
        said["looks"] = [_look(one) for one in _of(session, PurchaseLook, purchase_id)]
        said["letters"] = [_letter(one) for one in _of(session, PurchaseLetter, purchase_id)]
        said["messages"] = [_message(one) for one in _of(session, PurchaseMessage, purchase_id)]
    if json:
        emit_json(said)
        return
    late = "overdue since" if said["overdue"] else "due by"
    when = f", {late} {said['due_at']:%Y-%m-%d %H:%M} UTC" if said["due_at"] else ""
    out.print(f"Purchase {purchase_id} is {said['state']}{when}")
    rows = [(one["at"], f"look: {one['proposal']}", one["note"]) for one in said["looks"]]
    rows += [
        (one["kept_at"], f"e-mail: {one['kind']}", one["order_number"]) for one in said["letters"]
    ]
    rows += [(one["at"], one["direction"], one["text"]) for one in said["messages"]]
    table(
        ("When", "What", "Said"),
        ((f"{at:%Y-%m-%d %H:%M}", what, text) for at, what, text in sorted(rows, key=_first)),
        empty="Nothing yet.",
    )


def deadline(
    state: str,
    days: int,
    by: By,
    marketplace: Annotated[
        str | None, typer.Option(help="Only there; everywhere by default.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Set for how many days a purchase may be in a state."""
    with open_house() as house, house.database.writing() as session:
        deadlines.set_rule(session, state, days, people.find(session, by), marketplace)
    if json:
        emit_json({"state": state, "days": days, "marketplace": marketplace})
        return
    where = f" at {plain(marketplace)}" if marketplace else ""
    out.print(f"A purchase may be {plain(state)} for {days} days{where}.")


def mailbox(
    label: Annotated[str, typer.Argument(help="Of the persona.")],
    url: Annotated[str, typer.Argument(help="maildir:///path or imaps://user@host/INBOX")],
    by: By,
    secret: Annotated[
        str | None, typer.Option(help="Name of the stored secret with its password.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Say where the e-mails of a persona are, sealed; they are read for confirmations of orders."""
    from purchases import personas
    from purchases.reconciling.mailboxes import set_mailbox

    with open_house() as house, house.database.writing() as session:
        persona, person = personas.find(session, label), people.find(session, by)
        set_mailbox(session, open_vault(house.settings), persona, url, secret, person)
        said = {"label": persona.label, "secret": secret}
    if json:
        emit_json(said)
        return
    out.print(f"The mailbox of {plain(said['label'])} is sealed.")


def add_to(purchase_app: typer.Typer, persona_app: typer.Typer) -> None:
    """Put the commands where their subjects are."""
    add = purchase_app.command
    add(epilog='Example: `touchstone purchase reconcile 0197… --by "Ada Lovelace"`')(reconcile)
    add("mail", epilog='Example: `touchstone purchase mail 0197… mail.eml --by "Bea"`')(mail_)
    add(
        epilog='Example: `touchstone purchase message 0197… delivery "in customs" --expected '
        '2026-12-24 --by "Bea Buyer"`'
    )(message)
    add(epilog="Example: `touchstone purchase show 0197…`")(show)
    add(epilog="Example: `touchstone purchase deadline shipped 45 --marketplace dhgate --by Ada`")(
        deadline
    )
    persona_app.command(
        epilog="Example: `touchstone persona mailbox P-1 imaps://p1%40mail.example@imap.mail.example"
        '/INBOX --secret mail-p1 --by "Finn Finance"`'
    )(mailbox)


def _of(session: Session, model: type[_Row], purchase_id: UUID) -> Sequence[_Row]:
    wanted = select(model).where(model.purchase_id == purchase_id).order_by(model.id)
    return session.scalars(wanted).all()


def _first(row: tuple[datetime, str, str]) -> datetime:
    return row[0]


def _look(row: PurchaseLook) -> dict[str, Any]:
    return {
        "at": row.at,
        "by": row.by,
        "why": row.why,
        "proposal": row.proposal,
        "order_number": row.order_number,
        "orders": row.orders,
        "letters": row.letters,
        "capture_id": row.capture_id,
        "note": row.note,
    }


def _letter(row: PurchaseLetter) -> dict[str, Any]:
    return {
        "sha256": row.sha256,
        "exhibit_id": row.exhibit_id,
        "kind": row.kind,
        "kept_at": row.created_at,
        "by": row.added_by,
        **row.found,
    }


def _message(row: PurchaseMessage) -> dict[str, Any]:
    return {
        "at": row.at,
        "by": row.by,
        "direction": row.direction,
        "text": row.text,
        "expected_on": row.expected_on,
        "exhibit_id": row.exhibit_id,
    }


def _time(option: str, text: str | None) -> datetime | None:
    try:
        at = None if text is None else datetime.fromisoformat(text)
    except ValueError as error:
        raise TouchstoneError(f"{option}: write it as 2026-11-26T14:00+01:00") from error
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)

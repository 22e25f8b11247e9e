"""`touchstone purchase`: test purchases wait for a person here."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from console.cli.house import House, open_house, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain, table
from console.cli.working import work_until_idle
from purchases import deadlines, estimates, people, personas
from purchases.ways import FILES, STATES, following
from registry.errors import TouchstoneError
from registry.models import Listing, Purchase
from registry.models.base import utcnow
from registry.money import Money
from registry.secrets import open_vault

app = typer.Typer(help="Test purchases, from proposal to verdict.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="Your name: it stands under this decision.")]


@app.command("list", epilog="Example: `touchstone purchase list --state proposed`")
def list_(
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those that wait for too long.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """List test purchases, newest first."""
    from purchases.buying import seat

    if state is not None and state not in STATES:
        raise TouchstoneError(f"there is no state {state!r}; there are: {', '.join(STATES)}")
    wanted = (
        select(Purchase)
        .order_by(Purchase.id.desc())
        .options(selectinload(Purchase.listing).selectinload(Listing.marketplace))
    )
    if state is not None:
        wanted = wanted.where(Purchase.state == state)
    with open_house() as house, house.database.reading() as session:
        now, due = utcnow(), deadlines.deadlines(session)
        late = {key for key, one in due.items() if one.overdue(now)}
        browsers = {key: f"/takeovers/{row.id}" for key, row in seat.all_waiting(session).items()}
        rows = [
            _row(purchase)
            | {
                "due_at": due[purchase.id].due_at if purchase.id in due else None,
                "overdue": purchase.id in late,
                "takeover": browsers.get(purchase.id),
            }
            for purchase in session.scalars(wanted)
            if purchase.id in late or not overdue
        ]
    if json:
        emit_json(rows)
        return
    table(
        ("Purchase", "State", "Listing", "Limit", "Order", "Note"),
        (
            (
                r["id"],
                f"{r['state']}, late" if r["overdue"] else r["state"],
                f"{r['marketplace']} {r['external_id']}",
                r["limit"],
                r["order_number"],
                f"its browser waits at {r['takeover']}" if r["takeover"] else r["note"],
            )
            for r in rows
        ),
        empty="No test purchase.",
    )


@app.command(epilog='Example: `touchstone purchase request 0197… --by "Rae Requester"`')
def request(
    assessment: Annotated[str, typer.Argument(help="Id of the assessment; see queue --json.")],
    by: By,
    json: JsonFlag = False,
) -> None:
    """Propose to buy from a listing, on suspicion."""
    from purchases import proposals

    assessment_id = parse_id(assessment, "assessment")
    with open_house() as house, house.database.writing() as session:
        row = _row(proposals.request(session, assessment_id, by))
    _say(row, json)


@app.command(epilog='Example: `touchstone purchase draw 0197… --by "Rae Requester"`')
def draw(
    frame: Annotated[str, typer.Argument(help="Id of a frame that was drawn from.")],
    by: By,
    json: JsonFlag = False,
) -> None:
    """Propose to buy each listing of a drawn sample: the random arm."""
    from purchases import proposals

    frame_id = parse_id(frame, "frame")
    with open_house() as house, house.database.writing() as session:
        rows = [_row(purchase) for purchase in proposals.propose_drawn(session, frame_id, by)]
    if json:
        emit_json(rows)
        return
    out.print(f"{len(rows)} purchases are proposed, each at its place in the sample.")


@app.command(epilog="Example: `touchstone purchase estimate 0197…`")
def estimate(
    frame: Annotated[str, typer.Argument(help="Id of a frame that was drawn from.")],
    json: JsonFlag = False,
) -> None:
    """Estimate the share of counterfeits in a frame, from its random purchases alone."""
    frame_id = parse_id(frame, "frame")
    with open_house() as house, house.database.reading() as session:
        found = estimates.estimate(session, frame_id)
    if json:
        emit_json(asdict(found))
        return
    share = "not known yet" if found.share is None else f"{found.share:.1%}"
    between = ""
    if found.low is not None and found.high is not None:
        between = f" (95 %: {found.low:.1%} to {found.high:.1%})"
    out.print(
        f"{found.drawn} drawn, {found.decided} decided, {found.fakes} counterfeit: {share}{between}"
    )
    if found.decided < found.drawn:
        least, most = f"{found.least:.1%}", f"{found.most:.1%}"
        out.print(f"Were all that is not decided genuine: {least}; counterfeit: {most}")


@app.command(epilog='Example: `touchstone purchase approve 0197… --by "Ada Lovelace"`')
def approve(
    purchase: str,
    by: By,
    limit: Annotated[
        str | None, typer.Option(help="The most it may cost in all, as '80.00 EUR'.")
    ] = None,
    case: Annotated[str | None, typer.Option(help="Reference of the case it is for.")] = None,
    json: JsonFlag = False,
) -> None:
    """Approve a proposal: the money is reserved. Then it is assigned."""
    from insight.rates import running_rates
    from purchases import proposals

    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house, house.database.writing() as session:
        made = proposals.approve(
            session, purchase_id, by, _money("--limit", limit),
            rates=running_rates(house.settings), case=case,
        )  # fmt: skip
        row = _row(made)
    _say(row, json)


@app.command(epilog='Example: `touchstone purchase assign 0197… --by "Ada Lovelace"`')
def assign(
    purchase: str,
    by: By,
    buyer: Annotated[str | None, typer.Option(help="Who buys; else who bought least.")] = None,
    persona: Annotated[
        str | None, typer.Option(help="Label of the persona; else one new to the seller.")
    ] = None,
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="The buyer orders; no checkout is run.")
    ] = False,
    work: Annotated[
        bool, typer.Option("--work/--no-work", help="With the embedded broker: buy at once.")
    ] = True,
    json: JsonFlag = False,
) -> None:
    """Give a purchase to a buyer: its checkout is run, up to the ordering click or through it.

    What is not as expected waits for the buyer in the console (`touchstone serve`), for as many
    minutes as the setting person_minutes says.
    """
    from purchases import assigning

    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house:
        at_once = work and house.settings.broker_url == "embedded:" and not by_hand
        if at_once:
            _look_ahead(house, purchase_id)
        with house.database.writing() as session:
            assigning.assign(
                session, open_vault(house.settings), purchase_id, by,
                how="hand" if by_hand else "browser", buyer=buyer, persona=persona,
            )  # fmt: skip
        died: TouchstoneError | None = None
        if at_once:
            try:
                # And the stamps of its capture, which are worth most at once.
                work_until_idle(house, only=("purchase", "stamp"))
            except TouchstoneError as error:
                died = error  # what came of the purchase is told all the same
        with house.database.reading() as session:
            row = _row(session.get_one(Purchase, purchase_id))
    _say(row, json)
    if died is not None:
        raise died
    if at_once and row["state"] in ("assigned", "ordering"):
        raise TouchstoneError(f"purchase {purchase_id} is not over: see touchstone job list")


def _look_ahead(house: House, purchase_id: UUID) -> None:
    """Make sure, before anything is written, that the checkout can begin.

    Raises
    ------
    TouchstoneError
        If there is no browser, or the shop does not answer.
    """
    from crawler.crawling.ahead import Ahead, preflight
    from crawler.network.politeness import Pace

    with house.database.reading() as session:
        purchase = session.get(Purchase, purchase_id)
        if purchase is None or purchase.state != "approved":
            return  # what is wrong with that, the assignment itself says
        marketplace = purchase.listing.marketplace
        ahead = Ahead(
            marketplace.name,
            marketplace.kind,
            marketplace.url,
            robots=marketplace.robots_ignored_by is None,
            pace=Pace(marketplace.requests_per_second, marketplace.requests_at_once),
        )
    preflight(house.settings, ahead, captures=True)


@app.command(epilog='Example: `touchstone purchase task 0197… --by "Bea Buyer"`')
def task(purchase: str, by: By, json: JsonFlag = False) -> None:
    """Show the buyer what to buy, and as whom, while it is theirs to do."""
    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house, house.database.reading() as session:
        bought = session.get(Purchase, purchase_id)
        if bought is None:
            raise TouchstoneError(f"there is no purchase {purchase_id}")
        person, vault = people.find(session, by), open_vault(house.settings)
        persona = personas.shown_to(session, vault, bought, person)
        said: dict[str, Any] = {
            "id": bought.id,
            "url": bought.listing.url,
            "title": bought.snapshot.title,
            "seller": bought.snapshot.seller.name if bought.snapshot.seller else None,
            "limit": str(bought.limit),
            "next": [way.after for way in following(bought.state) if "buyer" in way.offices],
            "persona": persona.model_dump(),
            "means": personas.means_of(session, vault, bought, person),
        }
    if json:
        emit_json(said)
        return
    for name in ("title", "seller", "url", "limit"):
        out.print(f"{name}: {plain(said[name])}")
    for name, value in said["persona"].items():
        out.print(f"{name}: {plain(value)}")
    if said["means"]:
        out.print(f"pay by: {plain(said['means'])}")


@app.command(
    "file",
    epilog='Example: `touchstone purchase file 0197… order.png --kind order --by "Bea Buyer"`',
)
def file_(
    purchase: str,
    path: Annotated[Path, typer.Argument(metavar="FILE")],
    by: By,
    kind: Annotated[str, typer.Option(help=f"What it shows: {', '.join(FILES)}.")],
    json: JsonFlag = False,
) -> None:
    """Keep a photograph, video or paper of a purchase as an exhibit of its case."""
    from evidence.custody.cases import store_file
    from purchases import files

    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house:
        stored = store_file(house.blobs, path)
        with house.database.writing() as session:
            kept = files.add(session, house.blobs, purchase_id, stored, by=by, kind=kind)
            said = {"sha256": kept.sha256, "exhibit_id": kept.exhibit_id, "taken": kept.taken}
    if json:
        emit_json(said)
        return
    out.print(f"Kept as an exhibit, SHA-256 {said['sha256']}")


@app.command(
    epilog='Example: `touchstone purchase tell 0197… shipped --by "Bea" --detail carrier=DHL '
    "--detail tracking=17`"
)
def tell(
    purchase: str,
    to: Annotated[str, typer.Argument(help="ordering, ordered, paid, shipped, …")],
    by: By,
    order_number: Annotated[str | None, typer.Option()] = None,
    total: Annotated[str | None, typer.Option(help="What was ordered for, in all.")] = None,
    paid: Annotated[str | None, typer.Option(help="What was paid.")] = None,
    refunded: Annotated[str | None, typer.Option(help="What came back.")] = None,
    outcome: Annotated[str | None, typer.Option(help="not_delivered or refunded.")] = None,
    examiner: Annotated[str | None, typer.Option()] = None,
    second_examiner: Annotated[str | None, typer.Option()] = None,
    detail: Annotated[list[str] | None, typer.Option(help="name=value; again for more.")] = None,
    note: Annotated[str, typer.Option()] = "",
    json: JsonFlag = False,
) -> None:
    """Tell that a purchase is a step further; what is missing, it says."""
    from insight.rates import running_rates
    from purchases import manual

    purchase_id = parse_id(purchase, "purchase")
    pairs = [one.partition("=") for one in detail or ()]
    if any(not sign for _, sign, _ in pairs):
        raise TouchstoneError("--detail: write name=value")
    with open_house() as house, house.database.writing() as session:
        done = manual.tell(
            session, purchase_id, by, to,
            note=note, order_number=order_number, total=_money("--total", total),
            paid=_money("--paid", paid), refunded=_money("--refunded", refunded),
            outcome=outcome, examiner=examiner, second_examiner=second_examiner,
            rates=running_rates(house.settings),
            details={name.strip(): value for name, _, value in pairs},
        )  # fmt: skip
        row = _row(done)
    _say(row, json)


@app.command(epilog='Example: `touchstone purchase reject 0197… --by "Ada" --note "own shop"`')
def reject(
    purchase: str, by: By, note: Annotated[str, typer.Option()] = "", json: JsonFlag = False
) -> None:
    """Reject a proposal: nothing is bought."""
    from purchases import proposals

    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house, house.database.writing() as session:
        proposals.reject(session, purchase_id, by, note)
        row = _row(session.get_one(Purchase, purchase_id))
    _say(row, json)


@app.command(
    epilog='Example: `touchstone purchase settle 0197… --by "Ada" --ordered --order-number B-17`'
)
def settle(
    purchase: str,
    by: By,
    ordered: Annotated[
        bool, typer.Option("--ordered/--not-ordered", help="What you found out at the shop.")
    ],
    order_number: Annotated[str | None, typer.Option()] = None,
    note: Annotated[str, typer.Option(help="How you know.")] = "",
    json: JsonFlag = False,
) -> None:
    """Settle an unclear outcome by what you found out; nothing is clicked again."""
    from purchases import proposals

    purchase_id = parse_id(purchase, "purchase")
    with open_house() as house, house.database.writing() as session:
        proposals.settle(session, purchase_id, by, ordered, order_number, note)
        row = _row(session.get_one(Purchase, purchase_id))
    _say(row, json)


def _money(option: str, text: str | None) -> Money | None:
    try:
        return None if text is None else Money.parse(text)
    except ValueError as error:
        raise TouchstoneError(f"{option}: {error}") from error


def _row(purchase: Purchase) -> dict[str, Any]:
    listing = purchase.listing
    return {
        "id": purchase.id,
        "state": purchase.state,
        "marketplace": listing.marketplace.name,
        "external_id": listing.external_id,
        "url": listing.url,
        "limit": str(purchase.limit),
        "requested_by": purchase.requested_by,
        "approved_by": purchase.approved_by,
        "buyer": purchase.buyer,
        "arm": purchase.arm,
        "outcome": purchase.outcome,
        "clicked_at": purchase.clicked_at,
        "order_number": purchase.order_number,
        "total": (
            f"{purchase.order_amount} {purchase.order_currency}"
            if purchase.order_amount is not None
            else None
        ),
        "note": purchase.note,
    }


def _say(row: dict[str, Any], json: bool) -> None:
    if json:
        emit_json(row)
        return
    order = f", order {row['order_number']}, {row['total']}" if row["order_number"] else ""
    note = f": {row['note']}" if row["note"] else ""
    out.print(f"Purchase {row['id']} is {row['state']}{order}{note}", markup=False)

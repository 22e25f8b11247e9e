"""`touchstone sample`: the random check, frozen, drawn and verified."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.cli.house import open_house, parse_day, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain, table
from insight import random_check
from insight.sampling import DIMENSIONS
from registry.errors import TouchstoneError
from registry.models import FrameListing, Listing, SampleFrame
from registry.models.base import utcnow

app = typer.Typer(
    help="The random check: what a search for suspects would never show.", no_args_is_help=True
)

Frame = Annotated[str, typer.Argument(help="A frame's id, or the beginning of it.")]


@app.command(
    epilog="Examples: `touchstone sample freeze --size 300 --days 30`, "
    "`… --since 2026-10-01 --until 2026-11-01 --brand velaro --by marketplace,price`"
)
def freeze(
    size: Annotated[int, typer.Option(min=1, help="How many listings will be drawn.")],
    since: Annotated[str | None, typer.Option(help="First day of the window, UTC.")] = None,
    until: Annotated[
        str | None, typer.Option(help="The day after its last, UTC; until now if left out.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Instead of --since: so many days back.")
    ] = None,
    brand: Annotated[str | None, typer.Option(help="Only what was seen for this brand.")] = None,
    marketplace: Annotated[
        list[str] | None, typer.Option(help="Only these; may be given again.")
    ] = None,
    by: Annotated[
        str, typer.Option(help=f"What makes the strata, of {', '.join(DIMENSIONS)}.")
    ] = ",".join(DIMENSIONS),
    json: JsonFlag = False,
) -> None:
    """Freeze all listings seen in a window under a hash, with strata and sample size.

    The seed comes afterwards, from somebody else: so nobody can choose what is drawn.
    """
    now = utcnow()
    end = _day(until, "--until") if until else now
    if (since is None) == (days is None):
        raise TouchstoneError("give the window: either --since or --days")
    start = _day(since, "--since") if since else end - timedelta(days=days or 0)
    dimensions = [part.strip() for part in by.split(",") if part.strip()]
    with open_house() as house, house.database.writing() as session:
        frame = random_check.freeze(
            session,
            since=start,
            until=end,
            size=size,
            actor=house.settings.operator,
            brand=brand,
            marketplaces=marketplace or (),
            by=dimensions,
        )
        told = _told(frame)
    if json:
        emit_json(told)
        return
    out.print(f"Frozen: {frame.listings} listings in {len(frame.strata)} strata, frame {frame.id}")
    _say_blind(told)
    out.print(f"SHA-256 {frame.sha256}: publish it now.")
    out.print(f"Then: touchstone sample draw {frame.id} --seed TEXT --source WHERE")


@app.command(
    epilog="Example: `touchstone sample draw 0198… --seed '04 11 23 31 40 47' "
    "--source 'Lotto 6aus49 of 28 November 2026'`"
)
def draw(
    frame: Frame,
    seed: Annotated[
        str, typer.Option(help="Made public after the frame was frozen, by somebody else.")
    ],
    source: Annotated[str, typer.Option(help="Where the seed can be read.")],
    json: JsonFlag = False,
) -> None:
    """Draw the sample of a frame, once."""
    with open_house() as house, house.database.writing() as session:
        found = _find(session, frame)
        sample = random_check.draw_sample(
            session, found.id, seed=seed, source=source, actor=house.settings.operator
        )
        told = _told(found)
    if json:
        emit_json({**told, "sample": [one.listing_id for one in sample]})
        return
    out.print(f"Drawn: {len(sample)} of {found.listings}; SHA-256 {found.sample_sha256}")
    out.print(f"See them: touchstone sample show {found.id}")


@app.command(epilog="Example: `touchstone sample verify 0198…`")
def verify(frame: Frame, json: JsonFlag = False) -> None:
    """Hold a frame and its sample against their hashes, the ledger, and a draw done again."""
    with open_house() as house, house.database.reading() as session:
        found = _find(session, frame)
        checks = random_check.verify(session, found.id)
    if json:
        emit_json([{"check": c.name, "ok": c.ok, "said": c.said} for c in checks])
    else:
        for check in checks:
            mark = "[green]ok  [/]" if check.ok else "[bold red]FAIL[/]"
            out.print(f"{mark} [bold]{check.name}[/]: {plain(check.said)}")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


@app.command(
    epilog="Examples: `touchstone sample show`, `touchstone sample show 0198…`, "
    "`touchstone sample show 0198… --canonical | sha256sum`"
)
def show(
    frame: Annotated[str | None, typer.Argument(help="A frame; all if left out.")] = None,
    canonical: Annotated[
        bool, typer.Option("--canonical", help="The text that was hashed, and nothing else.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """List the frames, or show one: its strata, and the listings drawn from it."""
    if frame is None and canonical:
        raise TouchstoneError("--canonical is of one frame: name it")
    with open_house() as house, house.database.reading() as session:
        if frame is None:
            found = session.scalars(select(SampleFrame).order_by(SampleFrame.id))
            rows = [_told(each) for each in found]
        else:
            one = _find(session, frame)
            if canonical:
                sys.stdout.write(random_check.canonical(session, one.id))
                return
            sample = _sample(session, one)
            rows = [{**_told(one), "sample": sample}]
    if json:
        emit_json(rows if frame is None else rows[0])
    elif frame is None:
        names = ("id", "since", "until", "listings", "size", "frozen_at", "drawn_at")
        table(
            ("Frame", "From", "Until", "Listings", "Sample", "Frozen", "Drawn"),
            ([row[name] for name in names] for row in rows),
            empty="No frame yet: touchstone sample freeze",
        )
    else:
        _say(rows[0])


def _say_blind(told: dict[str, Any]) -> None:
    if told["blind"]:
        runs = "run was" if len(told["blind"]) == 1 else "runs were"
        where = ", ".join(sorted({marketplace for marketplace, _ in told["blind"]}))
        out.print(
            f"[bold red]{len(told['blind'])} {runs} unhealthy in that window[/] ({plain(where)}): "
            "what they did not see is not in the frame, which says so. See touchstone alarms."
        )


def _say(told: dict[str, Any]) -> None:
    out.print(f"Frame {told['id']}, SHA-256 {told['sha256']}")
    out.print(f"Seen from {told['since']} until {told['until']}; frozen by {told['frozen_by']}")
    _say_blind(told)
    table(
        ("Stratum", "Listings", "Drawn", "Probability"),
        ((name, count, share, f"{share / count:.4f}") for name, count, share in told["strata"]),
        empty="",
    )
    if told["seed"] is None:
        out.print("Nothing was drawn yet.")
        return
    out.print(f"Drawn with the seed {plain(told['seed'])!r}: {plain(told['seed_source'])}")
    table(
        ("Listing", "Probability", "Stratum", "Address"),
        ((one["listing"], f"{one['probability']:.4f}", one["stratum"], one["url"])
         for one in told["sample"]),
        empty="",
    )  # fmt: skip


def _told(frame: SampleFrame) -> dict[str, Any]:
    return {
        "id": frame.id,
        "sha256": frame.sha256,
        "since": frame.terms["since"],
        "until": frame.terms["until"],
        "brand": frame.terms["brand"],
        "marketplaces": frame.terms["marketplaces"],
        "blind": frame.terms.get("blind", []),
        "listings": frame.listings,
        "size": frame.size,
        "strata": frame.strata,
        "frozen_by": frame.frozen_by,
        "frozen_at": frame.frozen_at,
        "seed": frame.seed,
        "seed_source": frame.seed_source,
        "sample_sha256": frame.sample_sha256,
        "drawn_by": frame.drawn_by,
        "drawn_at": frame.drawn_at,
    }


def _sample(session: Session, frame: SampleFrame) -> list[dict[str, Any]]:
    rows = session.execute(
        select(FrameListing, Listing)
        .join(Listing, Listing.id == FrameListing.listing_id)
        .where(FrameListing.frame_id == frame.id, FrameListing.drawn.is_not(None))
        .order_by(FrameListing.stratum, FrameListing.drawn)
    )
    return [
        {
            "listing": listing.id,
            "url": listing.url,
            "stratum": one.stratum,
            "place": one.drawn,
            "probability": one.probability,
        }
        for one, listing in rows
    ]


def _find(session: Session, text: str) -> SampleFrame:
    if len(text) == 36:
        return random_check.find_frame(session, parse_id(text, "frame"))
    frames = session.scalars(select(SampleFrame)).all()
    fitting = [frame for frame in frames if text and str(frame.id).startswith(text.lower())]
    if len(fitting) != 1:
        many = "no frame begins" if not fitting else f"{len(fitting)} frames begin"
        raise TouchstoneError(f"{many} with {text!r}: see touchstone sample show")
    return fitting[0]


def _day(text: str, option: str) -> datetime:
    return datetime.combine(parse_day(text, option), time(), UTC)

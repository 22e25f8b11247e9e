"""`touchstone match`: the matchers by hand, on a title or a picture, and what they learned."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.text import Text

from console.cli.house import open_house, parse_id
from console.cli.output import JsonFlag, emit_json, out, plain, progress, table
from registry.errors import TouchstoneError
from registry.money import Money

app = typer.Typer(
    help="Try the matchers on a title or a picture, replay assessments, learn from verdicts.",
    no_args_is_help=True,
)

BrandOption = Annotated[str | None, typer.Option("--brand", help="Slug of a registered brand.")]


@app.command(
    epilog="Examples: `touchstone match title 'V3laro tote 1:1 replica' --brand velaro`, "
    "`touchstone match title '…' --brand velaro --price '39.00 EUR' --category bags --json`"
)
def title(
    text: Annotated[str, typer.Argument(metavar="TITLE", help="A listing's title.")],
    brand: Annotated[str, typer.Option(help="Slug of a registered brand.")],
    description: Annotated[str, typer.Option(help="Its description.")] = "",
    category: Annotated[str | None, typer.Option(help="The category that it stands in.")] = None,
    price: Annotated[str | None, typer.Option(help="As in '39.00 EUR'.")] = None,
    condition: Annotated[str | None, typer.Option(help="New, used …")] = None,
    ships_from: Annotated[str | None, typer.Option(help="Where it is sent from.")] = None,
    json: JsonFlag = False,
) -> None:
    """Judge a listing of these words: the words marked, every signal, the figure."""
    # Late, here and below: OpenCV and faiss take a second that other commands need not wait.
    import matchers
    from console.cli import matching
    from insight.models import running_model
    from insight.rates import running_rates
    from matchers.values import Context, to_json

    asked = None
    if price is not None:
        try:
            asked = Money.parse(price)
        except ValueError as error:
            raise TouchstoneError(f"--price: {error}") from error
    with open_house() as house, house.database.reading() as session:
        registered = matching.brand_of(session, brand)
        model, rates = running_model(session), running_rates(house.settings)
    listing = matchers.Listing(
        title=text,
        description=description,
        price=asked,
        marketplace="",
        seller_id=None,
        seller_name=None,
        brand=None,
        condition=condition,
        pictures=(),
        seen_at=datetime.now(UTC),
        category=category,
        ships_from=ships_from,
    )
    found = matchers.assess(listing, registered, Context(rates=rates), model=model)
    if json:
        emit_json(to_json(found))
        return
    spans = [span for signal in found.signals for span in signal.spans]
    out.print(matching.marked(text, spans, "title"))
    if description:
        out.print(matching.marked(description, spans, "description"))
    _say_assessment(found)


def _say_assessment(found: Any) -> None:
    what = found.gate or found.outcome
    kind = f", {found.kind.replace('_', ' ')}" if found.kind else ""
    out.print(f"\n[bold]{found.score:.3f}[/] {what.replace('_', ' ')}{kind}")
    table(
        ("Signal", "Log-odds", "What was found"),
        (
            (signal.name.replace("_", " "), f"{signal.contribution:+.2f}", signal.reason)
            for signal in sorted(found.signals, key=lambda s: -abs(s.contribution))
        ),
        empty="No signal.",
    )
    said = " · ".join(f"{name} {value}" for name, value in sorted(found.versions.items()))
    out.print(Text(said, style="dim"))


@app.command(
    epilog="Examples: `touchstone match picture photo.jpg --brand velaro --outline out.png`, "
    "`touchstone match picture photo.jpg --against front.jpg --against logo.png`"
)
def picture(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Pictures to look at.")],
    brand: BrandOption = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="A picture to look for; again for more. Needs no database."),
    ] = None,
    outline: Annotated[
        Path | None,
        typer.Option(help="Draw the surest match here: both pictures, the matched area outlined."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Say which registered picture a picture shows, whole or in part, edited or not."""
    from console.cli import matching

    if (brand is None) == (not against):
        raise TouchstoneError("give --brand SLUG, or --against PICTURE, and not both")
    looked = (
        matching.look_against(files, against)
        if against
        else matching.look_for_brand(files, str(brand))
    )
    if outline is not None:
        matching.draw_surest(looked, outline)
    if json:
        emit_json([one.as_dict() for one in looked])
    else:
        table(
            ("Picture", "Shows", "How", "Sure", "Features", "Bits apart"),
            (
                (one.file, m.name, m.found.view, f"{m.found.confidence:.3f}", m.found.inliers,
                 m.found.distance)
                for one in looked
                for m in one.matches
            ),
            empty="None of the pictures that were looked for is in them.",
        )  # fmt: skip
        for one in looked:
            if one.fault is not None:
                out.print(f"{plain(one.file)}: [red]{plain(one.fault)}[/]")
        if outline is not None and any(one.matches for one in looked):
            out.print(f"Drawn: {plain(outline)}")
    if any(one.fault is not None for one in looked):
        raise typer.Exit(1)


@app.command(epilog="Example: `touchstone match words --terms terms.txt < titles.txt > hits.jsonl`")
def words(
    terms: Annotated[
        Path,
        typer.Option(
            help="One term a line; after a tab, its Nice classes (18,25); after another, words "
            "that name its goods (bag,tote). # begins a comment."
        ),
    ],
    every: Annotated[bool, typer.Option("--all", help="Lines without a hit too.")] = False,
) -> None:
    """Find terms in titles, one a line from standard input; JSON lines out. No database."""
    from console.cli.matching import find_words

    find_words(terms, every)


@app.command(epilog="Example: `touchstone match replay 0197…`")
def replay(
    assessment: Annotated[str, typer.Argument(help="Its id: `touchstone queue --json`.")],
    json: JsonFlag = False,
) -> None:
    """Work an assessment out again from what was kept of it, and say whether it is the same.

    Ends with code 1 where it is not: then a version of the matchers differs, and which one is
    said.
    """
    from insight.replaying import replay as again

    assessment_id = parse_id(assessment, "listing's assessment")
    with open_house() as house, house.database.reading() as session:
        found = again(session, assessment_id)
    if json:
        emit_json(
            {
                "assessment_id": found.assessment_id,
                "same": found.same,
                "differences": found.differences,
                "then": {
                    "score": found.score_then,
                    "outcome": found.outcome_then,
                    "versions": found.versions_then,
                },
                "now": {
                    "score": found.score_now,
                    "outcome": found.outcome_now,
                    "versions": found.versions_now,
                },
            }
        )
    else:
        said = "[green]the same[/]" if found.same else "[bold red]not the same[/]"
        out.print(f"{said}: {found.score_then:.6f} then, {found.score_now:.6f} now")
        for difference in found.differences:
            out.print(f"  {plain(difference)}")
        table(
            ("Version of", "Then", "Now"),
            (
                (name, found.versions_then.get(name), found.versions_now.get(name))
                for name in sorted(found.versions_then.keys() | found.versions_now.keys())
            ),
            empty="No versions were kept.",
        )
    if not found.same:
        raise typer.Exit(1)


@app.command(epilog="Example: `touchstone match models --json`")
def models(json: JsonFlag = False) -> None:
    """List the model that ships and those that were learned; which one judges."""
    from console.cli.matching import report_line
    from insight.models import SHIPPED, learned
    from matchers.model import shipped

    with open_house() as house, house.database.reading() as session:
        kept = learned(session)
        rows: list[dict[str, Any]] = [
            {
                "version": row.version,
                "active": row.active,
                "created_at": row.created_at,
                "report": row.report,
            }
            for row in kept
        ]
    rows.append(
        {
            "version": SHIPPED,
            "active": not any(row["active"] for row in rows),
            "created_at": None,
            "report": {"version": shipped().version, "provenance": shipped().provenance},
        }
    )
    if json:
        emit_json(rows)
        return
    table(
        ("", "Model", "Made", "Of"),
        (
            (
                "▶" if row["active"] else "",
                row["version"],
                row["created_at"] and f"{row['created_at']:%Y-%m-%d %H:%M}",
                row["report"].get("provenance") or report_line(row["report"]),
            )
            for row in rows
        ),
        empty="",
    )


@app.command(epilog="Examples: `touchstone match use shipped`, `touchstone match use 3fa9…`")
def use(
    version: Annotated[str, typer.Argument(help="As `touchstone match models` says; or shipped.")],
    json: JsonFlag = False,
) -> None:
    """Have this model judge from now on. What was judged stays as it was judged."""
    from insight.models import use as put_in_place

    with open_house() as house, house.database.writing() as session:
        model = put_in_place(session, version)
    if json:
        emit_json({"version": model.version, "active": True})
    else:
        out.print(f"Model [bold]{plain(model.version)}[/] judges from now on.")


@app.command(
    epilog="Examples: `touchstone match rejudge --dry-run`, "
    "`touchstone match rejudge --brand velaro --limit 5000`"
)
def rejudge(
    brand: BrandOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many listings.")] = 10_000,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many, and leave all as it is.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Have listings judged again that an older model or matcher judged: the newest state of each.

    Makes jobs, which `touchstone jobs` counts down; each is asked for once. The old assessments
    stay, and none of this accuses anybody.
    """
    from console.cli import matching
    from insight.rejudging import current_versions, rejudge_page

    seen = outdated = asked = 0
    after = None
    with open_house() as house, progress() as bar:
        with house.database.reading() as session:
            brand_id = None if brand is None else UUID(matching.brand_of(session, brand).id)
            now = current_versions(session)
        task = bar.add_task("judged by older versions", total=None, detail="")
        opened = house.database.reading if dry_run else house.database.writing
        while True:
            with opened() as session:
                page = rejudge_page(
                    session, now, after=after, brand_id=brand_id,
                    most=limit - asked, ask=not dry_run,
                )  # fmt: skip
            seen, outdated = seen + page.seen, outdated + page.outdated
            asked, after = asked + page.asked, page.last
            bar.update(task, completed=outdated, detail=f"of {seen} looked at")
            if after is None or asked >= limit:
                break
    if json:
        emit_json(
            {"versions": now, "seen": seen, "outdated": outdated, "asked": asked,
             "more": after is not None}
        )  # fmt: skip
        return
    out.print(f"{seen} listings looked at; {outdated} of them were judged by other versions.")
    if not dry_run:
        out.print(f"{asked} jobs made: touchstone jobs")
    if after is not None:
        out.print(f"There may be more: --limit {limit} was reached.")


@app.command(epilog="Example: `touchstone match index`")
def index(json: JsonFlag = False) -> None:
    """Make the index of all registered pictures now, where it is not there yet."""
    from insight.references import open_index

    with open_house() as house, progress() as bar:
        task = bar.add_task("index", total=None, detail="")

        def show(done: int, total: int, what: str) -> None:
            bar.update(task, description=what, completed=done, total=total)

        opened = open_index(house.database, house.blobs, house.settings, show)
        size = sum(file.stat().st_size for file in opened.folder.rglob("*"))
    row = {
        "version": opened.version,
        "folder": opened.folder,
        "pictures": opened.pictures,
        "indexed": len(opened.index),
        "left_out": opened.left_out,
        "bytes": size,
    }
    if opened.embedded is not None:
        row["vectors"] = len(opened.embedded.index)
    if json:
        emit_json(row)
        return
    out.print(
        f"{len(opened.index)} of {opened.pictures} registered pictures, {size / 1e6:.1f} MB: "
        f"{plain(opened.folder)}"
    )
    if opened.embedded is not None:
        out.print(f"  {len(opened.embedded.index)} of them have a vector by the picture model")
    for sha256, fault in opened.left_out.items():
        out.print(f"  left out: {sha256:.16}… {plain(fault)}")


@app.command(epilog="Examples: `touchstone match learn --dry-run`, `touchstone match learn --json`")
def learn(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and leave all as it is.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Learn a model from people's verdicts; it replaces the running one only if it is better.

    A part of the verdicts is held back for the trial, by seller and product.
    """
    from insight.examples import learn as fit

    with open_house() as house, house.database.writing() as session:
        report = fit(session, keep_it=not dry_run).report
    if json:
        emit_json(report.to_json())
        return
    out.print(
        f"{report.examples} verdicts on {report.groups} sellers and products, "
        f"{report.positives} of them fakes; {report.held_back} held back."
    )
    if report.current is not None and report.learned is not None:
        table(
            ("On those held back", "Running", "Learned"),
            (
                (name.replace("_", " "), _figure(then), _figure(getattr(report.learned, name)))
                for name, then in asdict(report.current).items()
            ),
            empty="",
        )
    out.print(plain(report.reason))
    if report.replaces and not dry_run:
        out.print(f"Model [bold]{plain(report.learned_version)}[/] judges from now on.")
    else:
        out.print(f"Model [bold]{plain(report.current_version)}[/] stays.")


def _figure(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"

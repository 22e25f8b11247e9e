"""`touchstone marketplace`: what is known and under watch, a live try, and how to buy there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlalchemy import select

from console.cli.house import open_house
from console.cli.output import JsonFlag, emit_json, out, plain, table
from registry.errors import TouchstoneError
from registry.models import MODES, Marketplace
from registry.models.base import utcnow

if TYPE_CHECKING:
    from crawler.marketplaces import Definition
    from crawler.marketplaces.reading import PageRead

app = typer.Typer(
    help="Marketplaces: what is known of them, and which are under watch.", no_args_is_help=True
)

#: Outcomes after which a check has succeeded.
_GOOD = ("listing", "listings", "empty")


@app.command("list", epilog="Example: `touchstone marketplace list --json`")
def list_(json: JsonFlag = False) -> None:
    """List the marketplaces under watch, and what is supported of each kind.

    *Fixtures* is the day on which a kind's test pages were last seen to work; the years are
    those of the real pages among them, *made* stands where there are none.
    """
    from crawler.marketplaces import KINDS

    with open_house() as house, house.database.reading() as session:
        rows = [
            {
                "name": m.name,
                "kind": m.kind,
                "url": m.url,
                "mode": m.mode,
                "mode_by": m.mode_by,
                "mode_at": m.mode_at,
                "robots": f"ignored, says {m.robots_ignored_by}: {m.robots_why}"
                if m.robots_ignored_by
                else "obeyed",
                "delivers_to": m.delivers_to,
                "requests_per_second": m.requests_per_second,
                "requests_at_once": m.requests_at_once,
            }
            for m in session.scalars(select(Marketplace).order_by(Marketplace.name))
        ]
    support = [_support(definition) for definition in KINDS.values()]
    if json:
        emit_json({"marketplaces": rows, "kinds": sorted(KINDS), "support": support})
        return
    table(
        ("Name", "Kind", "Address", "Purchases", "robots.txt"),
        ((r["name"], r["kind"], r["url"], _mode(r), r["robots"]) for r in rows),
        empty="No marketplace yet: it comes with its first plan.",
    )
    out.print()
    parts = ("search", "listing", "seller", "api", "checkout")
    table(
        ("Kind", "Of", *(part.capitalize() for part in parts), "Fixtures"),
        (
            (s["kind"], s["title"], *("yes" if s[part] else "–" for part in parts), _fixtures(s))
            for s in support
        ),
        empty="No kind is known.",
    )


@app.command(
    epilog="Examples: `touchstone marketplace check ebay https://www.ebay.com/itm/123456789012`, "
    "`touchstone marketplace check bazaar --query bag`, "
    "`touchstone marketplace check amazon --file saved.html`"
)
def check(
    name: Annotated[str, typer.Argument(help="A marketplace under watch, or a kind.")],
    url: Annotated[str | None, typer.Argument(help="A listing or a page of results.")] = None,
    query: Annotated[
        str | None, typer.Option(help="Search for this, and read the first listing found.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Read a saved page instead of asking for one.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Let the page's scripts run first.")] = False,
    interface: Annotated[
        str | None,
        typer.Option(help="pages or api; both if left out and a token for the API is set."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Try a marketplace live, and say field by field what was read.

    The page is asked for through the gate and as robots.txt allows. A captcha, a login or a
    block is said to be that, and the command fails: they are for a person, not for tricks.
    """
    if url is None and query is None and file is None:
        raise TouchstoneError("check: give the address of a page, or --query, or --file")
    definition, base = _named(name)
    reads: list[PageRead] = []
    if file is not None:
        from crawler.marketplaces.reading import read_page

        reads = [read_page(file.read_bytes(), url, kind=definition.kind)]
    else:
        reads = _live(definition, url or base, query, browser, interface)
    if json:
        emit_json(
            {"marketplace": name, "kind": definition.kind, "pages": [_facts(r) for r in reads]}
        )
    else:
        for read in reads:
            _say(read)
    bad = next((read for read in reads if read.outcome not in _GOOD), None)
    if bad is not None:
        raise TouchstoneError(f"{bad.url}: {bad.outcome}: {bad.why}")


@app.command(epilog="Example: `touchstone marketplace new fleamarket --into .`")
def new(
    name: Annotated[str, typer.Argument(help="Of the module: small letters and digits.")],
    into: Annotated[Path, typer.Option(help="A checkout of Touchstone.")] = Path(),
    json: JsonFlag = False,
) -> None:
    """Lay out a new marketplace: a module with its page objects, and a test that runs."""
    from crawler.marketplaces import KINDS
    from crawler.marketplaces.scaffold import lay_out

    if name in KINDS:
        raise TouchstoneError(f"there is a kind {name!r} already; see marketplace list")
    module, test = lay_out(name, into, utcnow().date())
    if json:
        emit_json({"module": module, "test": test})
        return
    out.print(f"Wrote {plain(module)} and {plain(test)}. Now:")
    out.print(f"1. pytest {plain(test)}")
    out.print("2. Put the marketplace's own markup into both, page by page.")
    out.print("3. Name it in KINDS, in crawler/marketplaces/__init__.py.")


@app.command(epilog='Example: `touchstone marketplace mode bazaar automatic --by "Ann Admin"`')
def mode(
    name: str,
    to: Annotated[str, typer.Argument(metavar="MODE", help=", ".join(MODES))],
    by: Annotated[str, typer.Option("--by", help="Your name: it stands under this decision.")],
    json: JsonFlag = False,
) -> None:
    """Say how test purchases are made: rehearse, assisted or automatic.

    *rehearse*, the default, stops before the ordering click. *assisted*: the buyer makes the
    click, in the live browser in the console. *automatic*: the recipe makes it. Only an
    administrator lets a marketplace order; anybody takes it back to rehearsals.
    """
    from purchases.modes import set_mode

    with open_house() as house, house.database.writing() as session:
        marketplace = set_mode(session, name, to, by)
        said = {"name": name, "mode": marketplace.mode, "by": marketplace.mode_by}
    if json:
        emit_json(said)
    else:
        out.print(f"Test purchases on {plain(name)}: {to}, says {plain(said['by'])}.")


@app.command(epilog="Examples: `touchstone marketplace delivers bazaar DE AT`, `… bazaar`")
def delivers(
    name: str,
    countries: Annotated[
        list[str] | None,
        typer.Argument(help="ISO 3166-1 alpha-2, as DE; none: wherever a buyer lives."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Say to which countries a marketplace delivers: only personas who live there buy on it."""
    codes = [country.strip().upper() for country in countries or ()]
    odd = next((code for code in codes if not re.fullmatch("[A-Z]{2}", code)), None)
    if odd is not None:
        raise TouchstoneError(f"{odd!r} is no country of ISO 3166-1 alpha-2, as DE is")
    with open_house() as house, house.database.writing() as session:
        marketplace = session.scalar(select(Marketplace).where(Marketplace.name == name))
        if marketplace is None:
            raise TouchstoneError(f"there is no marketplace {name!r}; see marketplace list")
        marketplace.delivers_to = sorted(set(codes)) or None
        said = {"name": name, "delivers_to": marketplace.delivers_to}
    if json:
        emit_json(said)
    else:
        out.print(f"{plain(name)} delivers to {', '.join(codes) or 'wherever a buyer lives'}.")


def _mode(row: dict[str, Any]) -> str:
    return f"{row['mode']}, says {row['mode_by']}" if row["mode_by"] else str(row["mode"])


def _support(definition: Definition) -> dict[str, Any]:
    tested = definition.tested
    return {
        "kind": definition.kind,
        "title": definition.title,
        **definition.supports(),
        "interfaces": list(definition.interfaces),
        "fixtures_seen_to_work": tested.on.isoformat() if tested else None,
        "real_pages_of": list(tested.pages) if tested else [],
    }


def _fixtures(support: dict[str, Any]) -> str:
    if support["fixtures_seen_to_work"] is None:
        return "with every test run"
    pages = ", ".join(map(str, support["real_pages_of"])) or "made"
    return f"{support['fixtures_seen_to_work']} ({pages})"


def _named(name: str) -> tuple[Definition, str | None]:
    """The definition of a marketplace under watch, with its address, or of a kind."""
    from crawler.marketplaces import KINDS

    with open_house() as house, house.database.reading() as session:
        found = session.scalar(select(Marketplace).where(Marketplace.name == name))
        if found is not None and found.kind in KINDS:
            return KINDS[found.kind], found.url
    if name not in KINDS:
        raise TouchstoneError(f"there is no marketplace or kind {name!r}; see marketplace list")
    return KINDS[name], None


def _live(
    definition: Definition, url: str | None, query: str | None, browser: bool, interface: str | None
) -> list[PageRead]:
    from crawler.browsing.browser import find_chromium
    from crawler.marketplaces.interfaces import ApiDefinition, facing
    from crawler.marketplaces.live import check as check_live
    from crawler.marketplaces.live import check_api
    from crawler.network.conduct import asker_of

    if url is None:
        raise TouchstoneError(
            f"check: {definition.kind} is a kind and not under watch: give an address as well"
        )
    faced = facing(definition, url, interface)
    reads: list[PageRead] = []
    with open_house() as house:
        executable = find_chromium(house.settings.browser) if browser else None
        asker = asker_of(house.settings, house.database)
        if isinstance(faced, ApiDefinition):
            reads += check_api(asker, faced, url, query=query)
            if not reads and interface == "api":
                raise TouchstoneError(f"check: {url} is not the address of a listing")
        if interface != "api":
            reads += check_live(asker, definition, url, query=query, browser=executable)
    return reads


def _facts(read: PageRead) -> dict[str, Any]:
    """A page as JSON: what was not read is null, so that scripts see it."""
    found: dict[str, Any] = {"url": read.url, "outcome": read.outcome, "why": read.why or None}
    if read.outcome == "listing":
        seller = read.seller
        found |= {
            "title": read.title,
            "price": str(read.money.amount) if read.money else None,
            "currency": read.money.currency if read.money else None,
            "availability": read.availability,
            "seller": {"id": seller.id, "name": seller.name, "url": seller.url} if seller else None,
            "brand": read.brand,
            "condition": read.condition,
            "ships_from": read.ships_from,
            "images": list(read.images),
            "attributes": read.attributes,
        }
    elif read.outcome == "listings":
        found["next_page"] = read.next_page
        found["listings"] = [
            {
                "url": card.url,
                "title": card.name,
                "price": str(card.money.amount) if card.money else None,
                "currency": card.money.currency if card.money else None,
                "image": card.image,
                "sponsored": card.sponsored,
            }
            for card in read.cards
        ]
    return found


def _say(read: PageRead) -> None:
    out.print(f"{plain(read.url)}: [bold]{read.outcome}[/] {plain(read.why)}")
    if read.outcome == "listing":
        rows = _facts(read)
        seller = rows.pop("seller")
        rows["seller"] = f"{seller['name']} ({seller['id']})" if seller else None
        rows["images"] = f"{len(read.images)}: {read.images[0]}" if read.images else None
        rows["attributes"] = len(read.attributes) or None
        shown = ((key, rows[key]) for key in rows if key not in ("url", "outcome", "why"))
        table(("Field", "Read"), ((key, value or "not found") for key, value in shown), empty="")
    elif read.outcome == "listings":
        table(
            ("Title", "Price", "Sponsored", "Address"),
            ((c.name, c.money, "yes" if c.sponsored else "", c.url) for c in read.cards[:20]),
            empty="",
        )
        out.print(
            f"{len(read.cards)} listings; next page: {plain(read.next_page or 'none')}",
            highlight=False,
        )

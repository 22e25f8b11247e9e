"""`touchstone session` and `touchstone proxy`: logins that are kept, and ways out."""

from __future__ import annotations

import asyncio
import json as jsonlib
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.cli.house import House, open_house
from console.cli.output import JsonFlag, emit_json, out, plain, table
from registry.errors import TouchstoneError
from registry.models import Marketplace, Proxy, StoredSession

app = typer.Typer(
    help="Logins at marketplaces that are kept, sealed, for personas.", no_args_is_help=True
)
proxies = typer.Typer(help="Proxies that plans may name.", no_args_is_help=True)

MAX_FILE = 8 << 20
#: So long a person may take to log in.
LOGIN_SECONDS = 1_800.0

Market = Annotated[str, typer.Argument(help="A marketplace under watch.")]
Persona = Annotated[str, typer.Argument(help="As a plan's `persona:` has it.")]


@app.command("list", epilog="Example: `touchstone session list --json`")
def list_(json: JsonFlag = False) -> None:
    """List the logins: whose, where, and whether they still do. What they hold is not shown."""
    with open_house() as house, house.database.reading() as session:
        rows = [
            {
                "marketplace": row.marketplace.name,
                "persona": row.persona,
                "state": row.state,
                "updated_at": row.updated_at,
                "note": row.note,
            }
            for row in session.scalars(select(StoredSession).order_by(StoredSession.id))
        ]
    if json:
        emit_json({"sessions": rows})
        return
    table(
        ("Marketplace", "Persona", "State", "Updated", "Note"),
        (
            (
                r["marketplace"],
                r["persona"],
                r["state"],
                f"{r['updated_at']:%Y-%m-%d %H:%M}",
                r["note"],
            )
            for r in rows
        ),
        empty="No login is kept. To log in: touchstone session login MARKETPLACE PERSONA",
    )


@app.command(epilog="Example: `touchstone session add bazaar mina state.json`")
def add(
    marketplace: Market,
    persona: Persona,
    file: Annotated[Path, typer.Argument(help="Playwright's storage state, as JSON.")],
    json: JsonFlag = False,
) -> None:
    """Keep a login that was made elsewhere. The file itself is not sealed: delete it then."""
    from crawler.browsing.sessions import keep_login
    from registry.secrets import open_vault

    if file.stat().st_size > MAX_FILE:
        raise TouchstoneError(f"{file}: too large for a login")
    try:
        storage = jsonlib.loads(file.read_bytes())
    except ValueError as error:
        raise TouchstoneError(f"{file}: not JSON: {error}") from error
    if not isinstance(storage, dict):
        raise TouchstoneError(f"{file}: not an object with cookies and origins")
    with open_house() as house:
        vault = open_vault(house.settings)
        with house.database.writing() as session:
            where = _marketplace(session, marketplace)
            keep_login(session, vault, where.id, persona, storage, "added from a file")
    _said(
        json, {"marketplace": marketplace, "persona": persona, "state": "ok"}, "The login is kept."
    )


@app.command(epilog="Example: `touchstone session forget bazaar mina`")
def forget(marketplace: Market, persona: Persona, json: JsonFlag = False) -> None:
    """Forget a login. The marketplace itself is told nothing."""
    with open_house() as house, house.database.writing() as session:
        where = _marketplace(session, marketplace)
        row = session.scalar(
            select(StoredSession).where(
                StoredSession.marketplace_id == where.id, StoredSession.persona == persona
            )
        )
        if row is None:
            raise TouchstoneError(
                f"there is no login of {persona!r} at {marketplace}; see session list"
            )
        session.delete(row)
    _said(json, {"marketplace": marketplace, "persona": persona}, "The login is forgotten.")


@app.command(
    epilog="Examples: `touchstone session login bazaar mina`, "
    "`touchstone session login ebay mina --url https://signin.ebay.com/ --proxy home`"
)
def login(
    marketplace: Market,
    persona: Persona,
    url: Annotated[
        str | None, typer.Option(help="Where to log in; the marketplace's own page.")
    ] = None,
    proxy: Annotated[str | None, typer.Option(help="As a plan names it.")] = None,
    json: JsonFlag = False,
) -> None:
    """Open a browser in which a person logs in by way of the console, also on a headless server."""
    with open_house() as house:
        done = asyncio.run(_login(house, marketplace, persona, url, proxy))
    if not done:
        raise TouchstoneError("session login: nobody logged in; the login is as it was")
    _said(
        json, {"marketplace": marketplace, "persona": persona, "state": "ok"}, "The login is kept."
    )


async def _login(house: House, name: str, persona: str, url: str | None, proxy: str | None) -> bool:
    from playwright.async_api import Error as PlaywrightError

    from crawler.browsing.browser import CONTEXT_OPTIONS, find_chromium, open_browser, tame
    from crawler.browsing.sessions import find_login, keep_login, lock_login, unlock_login
    from crawler.browsing.takeover import offer
    from crawler.network.gate import Forbidden, gate_of
    from crawler.network.proxies import find_proxy
    from registry.secrets import open_vault

    settings, database, vault = house.settings, house.database, open_vault(house.settings)
    with database.writing() as session:
        where = _marketplace(session, name)
        kept = find_login(session, vault, where.id, persona)
        way = find_proxy(session, vault, proxy) if proxy else None
        if not lock_login(session, kept.id):
            raise TouchstoneError(f"{persona} is logging in at {name} just now: see /takeovers")
        there = url or where.url
    storage: dict[str, Any] | None = None
    try:
        gate = gate_of(settings)
        gate.check(there)
        async with open_browser(
            find_chromium(settings.browser), gate, proxy=way, seconds=LOGIN_SECONDS + 60
        ) as opened:
            options = dict(CONTEXT_OPTIONS)
            if kept.storage is not None:
                options["storage_state"] = kept.storage
            context = await opened.browser.new_context(**options)
            page = await context.new_page()
            await tame(page)
            await page.goto(there, wait_until="domcontentloaded")
            async with offer(
                page,
                kind="session",
                subject=kept.id,
                why=f"Log {persona} in at {name}, and give it back.",
                database=database,
                settings=settings,
                marketplace_id=kept.marketplace_id,
            ) as offered:
                out.print(f"Open /takeovers/{offered.id} in the console (touchstone serve).")
                if await offered.given_back(LOGIN_SECONDS):
                    storage = dict(await context.storage_state())
    except Forbidden as forbidden:
        raise TouchstoneError(f"session login: {forbidden}") from forbidden
    except PlaywrightError as error:
        reason = str(error).strip().splitlines()[0]
        raise TouchstoneError(f"session login: {there} does not come: {reason}") from error
    finally:
        with database.writing() as session:
            if storage is not None:
                keep_login(
                    session, vault, kept.marketplace_id, persona, storage, "logged in by a person"
                )
            elif kept.state == "ok":
                session.get_one(StoredSession, kept.id).state = "ok"
            else:
                unlock_login(session, kept.id, "nobody logged in")
    return storage is not None


@proxies.command("add", epilog="Example: `touchstone proxy add home` (asks for the address)")
def add_proxy(
    name: Annotated[str, typer.Argument(help="Small letters, digits and dashes.")],
    address: Annotated[
        str,
        typer.Option(
            prompt="Address (http, https or socks5://user:password@host:port)",
            hide_input=True,
            envvar="TOUCHSTONE_PROXY_ADDRESS",
            help="Better left to the question: the shell keeps what is typed here.",
        ),
    ],
    json: JsonFlag = False,
) -> None:
    """Keep a proxy's address, sealed, for plans to name (`proxy: NAME`)."""
    from crawler.network.proxies import keep_proxy
    from registry.networking import check_proxy
    from registry.secrets import open_vault

    try:
        if check_proxy(name) != name or ":" in name:
            raise ValueError("a name is small letters, digits and dashes")
        with open_house() as house:
            vault = open_vault(house.settings)
            with house.database.writing() as session:
                server = keep_proxy(session, vault, name, address)
    except ValueError as error:
        raise TouchstoneError(f"proxy {name}: {error}") from None
    _said(json, {"name": name, "proxy": str(server)}, f"Proxy {plain(name)} is {plain(server)}.")


@proxies.command("list", epilog="Example: `touchstone proxy list`")
def list_proxies(json: JsonFlag = False) -> None:
    """List the proxies, without user names and passwords."""
    with open_house() as house, house.database.reading() as session:
        rows = [
            {"name": row.name, "proxy": row.shown, "updated_at": row.updated_at}
            for row in session.scalars(select(Proxy).order_by(Proxy.name))
        ]
    if json:
        emit_json({"proxies": rows})
        return
    table(
        ("Name", "Proxy", "Updated"),
        ((r["name"], r["proxy"], f"{r['updated_at']:%Y-%m-%d %H:%M}") for r in rows),
        empty="No proxy is kept.",
    )


@proxies.command("forget", epilog="Example: `touchstone proxy forget home`")
def forget_proxy(name: str, json: JsonFlag = False) -> None:
    """Forget a proxy. Plans that name it fail from then on; none goes out without."""
    with open_house() as house, house.database.writing() as session:
        row = session.get(Proxy, name)
        if row is None:
            raise TouchstoneError(f"there is no proxy {name!r}; see proxy list")
        session.delete(row)
    _said(json, {"name": name}, "The proxy is forgotten.")


def _marketplace(session: Session, name: str) -> Marketplace:
    found = session.scalar(select(Marketplace).where(Marketplace.name == name))
    if found is None:
        raise TouchstoneError(f"there is no marketplace {name!r}; see marketplace list")
    return found


def _said(json: bool, value: dict[str, Any], sentence: str) -> None:
    if json:
        emit_json(value)
    else:
        out.print(sentence)

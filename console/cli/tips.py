"""`touchstone tips`: what people outside told us, and the page on which they do."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy import select

from console.cli.house import open_house, parse_id
from console.cli.leads import ForBrand, ForPlan, facts, whose
from console.cli.output import JsonFlag, emit_json, err, out, plain, table
from registry.errors import TouchstoneError
from registry.models import Tip

app = typer.Typer(help="Tips from the public and from volunteers.", no_args_is_help=True)

STATES = ("new", "accepted", "refused")
By = Annotated[str | None, typer.Option(help="Your name.")]


@app.command("list", epilog="Example: `touchstone tips list --state new --json`")
def list_(
    state: Annotated[str | None, typer.Option(help=", ".join(STATES))] = "new",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    json: JsonFlag = False,
) -> None:
    """List tips, the oldest first."""
    if state is not None and state not in STATES:
        raise TouchstoneError(f"there is no state {state!r}; there are: {', '.join(STATES)}")
    with open_house() as house, house.database.reading() as session:
        wanted = select(Tip).order_by(Tip.id).limit(limit)
        if state is not None:
            wanted = wanted.where(Tip.state == state)
        rows = [_facts(tip) for tip in session.scalars(wanted)]
    if json:
        emit_json(rows)
        return
    table(
        ("Id", "State", "Address", "What they say", "Contact"),
        ((r["id"], r["state"], r["url"], r["text"][:200], r["contact"]) for r in rows),
        empty="No tip waits.",
    )


@app.command(epilog="Example: `touchstone tips accept 0198… --brand velaro`")
def accept(
    tip: str, plan: ForPlan = None, brand: ForBrand = None, by: By = None, json: JsonFlag = False
) -> None:
    """Make a lead of a tip: the next run visits it."""
    from crawler.ways_in.tips import accept as accept_tip

    with open_house() as house, house.database.writing() as session:
        brand_id, plan_id = whose(session, plan, brand)
        name = by or house.settings.operator
        row = facts(accept_tip(session, parse_id(tip, "tip"), name, brand_id, plan_id))
    if json:
        emit_json(row)
    else:
        out.print(f"A lead: {plain(row['url'])} {plain(row['why_waiting'] or '')}")


@app.command(epilog="Example: `touchstone tips refuse 0198… --why 'an advertisement'`")
def refuse(
    tip: str,
    why: Annotated[str, typer.Option(help="For those who look later.")],
    by: By = None,
    json: JsonFlag = False,
) -> None:
    """Lay a tip aside."""
    from crawler.ways_in.tips import refuse as refuse_tip

    with open_house() as house, house.database.writing() as session:
        name = by or house.settings.operator
        row = _facts(refuse_tip(session, parse_id(tip, "tip"), name, why))
    if json:
        emit_json(row)
    else:
        out.print(f"Laid aside: {plain(row['reason'])}")


@app.command(epilog="Example: `touchstone tips serve --host 0.0.0.0 --name tips.velaro.example`")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8010,
    name: Annotated[
        list[str] | None, typer.Option(help="A name under which the page is reached.")
    ] = None,
) -> None:
    """Serve the page on which anybody may tell us of a listing, and nothing else.

    Apart from the console, which is not for the public; TOUCHSTONE_PUBLIC_TIPS switches it on.
    Behind a proxy on this machine, addresses are told apart by its X-Forwarded-For.
    """
    import uvicorn

    from console.serving import listen
    from console.tips.app import create_tips_app

    with open_house() as house:
        if not house.settings.public_tips:
            raise TouchstoneError(
                "tips from the public are switched off: set TOUCHSTONE_PUBLIC_TIPS=true"
            )
        socket = listen(host, port)
        shown = f"[{host}]" if ":" in host else host
        err.print(f"Tips: http://{shown}:{socket.getsockname()[1]}/tip  stop: Ctrl-C")
        app = create_tips_app(house.settings, house.database, allowed_hosts=name or ())
        config = uvicorn.Config(app, log_level="warning", server_header=False)
        uvicorn.Server(config).run(sockets=[socket])


def _facts(tip: Tip) -> dict[str, Any]:
    return {
        "id": tip.id,
        "state": tip.state,
        "url": tip.url,
        "text": tip.text,
        "contact": tip.contact,
        "reason": tip.reason,
        "decided_by": tip.decided_by,
        "decided_at": tip.decided_at,
        "lead": tip.lead_id,
        "created_at": tip.created_at,
    }

"""The command line's root: groups, version, and one clear line for every error."""

from __future__ import annotations

import errno
import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError, StatementError

from console.cli import (
    alarms,
    brands,
    cases,
    evidence,
    exams,
    jobs,
    keys,
    leads,
    ledger,
    manners,
    marketplaces,
    match,
    money,
    people,
    plans,
    purchases,
    queue,
    reconciling,
    runs,
    samples,
    schedules,
    sessions,
    system,
    tips,
    verdicts,
)
from console.cli.output import err, plain
from registry.errors import TouchstoneError

app = typer.Typer(
    name="touchstone",
    help="Finds counterfeits on online marketplaces and proves it.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    epilog="Start: `touchstone brand add brand.yaml`, then `touchstone watch plan.yaml`, then "
    "`touchstone serve`.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"touchstone {version('touchstone')}")
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say and exit.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done.")] = False,
) -> None:
    """Finds counterfeits on online marketplaces and proves it."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


system.add_to(app)
schedules.add_to(app)
queue.add_to(app)
verdicts.add_to(app)
app.add_typer(brands.app, name="brand")
app.add_typer(plans.app, name="plan")
manners.add_to(marketplaces.app)
app.add_typer(marketplaces.app, name="marketplace")
app.add_typer(sessions.app, name="session")
app.add_typer(sessions.proxies, name="proxy")
app.add_typer(match.app, name="match")
app.add_typer(evidence.app, name="evidence")
app.add_typer(cases.app, name="case")
app.add_typer(ledger.app, name="ledger")
reconciling.add_to(purchases.app, people.persona_app)
app.add_typer(purchases.app, name="purchase")
app.add_typer(people.app, name="people")
app.add_typer(people.persona_app, name="persona")
app.add_typer(people.secret_app, name="secret")
app.add_typer(money.app, name="money")
app.add_typer(exams.app, name="exam")
app.add_typer(samples.app, name="sample")
app.add_typer(leads.app, name="leads")
app.add_typer(tips.app, name="tips")
app.add_typer(jobs.app, name="job")
app.add_typer(alarms.app, name="alarms")
app.add_typer(runs.app, name="run")
app.add_typer(keys.app, name="key")


#: A name that somebody gave, and that leads nowhere.
_WRONG_NAMES = (
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP,
)  # fmt: skip


def main() -> None:
    """Run the command; an error that a person can mend is one line and exit code 1."""
    try:
        app()
    except TouchstoneError as error:
        _die(str(error))
    except DBAPIError as error:
        _die(f"database: {str(error.orig).strip().splitlines()[0]}: nothing was written")
    except StatementError as error:  # a value that no column takes
        _die(f"database: {type(error.orig).__name__}: {error.orig}: nothing was written")
    except OSError as error:
        if error.errno in _WRONG_NAMES and error.filename is not None:
            _die(f"{str(error.filename)[:200]}: {error.strerror}")
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES):
            raise
        where = f" at {error.filename}" if error.filename else ""
        _die(f"disk{where}: {error.strerror}: free some space or mend the rights, and try again")


def _die(message: str) -> None:
    err.print(f"[bold red]touchstone:[/] {plain(' '.join(message.split()))}", soft_wrap=True)
    sys.exit(1)

"""`python -m bazaar make | serve | ship | demo`."""

from __future__ import annotations

import argparse
import socket
import sys
from pathlib import Path

import uvicorn

from bazaar.accounts import Accounts
from bazaar.app import create_app
from bazaar.demo import Demo, DemoFailed
from bazaar.faults import Plan, parse_rates
from bazaar.letters import Letters
from bazaar.world import make


def main() -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m bazaar", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    maker = commands.add_parser("make", help="make a world in a folder")
    maker.add_argument("folder", type=Path)
    maker.add_argument("--seed", type=int, default=7)
    maker.add_argument("--listings", type=int, default=120)
    maker.add_argument("--url", default="http://127.0.0.1:8765/")
    server = commands.add_parser("serve", help="serve a world")
    server.add_argument("folder", type=Path)
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    server.add_argument("--faults", default="", help="rates, as slow=0.05,status_503=0.1")
    server.add_argument("--seed", type=int, default=7, help="of the faults")
    server.add_argument("--mail", type=Path, help="a Maildir for the e-mails that it sends")
    ship = commands.add_parser("ship", help="say that an order is on its way")
    ship.add_argument("folder", type=Path)
    ship.add_argument("number")
    ship.add_argument("--carrier", default="Courier")
    ship.add_argument("--tracking", required=True)
    ship.add_argument("--mail", type=Path)
    show = commands.add_parser("demo", help="the whole chain, held against the truth")
    show.add_argument("--folder", type=Path, default=Path(".demo"))
    show.add_argument("--seed", type=int, default=7)
    show.add_argument("--listings", type=int, default=120)
    words = parser.parse_args()
    if words.command == "make":
        make(words.folder, words.seed, words.listings, words.url)
        return 0
    if words.command == "serve":
        return _serve(words)
    if words.command == "ship":
        return _ship(words)
    try:
        Demo(words.folder.absolute(), words.seed, words.listings).run()
    except DemoFailed as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


def _serve(words: argparse.Namespace) -> int:
    try:
        plan = Plan(parse_rates(words.faults), words.seed)
    except ValueError as error:
        print(f"bazaar: --faults: {error}", file=sys.stderr)
        return 2
    listener = socket.create_server((words.host, words.port))
    app = create_app(words.folder, plan, words.mail)
    # The socket accepts from here on, so whoever reads this line may connect.
    print(f"bazaar: http://{words.host}:{listener.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _ship(words: argparse.Namespace) -> int:
    to = Accounts(words.folder / "orders.sqlite").ship(words.number, words.tracking)
    if to is None:
        print(f"bazaar: there is no order {words.number}", file=sys.stderr)
        return 2
    Letters(words.mail).ship(to, words.number, words.carrier, words.tracking)
    return 0


if __name__ == "__main__":
    sys.exit(main())

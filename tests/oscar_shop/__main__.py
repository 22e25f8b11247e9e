"""Make and serve the shop: ``python -m tests.oscar_shop DIR --port 0 --products 240``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.oscar_shop.settings import configure


def main() -> None:
    """Make the shop if DIR has none, then serve it until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.oscar_shop", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--products", type=int, default=240, help="of a new shop, at least 20")
    parser.add_argument("--seed", type=int, default=7, help="of a new shop")
    parser.add_argument(
        "--jsonld", action="store_true", help="product pages with JSON-LD and the seller's name"
    )
    arguments = parser.parse_args()
    if arguments.products < 20:
        parser.error("--products: a shop has at least 20")

    directory: Path = arguments.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    configure(directory, jsonld=arguments.jsonld)

    import django

    django.setup()

    # These import Django's models, so only after setup.
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.servers.basehttp import run
    from django.core.wsgi import get_wsgi_application

    from tests.oscar_shop import seed

    made = directory / "made"
    if not made.exists():
        if (directory / "shop.sqlite3").exists():
            parser.error(f"{directory} has a half-made shop: remove it")
        seed.make(directory, products=arguments.products, seed=arguments.seed)
        made.touch()

    def announce(port: int) -> None:
        print(f"oscar: http://127.0.0.1:{port}/", flush=True)

    run(
        "127.0.0.1",
        arguments.port,
        # Serves /static from the installed packages, also with DEBUG off.
        StaticFilesHandler(get_wsgi_application()),
        threading=True,
        on_bind=announce,
    )


if __name__ == "__main__":
    main()

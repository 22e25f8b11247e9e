"""`python -m benchmarks [NAME …] [--json]`: measure, and print the table for the docs."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks import (
    capturing,
    crawling,
    hashing,
    jobs,
    lexicon,
    pictures,
    verifying,
    whole,
    words,
)
from benchmarks.measure import Result

ALL: dict[str, Callable[[], Iterator[Result]]] = {
    "hashing": hashing.run,
    "pictures": pictures.run,
    "words": words.run,
    "lexicon": lexicon.run,
    "whole": whole.run,
    "verifying": verifying.run,
    "capturing": capturing.run,
    "crawling": crawling.run,
    "jobs": jobs.run,
}


def main() -> int:
    """Run what was asked for, all by default."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="Example: python -m benchmarks whole verifying",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--json", action="store_true", help="for scripts")
    said = parser.parse_args()
    unknown = [name for name in said.names if name not in ALL]
    if unknown:
        parser.error(f"there is no {unknown[0]!r}; there are: {', '.join(ALL)}")
    results = []
    for name in said.names or ALL:
        print(f"measuring {name} …", file=sys.stderr)
        results += list(ALL[name]())
    if said.json:
        print(json.dumps({"machine": machine(), "results": [asdict(r) for r in results]}))
        return 0
    print(machine())
    print("\n| What | Touchstone | Peer | Beside each other |\n|---|---|---|---|")
    for result in results:
        print(f"| {result.what} | {result.ours} | {result.peer} | {result.verdict} |")
    return 0


def machine() -> str:
    """What it was measured on, in a line."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    return (
        f"{os.cpu_count()} × {model}, Linux {platform.release()}, Python {sys.version.split()[0]}"
    )


if __name__ == "__main__":
    sys.exit(main())

"""The command line of the single file. In an installation, `touchstone evidence verify` is it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from evidence.verifying.checks import Check, Damaged, Report
from evidence.verifying.keys import pinned_key
from evidence.verifying.opening import verify
from evidence.verifying.work import Region

MAX_ROOTS_BYTES = 8 << 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Check a bundle and print each check.

    Returns
    -------
    int
        0 if all is well, 1 if something is not, 2 if something could not be checked.
    """
    parser = argparse.ArgumentParser(
        description="Check a WACZ, a case's bag (ZIP or unpacked), or a folder of them, offline.",
        epilog="Exit code: 0 all is well, 1 something is not, 2 something was not checked.",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--sha256", metavar="H", help="the SHA-256 that the file must have")
    parser.add_argument(
        "--key", action="append", default=[], metavar="FILE|KEYID",
        help="the public key (PEM file, or its id) that must have signed; may be given again",
    )  # fmt: skip
    parser.add_argument("--roots", type=Path, metavar="PEM", help="certificates that you trust")
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    words = parser.parse_args(arguments)
    try:
        keys = frozenset(read_key(text) for text in words.key)
        roots = None if words.roots is None else read_file(words.roots, MAX_ROOTS_BYTES)
    except (Damaged, OSError) as error:
        parser.error(f"{getattr(error, 'part', '')}: {error}".lstrip(": "))
    if not words.bundle.exists():
        parser.error(f"{words.bundle}: there is no such file")
    report = verify(words.bundle, expected_sha256=words.sha256, key=keys, roots=roots)
    try:
        if words.json:
            print(json.dumps(report.to_dict(), indent=2))
        else:
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
            for check in report.checks:
                print(printable(describe(check)))
            print(f"\n{printable(str(words.bundle))}: {verdict(report)}")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has read enough; what is still in the buffer must not fail at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exit_code(report)


def read_key(text: str) -> str:
    """The id of a key that is given as a file or as its id.

    Raises
    ------
    Damaged
        If it is neither.
    """
    path = Path(text)
    return pinned_key(text, Region(path, 0, path.stat().st_size) if path.is_file() else None)


def read_file(path: Path, limit: int) -> bytes:
    """A small file, whole."""
    return Region(path, 0, path.stat().st_size).read(str(path), limit)


def describe(check: Check) -> str:
    """A check in a line, and what it proves in the next."""
    mark = "ok  " if check.ok else "FAIL" if check.checked else "----"
    detail = f": {check.detail}" if check.detail else ""
    by = f" [{check.by}]" if check.by else ""
    return f"{mark} {check.part}: {check.name}{detail}\n       proves: {check.proves}{by}"


def verdict(report: Report) -> str:
    """The whole in words."""
    if report.ok:
        return "INTACT"
    return "NOT INTACT" if report.judged else "NOT WHOLLY CHECKED"


def exit_code(report: Report) -> int:
    """0 if all is well, 1 if something is not, 2 if something could not be checked."""
    if report.ok:
        return 0
    return 1 if report.judged else 2


def printable(text: str) -> str:
    """Text without control characters: names in a bundle may be anybody's."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)

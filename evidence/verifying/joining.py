"""The verifier as one Python file, for people who do not have Touchstone."""

from __future__ import annotations

import ast
from functools import cache
from importlib.metadata import version
from pathlib import Path

#: In an order in which each needs only those before it.
MODULES = (
    "verifying/checks.py",
    "verifying/work.py",
    "verifying/container.py",
    "verifying/keys.py",
    "verifying/warcs.py",
    "verifying/indexes.py",
    "verifying/wacz.py",
    "verifying/der.py",
    "verifying/authorities.py",
    "verifying/stamps.py",
    "custody/merkle.py",
    "verifying/ledger.py",
    "verifying/files.py",
    "verifying/exhibits.py",
    "verifying/bag.py",
    "verifying/opening.py",
    "verifying/command.py",
)

_HEAD = '''#!/usr/bin/env python3
"""Checks evidence that was sealed by Touchstone, offline.

    python3 verify.py BUNDLE [--sha256 H] [--key FILE|KEYID] [--roots PEM] [--json]

BUNDLE is a WACZ file, the bag of a case (ZIP or unpacked), or a folder of such files. Exit
code: 0 all is well, 1 something is not, 2 something could not be checked.

This file needs Python 3.9 or later and, for signatures and time stamps, the package
`cryptography` (42 or later). Without that, hashes are checked, and the rest is said not to be.
It is part of Touchstone {version} (Apache-2.0), joined from the modules that Touchstone
itself verifies with. Do not take it from the bundle that it is to judge if that is in doubt.
"""

from __future__ import annotations

'''


@cache
def single_file() -> str:
    """Join the modules of this package: standard library, and `cryptography` if it is there.

    Returns
    -------
    str
        The text of `verify.py`.
    """
    house = Path(__file__).parent.parent
    parts = [_HEAD.replace("{version}", version("touchstone"))]
    for name in MODULES:
        parts.append(f"# {name}\n\n{_bare((house / name).read_text(encoding='utf-8'))}\n\n")
    parts.append('if __name__ == "__main__":\n    sys.exit(main())\n')
    return "".join(parts)


def _bare(source: str) -> str:
    """A module without its docstring and what it imports from the others."""
    lines = source.splitlines()
    tree = ast.parse(source)
    for place, node in enumerate(tree.body):
        docstring = place == 0 and isinstance(node, ast.Expr)
        within = isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            ("evidence", "__future__")
        )
        if docstring or within:
            assert node.end_lineno is not None
            for number in range(node.lineno - 1, node.end_lineno):
                lines[number] = ""
    return "\n".join(lines).strip()

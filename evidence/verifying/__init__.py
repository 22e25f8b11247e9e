"""Verifying sealed evidence offline, with the standard library and `cryptography` alone.

Nothing in this package imports anything else of ours but the hashing of `evidence.custody.merkle`,
so that `single_file` can join it into one file that a court's expert runs without Touchstone.
"""

from __future__ import annotations

from contextlib import suppress

from evidence.verifying import warcs
from evidence.verifying.checks import Check, Report
from evidence.verifying.joining import single_file
from evidence.verifying.opening import verify

# Twice as fast. Here and not there, since the single file has nothing but the standard library.
with suppress(ImportError):
    from isal import isal_zlib

    warcs.inflating = isal_zlib

__all__ = ["Check", "Report", "single_file", "verify"]

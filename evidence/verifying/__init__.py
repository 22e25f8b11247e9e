"""Verifying sealed evidence offline, with the standard library and `cryptography` alone.

Nothing in this package imports anything else of ours but the hashing of `evidence.merkle`, so
that `single_file` can join it into one file that a court's expert runs without Touchstone.
"""

from __future__ import annotations

from evidence.verifying.checks import Check, Report
from evidence.verifying.joining import single_file
from evidence.verifying.opening import verify

__all__ = ["Check", "Report", "single_file", "verify"]

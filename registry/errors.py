"""The error that a person is meant to read."""

from __future__ import annotations


class TouchstoneError(Exception):
    """Something that the person at the keyboard can mend.

    The message is one line that says what was wrong, where, and what to do; the command
    line prints it without a traceback and exits with a non-zero code.
    """

"""The command `touchstone`: everything that the house can do, from a shell.

Commands read arguments, call the other rooms and print; they decide nothing themselves.
Results go to standard output (`--json` for scripts), progress and errors to standard error.
Rooms that are slow to load are imported where they are called, so that help, lists and
completion are quick.
"""

from console.cli.app import main

__all__ = ["main"]

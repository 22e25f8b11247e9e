"""`python -m console.cli` is `touchstone`."""

from console.cli.app import main

main()

"""Makes the word tables anew from their sources; not needed to run Touchstone.

`python -m matchers.words.generate --help`. What it writes is kept in `matchers/words/tables`.
"""

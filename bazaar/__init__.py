"""The bazaar: a marketplace that we make ourselves, so that the truth about it is known.

From a seed come sellers, listings and pictures, honest and not, with the truth in a file
that no page shows; and a shop that serves them over HTTP with search, checkout and faults.
It stands alone: it imports no other room and none imports it. Nothing that knows how
Touchstone finds fakes may enter here, or the measure would be worth nothing.
"""

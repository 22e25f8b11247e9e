"""Buying in a browser: walking to the ordering button, asking a person, clicking once at most.

The job is `purchases.ordering`. Here is what it does with one page of one browser: it walks by
the recipe, holds the last page against what was approved, hands the browser to the buyer where
something is not as expected, lets nothing leave that could be a second order, and says by
evidence what came of it.
"""

"""Queries: made from a brand's words, chosen for a run by what they have yielded."""

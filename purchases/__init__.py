"""Test purchases: proposed by a score, approved by a person, ordered at most once.

Here are the states of a purchase and the only code that may click an ordering button. What
is seen on the way is recorded by the evidence room. No score is made here, and nobody is
accused.
"""

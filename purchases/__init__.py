"""Test purchases: proposed by a score or a draw, decided by people, ordered at most once.

Here are the ways of a purchase from proposal to verdict, who may go them, the money ledger,
the buyers' personas, and the only code that may click an ordering button. What is seen on
the way is recorded by the evidence room. No score is made here, and nobody is accused.
"""

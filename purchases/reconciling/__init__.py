"""After an attempt: what the account's order list and the buyer's mailbox say of it.

Everything is looked at and kept as evidence, and a proposal is made from it. Nothing here
clicks, and nothing here settles: that a purchase was ordered or not, a person decides.
"""

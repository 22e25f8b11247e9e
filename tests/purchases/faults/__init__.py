"""Purchases with a fault each, and the shop's own order table as the truth about them.

`drawing` says what befalls which purchase and where; `shop` serves it and knows the place;
`striking` kills, cuts and takes leases away; `processes` are the workers; `trial` feeds
purchases and waits; `reckoning` holds what the database says against the shop's table.
"""

"""Other ways to a listing than the search: lists, tips, hidden links, what a seller has beside.

An address that comes from outside is a lead until a run has seen it; nothing here is asked of
the network but the pages of hidden links, through the gate.
"""

"""The replay origin: shows a capture as it was, through ReplayWeb.page, and nothing else.

What is replayed is hostile script. So it runs on an origin of its own (another port), which
holds no more than the player and the bundles, by their ids; and no request leaves it: see
`policy`. Nothing of the console is served here, and no database row but the capture's is read.
"""

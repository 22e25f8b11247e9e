"""The web console: server-rendered pages and a JSON API over the same queries.

Pages and API read through `queries`, write through the rooms below, and hold no state of
their own. There is no login yet: it is to be served on loopback.
"""

"""A real shop for the tests: django-oscar on SQLite, run as its own process on loopback.

``python -m tests.oscar_shop DIR --port 0 --products 240`` makes the shop in DIR (once) and
serves it; `start` does the same from a test. Stock templates, and with ``--jsonld`` product
pages that carry JSON-LD and name their seller. Only tests come in here: nothing of
Touchstone is imported, and no Django module is imported by `client`, so that a test can
use the shop without becoming a Django process itself.
"""

from tests.oscar_shop.client import Order, OrderLine, Shop, start

__all__ = ["Order", "OrderLine", "Shop", "start"]

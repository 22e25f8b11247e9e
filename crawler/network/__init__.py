"""The way out: the gate, proxies, limits and manners of every request.

Nothing here knows what a page means; whatever leaves this machine for a marketplace passes here,
whether Scrapy or the browser asks.
"""

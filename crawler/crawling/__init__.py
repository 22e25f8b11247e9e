"""A run: its shards, the frontier, the spider, and what is stored of what it saw.

How a request goes out is `crawler.network`, how a page is read `crawler.marketplaces`.
"""

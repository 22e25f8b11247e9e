"""A crawl of hostile addresses with the settings of real crawls, as a process of its own.

`python -m tests.crawler.hostile_crawl DATABASE_URL SHOP PORT ADDRESSES.json`
"""

from __future__ import annotations

import json
import logging
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy import Request
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response
from twisted.python.failure import Failure
from uuid_utils.compat import uuid7

from crawler.network.conduct import Conduct, network_settings, user_agent
from registry.database import Database
from registry.settings import Settings
from tests.crawler.trap import REDIRECTS, changing_resolver


class HostileSpider(scrapy.Spider):
    name = "hostile"

    def __init__(self, shop: str, addresses: list[str], paths: list[str]) -> None:
        super().__init__()
        self.shop, self.addresses, self.paths = shop, addresses, paths
        self.had: list[str] = []
        self.refused: dict[str, str] = {}

    async def start(self) -> AsyncIterator[Request]:
        for path in self.paths:
            yield self.ask(self.shop + path)
        for address in self.addresses:
            try:
                yield self.ask(address)
            except ValueError as error:
                self.refused[address] = str(error)
        for number in range(len(self.addresses)):
            yield self.ask(f"{self.shop}refresh/{number}")
            for code in REDIRECTS:
                yield self.ask(f"{self.shop}to/{code}/{number}")

    def ask(self, url: str) -> Request:
        return Request(url, callback=self.parse, errback=self.failed, dont_filter=True)

    def parse(self, response: Response, **_: Any) -> None:
        self.had.append(response.url)

    def failed(self, failure: Failure) -> None:
        request = failure.request  # type: ignore[attr-defined]
        first = request.meta.get("redirect_urls", [request.url])[0]
        self.refused[first] = f"{type(failure.value).__name__}: {failure.value}"


def main() -> None:
    database_url, shop, port, file, *paths = sys.argv[1:]
    for name, function in changing_resolver().items():
        setattr(socket, name, function)
    settings = Settings(
        data_dir=Path(file).parent,
        database_url=database_url,
        allowed_private_hosts=(shop.split("/")[2],),
        allowed_ports=(int(port),),
    )
    conduct = Conduct(uuid7(), shop.split("/")[2], user_agent(settings), False)
    chosen = network_settings(settings, Database(database_url), conduct, None, browser=False)
    process = AsyncCrawlerProcess(
        {**chosen, "LOG_LEVEL": "ERROR", "TELNETCONSOLE_ENABLED": False, "RETRY_ENABLED": False,
         "DOWNLOAD_TIMEOUT": int(paths.pop(0))}
    )  # fmt: skip
    logging.getLogger("scrapy").setLevel(logging.CRITICAL)
    crawler = process.create_crawler(HostileSpider)
    process.crawl(
        crawler, shop=shop, addresses=json.loads(Path(file).read_text("utf-8")), paths=paths
    )
    process.start()
    spider = crawler.spider
    assert isinstance(spider, HostileSpider)
    print(json.dumps({"had": spider.had, "refused": spider.refused}))


if __name__ == "__main__":
    main()

"""The peer of `crawling`: Scrapy alone fetches the same pages and pictures, and keeps nothing.

`python -m benchmarks.bare_spider URL PATH …` prints how many answers it got.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urljoin

import scrapy
from scrapy import Request
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

answers = 0


class Bare(scrapy.Spider):
    name = "bare"

    async def start(self) -> AsyncIterator[Request]:
        """Where the real spider begins."""
        for path in sys.argv[2:]:
            yield Request(urljoin(sys.argv[1], path), self.parse)

    def parse(self, response: Response) -> Iterator[Request]:
        """Follow what the real spider follows."""
        global answers
        answers += 1
        for link in response.css("a.card::attr(href), .seller a::attr(href)").getall():
            yield response.follow(link, self.parse)
        for link in response.css("a[rel=next]::attr(href)").getall():
            if "/c/" in response.url:
                yield response.follow(link, self.parse)
        for link in response.css(".gallery a::attr(href)").getall():
            yield response.follow(link, self.picture)

    def picture(self, _response: Response) -> None:
        """Fetched is enough."""
        global answers
        answers += 1


if __name__ == "__main__":
    process = AsyncCrawlerProcess(
        {
            "LOG_LEVEL": "ERROR",
            "ROBOTSTXT_OBEY": True,
            "CONCURRENT_REQUESTS": 16,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
            "DOWNLOAD_DELAY": 0,
            "TELNETCONSOLE_ENABLED": False,
        }
    )
    process.crawl(Bare)
    process.start()
    print(answers)

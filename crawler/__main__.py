"""`python -m crawler SHARD_ID`: one shard in a process of its own (`crawler.crawling.process`)."""

import gc
import sys

# What is loaded stays. To look through it for garbage while it grows, and again with each full
# collection of the crawl, takes a fifth of the start and more later.
gc.disable()

from crawler.crawling.process import main  # noqa: E402

if __name__ == "__main__":
    gc.freeze()
    gc.enable()
    sys.exit(main())

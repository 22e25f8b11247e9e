#!/bin/sh
# Makes sure that there is a Chromium: one on the machine, else Playwright's, else Debian's.
set -eu
cd "$(dirname "$0")/.."
. .make/lib.sh
found() { .venv/bin/python -c 'from crawler.browsing.browser import find_chromium; find_chromium(None)' 2>/dev/null; }

found && exit 0
echo "touchstone: no Chromium yet, installing one (once)" >&2
.venv/bin/python -m playwright install chromium >/dev/null 2>&1 && found && exit 0
apt_install chromium fonts-noto-cjk && found && exit 0
missing "Chromium is missing: apt-get install chromium (or set TOUCHSTONE_BROWSER to one)"

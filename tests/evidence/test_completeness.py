"""What the server's own log says was sent is in the WARC, to the byte, or marked with a reason."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import resource
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from playwright.async_api import Error as PlaywrightError
from warcio.archiveiterator import ArchiveIterator

from crawler.browsing import browser
from crawler.browsing.browser import CONTEXT_OPTIONS, find_chromium, open_browser, tame
from crawler.network.gate import Gate
from evidence.capturing.bodies import MAX_BODY_BYTES
from evidence.capturing.exchanges import Exchange
from evidence.capturing.network import Network
from evidence.packing import warc
from tests.evidence.bigsite import STALLED, BigSite, Sent, serve_big
from tests.evidence.certificates import make_chain, spki_sha256

_SCROLL = """async () => { for (let y = 0; y < document.body.scrollHeight; y += 800) {
    scrollTo(0, y); await new Promise((done) => setTimeout(done, 30)); } }"""


@dataclass
class Kept:
    """What is in the WARC of a visit."""

    path: Path
    url: str
    sent: list[Sent]
    index: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    completeness: float = 0
    local: dict[str, int] = field(default_factory=dict)
    records: list[tuple[str, str, Any, Any, int, str]] = field(default_factory=list)

    def read(self) -> None:
        """Type, URL, WARC and HTTP fields, and size and SHA-256 of the payload of each."""
        with self.path.open("rb") as stream:
            for record in ArchiveIterator(stream, check_digests="raise"):
                digest, size = hashlib.sha256(), 0
                payload = record.content_stream()
                while piece := payload.read(1 << 20):
                    digest.update(piece)
                    size += len(piece)
                url = record.rec_headers.get_header("WARC-Target-URI") or ""
                self.records.append(
                    (record.rec_type, url, record.rec_headers, record.http_headers, size,
                     digest.hexdigest())
                )  # fmt: skip

        with self.path.open("rb") as stream:
            self.index = "\n".join(warc.cdxj_lines(stream, self.path.name))

    def of(self, kind: str, url: str) -> list[Any]:
        return [record for record in self.records if record[:2] == (kind, url)]


async def record(
    site: BigSite,
    url: str,
    folder: Path,
    *,
    done: Callable[[], bool] | None = None,
    max_body: int = MAX_BODY_BYTES,
) -> Kept:
    """Visit a page as a capture does, and write its WARC.

    Parameters
    ----------
    done
        Whether all that the page asks for has been asked; by default, all of the big page.
    """
    async with open_browser(find_chromium(None), Gate(("127.0.0.1", "localhost"))) as opened:
        options = CONTEXT_OPTIONS | {"service_workers": "allow"}
        context = await opened.browser.new_context(**options)
        page = await context.new_page()
        await tame(page)
        network = Network(page, opened.gateway, folder / "bodies", max_body=max_body)
        await network.start()
        await page.goto(url, wait_until="commit")
        await page.wait_for_selector("body")
        await page.evaluate(_SCROLL)
        async with asyncio.timeout(60):
            while not (done or site.all_asked)():
                await asyncio.sleep(0.05)
        await network.settle(3)
        kept = Kept(folder / "data.warc.gz", site.url, list(site.sent))
        warc.write_warc(
            kept.path,
            {"software": "test"},
            network.exchanges,
            certificates=network.certificates,
            lookups=network.lookups,
        )
        kept.exchanges, kept.completeness = network.exchanges, network.completeness
        kept.local = network.local
    kept.read()
    return kept


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BigSite, Kept]]:
    with serve_big() as site:
        kept = asyncio.run(record(site, f"{site.url}/", tmp_path_factory.mktemp("big")))
        yield site, kept


def test_every_answer_is_whole_or_says_why_not(visited: tuple[BigSite, Kept]) -> None:
    site, kept = visited
    assert len(kept.sent) >= 300
    assert missing(kept.sent, kept) == []
    large = next(one for one in site.sent if one.url.endswith("/big.bin"))
    assert [r[4:] for r in kept.of("response", large.url)] == [(large.size, large.sha256)]


#: What the browser gives to nobody, or the server did not send to its end.
_LACKING = {
    "/away": "unspecified",
    "/broken.jpg": "disconnect",
    "/not-a-picture.jpg": "unspecified",
    "/stalled": "time",
    "/events": "time",
    "/cut-off": "disconnect",
    "/secret": "unspecified",
    "/refused": None,
}


def test_what_lacks_is_what_could_not_be_had(visited: tuple[BigSite, Kept]) -> None:
    _, kept = visited
    lacking = {
        urlsplit(e.url).path: e.truncated
        for e in kept.exchanges
        if not e.whole and not urlsplit(e.url).path.startswith(("/asked/", "/imported/", "/nested"))
    }
    # A browser may read a broken picture to its end.
    assert _LACKING.items() >= lacking.items()
    assert lacking.keys() >= _LACKING.keys() - {"/not-a-picture.jpg"}
    assert kept.completeness == pytest.approx(
        sum(e.whole for e in kept.exchanges) / len(kept.exchanges)
    )
    assert kept.local["data"] == 1
    assert kept.local["blob"] == 2
    stalled = kept.of("response", kept.url + "/stalled")[0]
    assert stalled[5] == hashlib.sha256(STALLED).hexdigest()
    refused = kept.of("metadata", kept.url + "/refused")
    assert len(refused) == 1


def test_heads_and_posts_are_as_they_were_on_the_wire(visited: tuple[BigSite, Kept]) -> None:
    _, kept = visited
    page = kept.of("response", kept.url + "/")[0]
    assert [v for k, v in page[3].headers if k == "Set-Cookie"] == ["a=1; Path=/", "b=2; Path=/"]
    assert page[2].get_header("WARC-IP-Address") == "127.0.0.1"
    hops = [kept.of("response", f"{kept.url}/hop/{n}")[0][3] for n in (3, 2, 1)]
    assert [hop.get_header("Set-Cookie") for hop in hops] == ["h=3", "h=2", "h=1"]
    posted = {urlsplit(r[1]).query: r[4] for r in kept.records
              if r[0] == "request" and urlsplit(r[1]).path == "/post"}  # fmt: skip
    assert posted[""] == len("q=velaro&n=1")
    assert posted["large"] == 3_000_000
    assert posted["file"] > 54
    assert posted["form"] == len("a=%C3%A4+1")
    chinese = kept.of("response", kept.url + "/chinese.txt")[0]
    assert chinese[5] in {one.sha256 for one in kept.sent}


def test_equal_payloads_are_kept_once(visited: tuple[BigSite, Kept]) -> None:
    _, kept = visited
    same = [r for r in kept.records if "/same/" in r[1] and r[0] != "request"]
    assert Counter(r[0] for r in same) == {"response": 1, "revisit": 19}
    first = next(r for r in same if r[0] == "response")
    for _, url, fields, http, size, _ in (r for r in same if r[0] == "revisit"):
        assert fields.get_header("WARC-Refers-To-Target-URI") == first[1]
        assert fields.get_header("WARC-Refers-To-Date") == first[2].get_header("WARC-Date")
        assert (size, http.get_statuscode()) == (0, "200")
        assert f'"url": "{url}", "mime": "warc/revisit"' in kept.index
    assert len(kept.index.splitlines()) == sum(
        r[0] in ("response", "revisit") for r in kept.records
    )


def test_over_tls_with_the_chain_of_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, key, certificates = make_chain(tmp_path)
    monkeypatch.setattr("tests.evidence.bigsite.BIG_MEGABYTES", 1)
    trusted = base64.b64encode(spki_sha256(certificates[0])).decode()
    options = browser.launch_options

    def trusting(proxy: str) -> dict[str, Any]:
        asked = options(proxy)
        asked["args"].append(f"--ignore-certificate-errors-spki-list={trusted}")
        return asked

    with serve_big((chain, key)) as site:
        with pytest.raises(PlaywrightError, match="ERR_CERT_AUTHORITY_INVALID"):
            asyncio.run(record(site, f"{site.url}/", tmp_path / "refused"))
        site.sent.clear()
        monkeypatch.setattr(browser, "launch_options", trusting)
        kept = asyncio.run(record(site, f"{site.url}/", tmp_path / "tls"))
    assert missing(kept.sent, kept) == []
    place = site.url.removeprefix("https://")
    [shown] = kept.of("resource", f"urn:touchstone:certificate-chain:{place}")
    pem = "".join(c.public_bytes(Encoding.PEM).decode() for c in certificates)
    assert shown[5] == hashlib.sha256(pem.encode()).hexdigest()
    page = kept.of("response", f"{site.url}/")[0][2]
    fields = [(k, v) for k, v in page.headers if k in ("WARC-Protocol", "WARC-Concurrent-To")]
    assert ("WARC-Protocol", "tls/1.3") in fields
    assert ("WARC-Concurrent-To", shown[2].get_header("WARC-Record-ID")) in fields
    assert page.get_header("WARC-Cipher-Suite").startswith("TLS_")


@pytest.mark.parametrize(
    ("path", "reason", "size"), [("/flood", "length", 48 << 20), ("/drip", "time", None)]
)
def test_an_answer_without_end_is_cut_off(
    tmp_path: Path, path: str, reason: str, size: int | None
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with serve_big() as site:
        place = site.url.replace("127.0.0.1", "localhost")
        url = f"{place}/floods?{path}"
        kept = asyncio.run(record(site, url, tmp_path, done=lambda: True, max_body=48 << 20))
    [answer] = kept.of("response", place + path)
    assert answer[2].get_header("WARC-Truncated") == reason
    assert answer[4] == size if size is not None else answer[4] > 0
    [name] = kept.of("resource", "dns:localhost")
    assert name[2].get_header("Content-Type") == "text/dns"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # Kilobytes. On a busy machine more is on its way in Playwright's messages at a time; what
    # counts is that an endless answer does not fill the memory.
    assert grown < 700 << 10


def missing(sent: list[Sent], kept: Kept) -> list[str]:
    """What the server sent that the archive neither has nor says that it lacks."""
    whole: Counter[tuple[str, int, str]] = Counter()
    marked: dict[tuple[str, int], list[tuple[int, str, str]]] = defaultdict(list)
    for kind, url, fields, http, size, sha256 in kept.records:
        if kind == "revisit":
            digest = fields.get_header("WARC-Payload-Digest").removeprefix("sha256:")
            whole[url, int(http.get_statuscode()), digest] += 1
        elif kind == "response":
            reason = fields.get_header("WARC-Truncated")
            status = int(http.get_statuscode())
            if reason is None:
                whole[url, status, sha256] += 1
            else:
                marked[url, status].append((size, sha256, reason))
    problems = []
    for one in sent:
        url = one.url
        if whole[url, one.status, one.sha256]:
            whole[url, one.status, one.sha256] -= 1
        elif marked[url, one.status]:
            marked[url, one.status].pop()
        elif not kept.of("metadata", url):
            problems.append(f"{one.method} {url}: {one.status}, {one.size} bytes")
    return problems

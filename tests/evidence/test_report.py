"""The documents of a bag: true to the files, and deaf to what a page would have them do."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from datetime import timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from crawler.browsing.browser import find_chromium
from evidence.exhibits import paper, sealing, wording
from evidence.exhibits.dossier import Redaction, slug
from evidence.exhibits.exhibit import export
from evidence.exhibits.figures import MAX_PIECES, Album
from registry.blobs import open_blobs
from registry.database import Database
from registry.settings import Settings
from tests.evidence.matter import HOSTILE_SELLER, REFERENCE, buyers, make_matter

DOCUMENTS = ("report.html", "declaration-fre-902.html", "declaration-zh.html")


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked bag of a case; its PDF is printed elsewhere."""
    folder = tmp_path_factory.mktemp("report")
    settings = Settings(data_dir=folder / "data", operator="tester")
    database = Database(settings.database)
    database.migrate()
    blobs = open_blobs(settings.evidence_store)
    make_matter(database, blobs, settings)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(paper, "print_html", lambda *_a, **_o: b"%PDF-1.7\n")
        done = export(
            database, blobs, settings, REFERENCE, folder / "case.zip", by="Ada Lovelace",
            buyers=buyers(database),
        )  # fmt: skip
    database.close()
    with zipfile.ZipFile(done.path) as packed:
        packed.extractall(folder)
    assert done.key is not None
    (folder / "key").write_bytes(done.key.read_bytes())
    done.path.rename(folder / "bag.zip")
    return folder / done.name


class Page(HTMLParser):
    """All elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_hash_in_the_report_is_a_file_s(bag: Path, tmp_path: Path) -> None:
    opened = sealing.open_bag(
        bag.parent / "bag.zip", sealing.read_key(bag.parent / "key"), tmp_path / "opened"
    )
    files = [path for path in (bag / "data").rglob("*") if path.is_file()]
    files += [one.path for one in opened]
    known = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    for path in files:
        if path.suffix == ".wacz":
            with zipfile.ZipFile(path) as package:
                known.add(hashlib.sha256(package.read("archive/data.warc.gz")).hexdigest())
    known |= {path.stem for path in (bag / "data/keys").iterdir()}
    known.add(json.loads((bag / "data/ledger/proofs.json").read_text())["root"])
    case = json.loads((bag / "data/case.json").read_text())
    for name in DOCUMENTS:
        text = Page((bag / "data" / name).read_text(encoding="utf-8")).text
        shown = set(re.findall(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", text))
        assert shown <= known, name
        assert {one["sha256"] for one in case["exhibits"]} <= shown, name


def test_a_page_s_words_stay_words(bag: Path) -> None:
    for name in DOCUMENTS:
        html = (bag / "data" / name).read_text(encoding="utf-8")
        page = Page(html)
        for tag, attributes in page.elements:
            assert tag not in ("script", "svg", "iframe", "form", "link", "object", "base")
            assert not [key for key in attributes if key.startswith("on")]
            if tag == "img":
                assert str(attributes["src"]).startswith("data:image/jpeg;base64,")
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\u200b]", html)
        assert page.elements[0][0] == "html"
    report = Page((bag / "data/report.html").read_text(encoding="utf-8")).text
    assert '<script>alert("title")</script><img src=x onerror=alert(1)> </td></table>' in report
    assert "{{ 7 * 7 }} ⟨U+202E⟩gnirtsrever⟨U+202C⟩ ⟨U+0007⟩⟨U+200B⟩ 维*拉*罗" in report
    assert HOSTILE_SELLER in report
    assert "characters in all)" in report  # the title has five thousand


def test_the_report_tells_the_story(bag: Path) -> None:
    report = " ".join(Page((bag / "data/report.html").read_text(encoding="utf-8")).text.split())
    for told in (
        "A score only queues a listing for people",
        "The price, 39.00 EUR, is 13% of the floor of 310.00 EUR.",
        "Bag Heaven Store",
        "1 of 4 requests with their whole answer (25.0 %)",
        "https://bazaar.example/big/2.jpg",
        "B-100017",
        "44.90 EUR",
        "seal intact, one corner dented",
        "Dr. Lise Meitner (laboratory)",
        "f2d8cb6ec9c62ed3ec16788d14450e7c3001b094",
        "Sensitive: it is sealed apart and not shown here.",
    ):
        assert told in report, told


def test_the_declarations_are_templates_that_say_what_was_done(bag: Path) -> None:
    english = (bag / "data/declaration-fre-902.html").read_text(encoding="utf-8")
    for told in ("Template. Not legal advice", "902(13)", "902(14)", "28 U.S.C. § 1746", "P-384"):
        assert told in english
    assert english.count('class="blank') >= 10
    chinese = (bag / "data/declaration-zh.html").read_text(encoding="utf-8")
    for told in ("模板，不构成法律意见", "第十四条", "第九十四条", "第十一条", "清洁性", "时间戳"):
        assert told in chinese
    assert 'lang="zh-CN"' in chinese


def test_the_report_is_printed_offline(bag: Path) -> None:
    """Scripts do not run, nothing is asked for, and long tables go on over many pages."""
    html = (bag / "data/report.html").read_text(encoding="utf-8")
    rows = "".join(f"<tr><td>{number}</td></tr>" for number in range(300))
    evil = (
        "<script>document.body.innerHTML = ''</script><img src='http://127.0.0.1:9/x.png'>"
        f"<table><thead><tr><th>head</th></tr></thead>{rows}</table>"
    )
    made = paper.print_html(
        html.replace("</header>", f"</header>{evil}"), executable=find_chromium(None), footer="<b>x"
    )
    assert made.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", made)) > 10


# Pictures


def _png(width: int, height: int, mode: str = "RGB") -> BytesIO:
    sink = BytesIO()
    Image.new(mode, (width, height)).save(sink, "PNG")
    sink.seek(0)
    return sink


def test_pictures_are_cut_and_bounded() -> None:
    album = Album()
    assert len(album.figure(_png(1280, 900), "a").pieces) == 1
    assert len(album.figure(_png(1280, 4000), "a").pieces) == 3
    tall = album.figure(_png(1280, 20_000, "L"), "a")
    assert len(tall.pieces) == MAX_PIECES
    assert "35%" in tall.note
    clear = album.figure(_png(40, 40, "RGBA"), "a")
    assert clear.pieces[0].startswith("data:image/jpeg;base64,")


def test_pictures_that_are_none_are_told() -> None:
    album = Album()
    for data in (b"", b"no picture", _png(100, 100).read()[:60], _png(20_000, 5_000, "1").read()):
        figure = album.figure(BytesIO(data), "a")
        assert figure.pieces == ()
        assert "cannot be shown" in figure.note
    album.left = 0
    assert "to keep the report short" in album.figure(_png(9, 9), "a").note


# Words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 维拉罗 реплика", "plain 维拉罗 реплика"),
        ("a\u202eb\x00\x9b", "a⟨U+202E⟩b⟨U+0000⟩⟨U+009B⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("e" + "\u0301" * 6, "e" + "\u0301" * 4 + "⟨U+0301⟩" * 2),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert wording.visible(text) == shown


def test_sizes_and_spans() -> None:
    assert wording.size(999) == "999 bytes"
    assert wording.size(1_234_567) == "1.2 MB (1,234,567 bytes)"
    assert wording.lasting(timedelta(seconds=0.4)) == "0 s"
    assert wording.lasting(timedelta(seconds=125)) == "2 min 5 s"
    assert wording.lasting(timedelta(days=2, hours=4, seconds=9)) == "2 d 4 h"


def test_file_names_are_plain() -> None:
    assert slug("../../etc/passwd", "x") == "etc-passwd"
    assert slug("维拉罗", "capture") == "capture"
    assert len(slug("a" * 500, "x")) == 60


def test_redaction_is_of_whole_words() -> None:
    redaction = Redaction(
        [{"name": "Ann Bo", "postcode": "10115", "country": "GB", "city": "Bonn"}]
    )
    assert redaction.text("ANN BO, 10115 Bonn, GB") == "[sealed], [sealed] Bonn, GB"
    digest = "aa10115bb" * 7 + "0"
    assert redaction.text(f"{digest} x=Ann%20Bo&y") == f"{digest} x=[sealed]&y"
    assert redaction.all({"a": ["Ann Bo", 1, None]}) == {"a": ["[sealed]", 1, None]}
    assert not Redaction([]).holds("Ann Bo")

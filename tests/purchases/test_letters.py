"""E-mails that shops send, and those that somebody made to break what reads them."""

from __future__ import annotations

from email.message import EmailMessage
from encodings import punycode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.marketplaces import KINDS
from crawler.marketplaces.checkout import Letters
from purchases import mail
from purchases.reconciling import letters
from purchases.reconciling.letters import BadLetter, is_from, read_letter, understand

HEAD = b"From: Bazaar <orders@bazaar.example>\r\nDate: Thu, 26 Nov 2026 08:00:00 +0100\r\n"


@pytest.fixture(autouse=True)
def everybody() -> None:
    """Nobody: no database is needed here."""


def patterns(kind: str) -> Letters:
    checkout = KINDS[kind].checkout
    assert checkout is not None
    assert checkout.letters is not None
    return checkout.letters


def confirmation() -> EmailMessage:
    letter = EmailMessage()
    letter["From"] = "Bazaar <orders@bazaar.example>"
    letter["To"] = "buyer@example.com"
    letter["Subject"] = "Your order B-00000017"
    letter["Date"] = "Thu, 26 Nov 2026 08:00:00 +0100"
    letter["Authentication-Results"] = "mx.example; dkim=pass header.d=bazaar.example"
    letter.set_content("Order number: B-00000017\nItem: Täsche\n")
    letter.add_alternative("<p>Order number: B-99999999</p>", subtype="html")
    letter.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="bill.pdf")
    return letter


def test_a_confirmation() -> None:
    read = read_letter(confirmation().as_bytes())
    assert is_from(read, ["bazaar.example"])
    assert not is_from(read, ["azaar.example", "example"[:-1]])
    assert read.at is not None
    assert read.at.isoformat() == "2026-11-26T07:00:00+00:00"
    assert read.authentication == ("mx.example; dkim=pass header.d=bazaar.example",)
    assert (read.attachments, "Täsche" in read.text) == (1, True)
    said = understand(read, patterns("bazaar"))
    # The text counts, not the HTML beside it, which may say something else.
    assert (said.kind, said.numbers) == ("confirmation", ("B-00000017",))
    assert understand(read, None).numbers == ()


def test_a_letter_on_shipping() -> None:
    raw = (
        HEAD + b"Subject: Your order B-00000017 is on its way\r\n\r\n"
        b"Order number: B-00000017\r\nCarrier: DHL Express\r\nTracking number: JD014600\r\n"
    )
    said = understand(read_letter(raw), patterns("bazaar"))
    assert (said.kind, said.tracking, said.carrier) == ("shipping", "JD014600", "DHL Express")


def test_html_alone_is_read_as_text() -> None:
    raw = HEAD + (
        b"Content-Type: text/html\r\n\r\n<style>b{}</style><script>order B-66666666</script>"
        b"<p>Order number:\n <b>B-00000017</b></p><img src=http://track.example/1.gif>"
    )
    assert "66666666" not in read_letter(raw).text
    assert "track.example" not in read_letter(raw).text
    assert "B-00000017" in read_letter(raw).text


def test_what_was_forwarded_says_nothing() -> None:
    outer = EmailMessage()
    outer["From"] = "somebody@else.example"
    outer["Subject"] = "Fwd"
    outer.set_content("see below")
    outer.add_attachment(confirmation())
    read = read_letter(outer.as_bytes())
    assert (read.domain, read.attachments) == ("else.example", 1)
    assert understand(read, patterns("bazaar")).numbers == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" \r\n",
        b"just a text",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 99,
        HEAD + b"X: " + b"x" * letters.MAX_HEAD,
        HEAD + b"\r\n" + b"x" * letters.MAX_BYTES,
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 6_000,
        HEAD
        + b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i)
            for i in range(2_000)
        ),
    ],
    ids=["empty", "blank", "text", "picture", "long head", "large", "many parts", "deep"],
)
def test_what_is_no_letter_is_refused(raw: bytes) -> None:
    with pytest.raises(BadLetter):
        read_letter(raw)


@pytest.mark.parametrize(
    "part",
    [
        b"Subject: =?no-such?q?order_B-00000017?=\r\n",
        b"Subject: =?utf-8?b?/////?=\r\n",
        b"Subject: \xff\xfe\r\n",
        b"Date: 99 Foo 99999 99:99:99 +9999\r\n",
        b'From: "\\\r\n',
        b"From: <@@>, ,;\r\n",
        b"Content-Type: text/plain; charset=rot13\r\n",
        b'Content-Type: text/plain; charset="\xff"\r\n',
        b"Content-Type: ; ; ;=\r\n",
        b"Content-Type: multipart/mixed\r\n",
        b"Content-Type: text/plain; " + b'";' * 50_000 + b"\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: uuencode\r\n",
        b"Content-Disposition: inline; filename*=x''%ff\r\n",
    ],
)
def test_a_broken_header_spoils_only_itself(part: bytes) -> None:
    read = read_letter(part + b"Message-ID: <1@x>\r\n\r\norder B-00000017\r\n")
    assert read.subject.isprintable()
    assert isinstance(understand(read, patterns("bazaar")).numbers, tuple)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: text/plain; charset=punycode",
        b"Content-Type: text/plain; charset*=punycode''a-" + b"z" * 9_000,
        b"Content-Type: multipart/mixed; boundary*=punycode''a-" + b"z" * 9_000,
        b"Content-Disposition: inline; filename*=punycode''a-" + b"z" * 9_000,
        b"Subject: =?punycode?q?a-" + b"z" * 9_000 + b"?=",
    ],
    ids=["text", "charset", "boundary", "filename", "subject"],
)
def test_nothing_long_is_read_as_punycode(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes time by the square of the length: seconds for 400 kB, and there are many parts."""
    sizes = [0]

    def decode(text: bytes, errors: str) -> str:
        sizes.append(len(text))
        return ""

    monkeypatch.setattr(punycode, "punycode_decode", decode)
    read_letter(HEAD + head + b"\r\n\r\na-" + b"z" * 9_000 + b"\r\n")
    assert max(sizes) <= letters.MAX_HEADER


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-8859-15", "Bestellung für 35 €"), ("windows-1252", "Bestellung – 35 €"),
        ("koi8-r", "Ваш заказ"), ("gb18030", "您的订单"), ("gbk", "您的订单"), ("big5", "您的訂單"),
        ("shift_jis", "ご注文"), ("iso-2022-jp", "ご注文"), ("euc-kr", "주문"), ("utf-16", "order"),
        ("UTF8", "Täsche"), ("no-such", "order"), ("unicode_escape", "\\x41"),
    ],
)  # fmt: skip
def test_what_shops_write_in(charset: str, text: str) -> None:
    known = charset not in ("no-such", "unicode_escape")
    raw = HEAD + f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode()
    assert text in read_letter(raw + text.encode(charset if known else "ascii")).text


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "mx.jane-doe.example; spf=pass smtp.mailfrom=bounce+jane=mail.example@shop.example; "
            "dkim=pass (2048-bit; key of jane@mail.example) header.d=shop.example header.i=@x",
            "spf=pass; dkim=pass header.d=shop.example",
        ),
        ("mx.example 1; dmarc=fail header.from=jane.example", "dmarc=fail"),
        ('mx.example; auth=pass smtp.auth="spf=pass jane"', "auth=pass"),
        ("mx.example; jane=pass; spf=jane; dkim/1 = none", "dkim=none"),
        ("mx.example; none", ""),
        ("spf=pass smtp.mailfrom=jane@mail.example", "spf=pass"),
    ],
)
def test_of_the_authentication_only_results_are_kept(said: str, kept: str) -> None:
    letter = confirmation()
    del letter["Authentication-Results"]
    letter["Authentication-Results"] = said
    read = read_letter(letter.as_bytes())
    found = mail.Read(b"", read, understand(read, None), known_sender=False).found(None)
    assert found["authentication"] == ([kept] if kept else [])


_LINES = st.sampled_from(
    [
        b"From: a@bazaar.example", b"Subject: Your order B-00000017", b"Content-Type: text/html",
        b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: message/rfc822", b"--b",
        b"--b--", b"", b"Content-Transfer-Encoding: base64", b"Content-Type: text/plain; charset=",
        b"Date: Thu, 26 Nov 2026 08:00:00 +0100", b"<p>", b"Subject: =?utf-8?q?",
    ]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=600), st.lists(st.one_of(_LINES, st.binary(max_size=40)))
                 .map(b"\r\n".join)))  # fmt: skip
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        read = read_letter(raw)
    except BadLetter:
        return
    for text in (read.subject, read.domain, *read.authentication):
        assert text == "" or text.isprintable()
    assert "\0" not in read.text
    read.text.encode()
    said = understand(read, patterns("bazaar"))
    assert len(said.numbers) <= letters.MAX_NUMBERS
    assert said.kind in ("confirmation", "shipping", "other")

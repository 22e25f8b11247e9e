"""Lists of addresses as people save them: encodings, delimiters, bad rows, hostile ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.network.gate import Gate
from crawler.ways_in.lists import BadRow, Row, read_list
from registry.errors import TouchstoneError

URL = "https://shop.example/item/{}"


def read(tmp_path: Path, data: str | bytes) -> list[Row | BadRow]:
    path = tmp_path / "list.csv"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(read_list(path, Gate()))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"], ids=str)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_as_spreadsheets_save_them(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = [("Note", "URL"), ("gefälscht", URL.format(1)), ("", URL.format(2))]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    assert read(tmp_path, text.encode(encoding)) == [
        Row(2, URL.format(1), "gefälscht"),
        Row(3, URL.format(2), None),
    ]


def test_as_chinese_spreadsheets_save_them(tmp_path: Path) -> None:
    text = f"链接,备注\n{URL.format(1)},高仿 复刻包 莆田\n"
    assert read(tmp_path, text.encode("gb18030")) == [Row(2, URL.format(1), "高仿 复刻包 莆田")]


def test_without_a_first_row_that_names_the_columns(tmp_path: Path) -> None:
    assert read(tmp_path, f"17,{URL.format(1)},a note\nshop.example/item/2\n\n") == [
        Row(1, URL.format(1), "a note"),
        Row(2, "https://shop.example/item/2", None),
    ]


def test_bad_rows_are_named_and_the_others_read(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        "url,note\n"
        f'{URL.format(1)},"two\nlines"\n'
        ",no address\n"
        "http://127.0.0.1/admin,x\n"
        "http://169.254.169.254/latest/meta-data,x\n"
        "file:///etc/passwd,x\n"
        "javascript:alert(1),x\n"
        "http://user:secret@shop.example/,x\n"
        "http://0x7f000001/,x\n"
        f'{URL.format(2)},5" strap\n'
        f"https://shop.example/{'a' * 3000},x\n"
        f'{URL.format(3)},"never closed\n' + "".join(f"{URL.format(n)},x\n" for n in range(4, 40)),
    )
    good = [row for row in rows if isinstance(row, Row)]
    bad = {row.line: row.why for row in rows if isinstance(row, BadRow)}
    assert good[0] == Row(2, URL.format(1), "two\nlines")
    assert good[1] == Row(11, URL.format(2), '5" strap')
    assert [row.url for row in good[2:]] == [URL.format(n) for n in range(4, 40)]
    assert bad[4] == "there is no address in it"
    assert "not a public address" in bad[5]
    assert "not a public address" in bad[6]
    assert "file" in bad[7]
    assert "javascript" in bad[8]
    assert "user name" in bad[9]
    assert "secret" not in " ".join(row.text for row in rows if isinstance(row, BadRow))
    assert "127.0.0.1" in bad[10]
    assert "longer than" in bad[12]
    assert bad[13] == "a quotation mark is not closed"
    assert len(bad) == 9


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"PK\x03\x04 a spreadsheet", "save it as CSV"),
        (b"\x00\x00\x00\x01 binary", "no text"),
    ],
)
def test_what_is_no_list(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(TouchstoneError, match=said):
        read(tmp_path, data)
    with pytest.raises(TouchstoneError, match="No such file"):
        list(read_list(tmp_path / "nowhere.csv", Gate()))

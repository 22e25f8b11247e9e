"""Letters under their disguises, as the lexicon compares them; every piece maps back.

A character is folded by itself, so that a place in the folded text is a place in the
original: compatibility forms and styled letters (NFKC, Unicode names), case, accents,
traditional to simplified characters (only those that the lexicon's words have). On top,
`squash` merges what looks alike (Cyrillic ``а`` and Latin ``a``, ``i`` ``l`` ``1``, leet
digits) and leaves out all that is no letter or digit: the form that one automaton searches.
A find there is only a candidate; `matchers.lexicon.search` looks at what was undone.
"""

from __future__ import annotations

import re
import unicodedata

#: Traditional and simplified characters of the lexicon's words, in pairs.
_HAN = dict(
    re.findall(
        r"(\S)(\S)",
        "貨货 復复 複复 覆复 單单 製制 產产 鞋鞋 廠厂 裝装 標标 櫃柜 質质 級级 驗验 過过 碳碳 純纯 "
        "實实 圖图 聊聊 驢驴 馳驰 專专 賠赔 罰罚 絕绝 並并 賣卖 買买 謹谨 慎慎 偽伪 贗赝 贋赝 "
        "樣样 頂顶 訂订 剪剪 塊块 際际 電电 話话 個个 雙双 對对 對对 條条 張张 隻只 枚枚 擊击 "
        "懂懂 來来 門门 檔档 價价 進进 蘇苏 萬万 義义 溫温 鋪铺 邊边 機机 臺台 龍龙 線线 盜盗 "
        "國国 奧奥 聲声 責责 餘余 場场 劣劣 拒拒 斷断 禁禁 嚴严 無无 沒没 這这 類类 麼么 們们 "
        "錶表 飾饰 紅红 綠绿 藍蓝 黃黄 銀银 鑽钻 環环 項项 鏈链 戒戒 皮皮 革革 書书 畫画 譯译 "
        "倣仿 髙高 戶户 號号 親亲 請请 詢询 問问 給给 見见 視视 鑒鉴 鑑鉴 識识 師师 傅傅 館馆 "
        "紙纸 術术 業业 開开 關关 時时 間间 區区 後后 裡里 裏里 兩两 倉仓 庫库 遊游 戲戏 樂乐 "
        "華华 爾尔 韓韩 東东 歐欧 洲洲 會会 動动 車车 輪轮 運运 點点 鈕钮 聯联 絡络 細细 節节 "
        "頭头 層层 紋纹 頁页 備备 註注 損损 壞坏 維维 護护 審审 證证 書书 報报 舉举 騙骗 詐诈 "
        "罵骂 應应 該该 還还 連连 漲涨 錢钱 員员 預预 約约 優优 惠惠 貼贴 強强 勁劲 飛飞 達达 "
        "參参 數数 據据 庫库 軟软 體体 殼壳 膠胶 玻玻 帶带 雜杂 誌志 積积 仿仿 "
        "離离 遠远 堅坚 決决 辦办 種种 檢检 測测 鈔钞 舊旧 閒闲 閑闲 滿满 隨随 詳详 獨独 別别",
    )
)
#: Letters without a decomposition that are written for a plain one.
_PLAIN = {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "æ": "ae", "œ": "oe"}
#: What stands for what in a disguise, both in the terms and in the text. After casefolding.
_ALIKE = str.maketrans(
    "аеорсухкмтнвіјѕԁԛԝһ" + "αορυικνετχβμγ" + "il1034578$@",
    "aeopcyxkmthbljsdqwh" + "aopulknetxbmy" + "llloeastbsa",
)
#: Digits and signs in place of letters.
LEET = frozenset("01345789$@")
_LETTER_NAME = re.compile(r"LATIN (?:CAPITAL |SMALL )?LETTER (?:SMALL CAPITAL )?([A-Z])$")
#: Kept though they are neither letter nor digit: 1:1, AAA+.
_KEPT = {":": ":", "∶": ":", "꞉": ":", "+": "+", "$": "$", "@": "@"}
#: Marks over or under a letter that may be left off.
_LOOSE_MARKS = (
    (0x300, 0x36F), (0x483, 0x487), (0x591, 0x5C7), (0x610, 0x61A), (0x64B, 0x65F),
    (0x670, 0x670), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0x3099, 0x309C),
    (0xFE00, 0xFE0F), (0xFF9E, 0xFF9F), (0xE0100, 0xE01EF),
)  # fmt: skip
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3130-\u318f\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)


def unspaced(character: str) -> bool:
    """Whether it is of a script in which a word may begin or end anywhere, or carry endings.

    Han, kana, Thai, Lao, Burmese and Khmer have no blanks; Hangul words carry particles.
    """
    return _UNSPACED.match(character) is not None


def loose(character: str) -> bool:
    """Whether it is a mark, a selector or an invisible character, which may be left off."""
    code = ord(character)
    if code < 0x300:
        return code == 0xAD
    return any(low <= code <= high for low, high in _LOOSE_MARKS) or (
        unicodedata.category(character) == "Cf"
    )


def _fold(character: str) -> str:
    """A character's plain form; empty for what is no letter or digit."""
    if character in _KEPT:
        return _KEPT[character]
    if loose(character):
        return ""
    named = _LETTER_NAME.search(unicodedata.name(character, ""))
    whole = named[1] if named else unicodedata.normalize("NFKC", character)
    folded = []
    for one in whole.casefold():
        one = _HAN.get(one, one)
        # Hangul falls into its letters too, as it may come so.
        for part in unicodedata.normalize("NFD", one):
            if loose(part):
                continue
            if part in _KEPT:
                folded.append(_KEPT[part])
            elif unicodedata.category(part)[0] in "LMN":
                folded.append(_PLAIN.get(part, part))
    return "".join(folded)


class _Plain(dict[int, str]):
    """Folds a character when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold(chr(code))
        return folded


class _Alike(dict[int, str | None]):
    def __missing__(self, code: int) -> str | None:
        # None rather than "": `str.translate` is ten times faster on ASCII then.
        self[code] = folded = PLAIN[code].translate(_ALIKE) or None
        return folded


#: A character's code to its plain form, and to the form that is searched.
PLAIN: dict[int, str] = _Plain()
_SEARCHED: dict[int, str | None] = _Alike()


def plain(text: str) -> str:
    """Without case, accents, styles, separators."""
    return text.translate(PLAIN)


def squash(text: str) -> str:
    """The form in which terms are searched: `plain`, with what looks alike merged."""
    return text.translate(_SEARCHED)


def origins(text: str) -> list[int]:
    """For every character of ``squash(text)``, where it stood in `text`."""
    return [at for at, character in enumerate(text) for _ in PLAIN[ord(character)]]


class _Spoken(dict[int, str]):
    """As `PLAIN`, with breaks between clauses, commas and words kept."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character in ".!?;\n\r…|。！？；｜•·":
            folded = "|"
        elif character in ",，、":
            folded = " , "
        elif character in "'’ʼ`´" or loose(character):
            folded = ""
        else:
            folded = PLAIN[code] or " "
            folded = " " if folded in (":", "+", "$", "@") else folded
        self[code] = folded
        return folded


_SPOKEN: dict[int, str] = _Spoken()
_INNER_DOT = re.compile(r"\.(?=\w)")


def spoken(text: str) -> str:
    """Words with single blanks, ``|`` between clauses, ``,`` for every kind of comma."""
    return " ".join(_INNER_DOT.sub(" ", text).translate(_SPOKEN).replace("|", " | ").split())

"""Finding brand words under disguise, beside the peers as their users call them.

Positives are disguised brand words placed into titles of the half that no rule was set on;
false alarms are disguised hits in titles that do not hold the term. Titles: real ones, where
`TOUCHSTONE_DATA` (else ../shared/data beside the checkout) has titles.jsonl; else our own.
"""

from __future__ import annotations

import gc
import json
import os
import random
import re
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import median

import ahocorasick_rs
from flashtext import KeywordProcessor
from rapidfuzz import fuzz

from benchmarks import word_disguises as disguises
from benchmarks import word_lists
from benchmarks.measure import Result
from matchers.values import Term
from matchers.words import TermFinder
from matchers.words.fold import KIND, fold_character

SEED = 20261125
#: Positives of each disguise and word.
EACH = 1
_EDGE = re.compile(r"\w")


@dataclass(frozen=True)
class Method:
    """A way to find terms: which of them a text holds."""

    name: str
    find: Callable[[str], set[str]]


def run() -> Iterator[Result]:
    """Recall, false alarms, plain mentions, then speed."""
    chance = random.Random(SEED)
    titles, source = _titles()
    chance.shuffle(titles)
    titles = titles[1::2]
    words = [*word_lists.STRONG, *word_lists.SHORT, *word_lists.COMMON]
    terms = [*words, *word_lists.CHINESE, *word_lists.OTHERS]
    methods = _methods(terms)
    ours, peers = methods[0], methods[1:]
    kinds = _positives(words, disguises.latin(), titles, chance)
    yield from _recall("Latin", kinds, ours, peers)
    chinese = _positives(word_lists.CHINESE, disguises.chinese(), [], chance)
    yield from _recall("Chinese", chinese, ours, peers)
    two: dict[str, disguises.Disguise] = {"two-character homophones": disguises.two_homophones}
    yield from _recall("", _positives(word_lists.CHINESE, two, [], chance), ours, peers)
    yield from _recall("dnstwist", _twisted(titles, chance), ours, peers)
    yield _alarms(titles, terms, ours, peers, source)
    yield _kept(titles, terms, ours, peers)
    yield from _speed(titles)


def _titles() -> tuple[list[str], str]:
    root = Path(__file__).parent.parent
    folder = Path(os.environ.get("TOUCHSTONE_DATA", root.parent / "shared" / "data"))
    path = folder / "titles.jsonl"
    if path.is_file():
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line)["title"] for line in lines], "real titles"
    chance = random.Random(SEED)
    goods = [
        "bag",
        "shoes",
        "watch",
        "phone",
        "case",
        "charger",
        "wallet",
        "jacket",
        "cable",
        "mug",
        "lamp",
        "printer",
    ]
    kinds = [
        "black",
        "leather",
        "wireless",
        "usb",
        "mens",
        "womens",
        "large",
        "portable",
        "silver",
        "vintage",
        "slim",
    ]
    made = [
        " ".join((*chance.sample(kinds, 3), chance.choice(goods), f"{chance.randrange(9999)}x"))
        for _ in range(6000)
    ]
    return made, "titles made by our code (titles.jsonl is not there)"


def _methods(terms: Sequence[str]) -> list[Method]:
    finder = TermFinder([Term(term) for term in terms])
    lower = [(term.lower(), term) for term in terms]
    pattern = re.compile(
        "|".join(rf"(?<!\w){re.escape(t.lower())}(?!\w)" for t in sorted(terms, key=len)[::-1])
    )
    names = dict(lower)
    flash = KeywordProcessor()
    for term in terms:
        flash.add_keyword(term)

    def skeleton(text: str) -> str:
        # UTS #39 as it is: look-alikes to prototypes, then case.
        shown = (fold_character(c) if c in KIND else {"I": "l", "1": "l", "0": "O"}.get(c, c)
                 for c in unicodedata.normalize("NFKD", text))  # fmt: skip
        return "".join(shown).casefold().replace("rn", "m")

    return [
        Method("Touchstone", lambda text: {hit.term.text for hit in finder.find(text)}),
        Method("substring", lambda text: {t for low, t in lower if low in text.lower()}),
        Method("regex, word boundary",
        lambda text: {names[m] for m in pattern.findall(text.lower())}),
        Method("flashtext", lambda text: set(flash.extract_keywords(text))),
        _automaton("Aho-Corasick, NFKC casefold", terms, _nfkc),
        _automaton("Aho-Corasick, UTS #39 skeleton", terms, skeleton),
        Method("RapidFuzz partial ratio ≥ 90", lambda text: {
            t for low, t in lower if fuzz.partial_ratio(low, text.lower(), score_cutoff=90)}),
    ]  # fmt: skip


def _nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _automaton(name: str, terms: Sequence[str], fold: Callable[[str], str]) -> Method:
    automaton = ahocorasick_rs.AhoCorasick([fold(term) for term in terms])

    def find(text: str) -> set[str]:
        folded = fold(text)
        found = set()
        for index, start, end in automaton.find_matches_as_indexes(folded, overlapping=True):
            edges = folded[max(0, start - 1) : start], folded[end : end + 1]
            if not terms[index].isascii() or not any(map(_EDGE.match, edges)):
                found.add(terms[index])
        return found

    return Method(name, find)


Positives = dict[str, list[tuple[str, str]]]


def _positives(
    words: Sequence[str],
    kinds: dict[str, disguises.Disguise],
    titles: Sequence[str],
    chance: random.Random,
) -> Positives:
    """Disguise → pairs of term and title."""
    made: Positives = {kind: [] for kind in kinds}
    for kind, disguise in kinds.items():
        for word in words:
            for _ in range(EACH if titles else 3 * EACH):
                written = disguise(word, chance)
                if written is not None and written != word:
                    made[kind].append((word, _placed(written, titles, chance)))
    return made


def _placed(written: str, titles: Sequence[str], chance: random.Random) -> str:
    if not titles:
        frames = (
            "正品{}官方旗舰店 新款",
            "{} 2024新款 男女同款",
            "厂家直销{}专柜同款包邮",
            "新款 {} 时尚百搭",
        )
        return chance.choice(frames).format(written)
    tokens = chance.choice(titles).split()
    at = chance.choice((0, 0, 1, len(tokens)))
    return " ".join([*tokens[:at], written, *tokens[at:]])


def _twisted(titles: Sequence[str], chance: random.Random) -> Positives:
    made: Positives = {}
    # dnstwist's homoglyphs of long words run into millions.
    for word in [word for word in word_lists.STRONG if len(word) <= 7 and word.isalpha()]:
        for kind, labels in disguises.twisted(word).items():
            for label in chance.sample(labels, min(2, len(labels))):
                made.setdefault(kind, []).append((word, _placed(label, titles, chance)))
    return made


def _recall(name: str, kinds: Positives, ours: Method, peers: Sequence[Method]) -> Iterator[Result]:
    total: dict[str, list[int]] = {method.name: [0, 0] for method in (ours, *peers)}
    for kind, pairs in kinds.items():
        if not pairs:
            continue
        found = {m.name: sum(w in m.find(t) for w, t in pairs) for m in (ours, *peers)}
        for method, count in found.items():
            total[method][0] += count
            total[method][1] += len(pairs)
        yield _line(f"{name} {kind}".strip(), found, len(pairs), ours, peers)
    if len(kinds) > 1:
        size = total[ours.name][1]
        yield _line(
            f"{name}: all disguises", {m: n for m, (n, _) in total.items()}, size, ours, peers
        )


def _line(
    what: str, found: dict[str, int], size: int, ours: Method, peers: Sequence[Method]
) -> Result:
    best = max(peers, key=lambda method: found[method.name])
    mine, theirs = found[ours.name] / size, found[best.name] / size
    return Result(
        f"words found, {what} ({size}, seed {SEED})",
        f"{mine:.3f} ({_interval(found[ours.name], size)})",
        f"{best.name}: {theirs:.3f} ({_interval(found[best.name], size)})",
        f"{mine:.3f} against {theirs:.3f}",
    )


def _interval(count: int, size: int) -> str:
    """Wilson's 95 % interval of a share."""
    z, share = 1.96, count / size
    middle = (share + z * z / (2 * size)) / (1 + z * z / size)
    half = z * sqrt(share * (1 - share) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    return f"{max(0.0, middle - half):.3f} to {middle + half:.3f}"


def _mentions(titles: Sequence[str], terms: Sequence[str]) -> list[tuple[str, set[str]]]:
    """Titles, each with the terms that it holds plainly."""
    patterns = {t: re.compile(rf"(?<!\w){re.escape(t.lower())}(?!\w)") for t in terms}
    return [
        (title, {t for t, p in patterns.items() if t.lower() in title and p.search(title)})
        for title in map(str.lower, titles)
    ]


def _alarms(
    titles: Sequence[str], terms: Sequence[str], ours: Method, peers: Sequence[Method], source: str
) -> Result:
    mentions = _mentions(titles, terms)
    extra = {m.name: sum(len(m.find(t) - held) for t, held in mentions) for m in (ours, *peers)}
    rate = {name: 10_000 * count / len(titles) for name, count in extra.items()}
    return Result(
        f"hits of terms that do not stand in the title, per 10,000 ({len(titles)} {source})",
        f"{rate[ours.name]:.1f} ({extra[ours.name]} of {len(titles)})",
        "; ".join(f"{peer.name}: {rate[peer.name]:.1f}" for peer in peers),
        "true misspellings among them: read by eye",
    )


def _kept(
    titles: Sequence[str], terms: Sequence[str], ours: Method, peers: Sequence[Method]
) -> Result:
    mentions = [(title, held) for title, held in _mentions(titles, terms) if held]
    size = sum(len(held) for _, held in mentions)
    kept = {m.name: sum(len(m.find(t) & held) for t, held in mentions) for m in (ours, *peers)}
    if not size:
        return Result("plain mentions kept", "none in these titles", "–", "–")
    return Result(
        f"plain mentions kept ({size})",
        f"{kept[ours.name] / size:.4f} ({_interval(kept[ours.name], size)})",
        "; ".join(f"{peer.name}: {kept[peer.name] / size:.3f}" for peer in peers),
        f"{kept[ours.name]} of {size}",
    )


def _speed(titles: Sequence[str]) -> Iterator[Result]:
    """Titles a second of one core: distinct titles, by finders that have seen none before.

    Processor time, the median of rounds; in each round all numbers of terms are measured in turn,
    and a peer and a fixed loop in Python with them, since a busy machine slows all of them.
    """
    TermFinder([Term("nothing")]).find("the tables are read")
    words = {size: _synthetic(size) for size in (100, 10_000, 100_000)}
    terms = {size: [Term(word) for word in words[size]] for size in words}
    peers = {size: _automaton("", words[size], _nfkc) for size in words}
    rounds: dict[int, list[tuple[float, float, float, float]]] = {size: [] for size in words}
    for _ in range(5):
        for size in words:
            began = time.process_time()
            finder = TermFinder(terms[size])
            gc.collect()  # what the building left to do is a part of it
            built = time.process_time() - began
            ours = len(titles) / _cost(finder.find, titles)
            theirs = len(titles) / _cost(peers[size].find, titles)
            rounds[size].append((built, ours, theirs, _fixed_loop()))
            del finder  # or the next one is built beside it
    for size, measured in rounds.items():
        built, ours, theirs, loop = (median(each) for each in zip(*measured, strict=True))
        # In fixed loops, so that a slower moment is not taken for more terms.
        kept = median(
            (mine[1] * mine[3]) / (other[1] * other[3])
            for mine, other in zip(measured, rounds[10_000], strict=True)
        )
        yield Result(
            f"titles a second of one core, {size:,} terms ({len(titles)} titles, none seen before)",
            f"{ours:,.0f}; built in {built:.2f} s",
            f"Aho-Corasick, NFKC casefold: {theirs:,.0f}; two million steps of a Python loop: "
            f"{loop:.3f} s",
            f"{kept:.2f} of the rate at 10,000 terms"
            if size > 10_000
            else f"{ours / theirs:.3f} of the peer's rate",
        )


def _cost(find: Callable[[str], object], titles: Sequence[str]) -> float:
    began = time.process_time()
    for title in titles:
        find(title)
    return time.process_time() - began


def _fixed_loop() -> float:
    """Seconds for the same work whatever is measured: how fast this machine is just now."""
    began = time.process_time()
    value = 0
    for step in range(2_000_000):
        value = (value * 31 + step) & 0xFFFF
    return time.process_time() - began


def _synthetic(size: int) -> list[str]:
    """Words that sound like marks and are none."""
    chance = random.Random(SEED)
    heads = [
        "b",
        "c",
        "d",
        "f",
        "g",
        "h",
        "k",
        "l",
        "m",
        "n",
        "p",
        "r",
        "s",
        "t",
        "v",
        "z",
        "st",
        "br",
        "tr",
        "ch",
        "sh",
    ]
    vowels = ["a", "e", "i", "o", "u", "ai", "ea", "oo"]
    made: set[str] = set()
    while len(made) < size:
        syllables = (
            chance.choice(heads) + chance.choice(vowels) for _ in range(chance.randint(2, 5))
        )
        made.add("".join(syllables).title() + chance.choice(("", "n", "r", "x", "s", "l")))
    return sorted(made)

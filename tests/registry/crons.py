"""Cron expressions as people may write them."""

from __future__ import annotations

from hypothesis import strategies as st

from registry import cron


@st.composite
def fields(draw: st.DrawFn, of: cron.Field) -> tuple[str, set[int]]:
    """A field as people may write it, and what it means."""
    parts: list[str] = []
    values: set[int] = set()
    top = 6 if of is cron.WEEKDAY else of.highest
    for _ in range(draw(st.integers(1, 3))):
        low = draw(st.integers(of.lowest, top))
        high = draw(st.integers(low, top))
        first, last = str(low), str(high)
        named = draw(st.booleans())
        if of.names and named:
            first = of.names[low - of.lowest].title()
            last = of.names[high - of.lowest].upper()
        kind = draw(st.sampled_from(["value", "range", "step", "star"]))
        if kind == "star" and draw(st.booleans()):
            step = draw(st.integers(1, top - of.lowest))
            parts.append(f"*/{step}")
            values |= {v for v in range(of.lowest, top + 1) if (v - of.lowest) % step == 0}
        elif kind == "range":
            parts.append(f"{first}-{last}")
            values |= {v for v in range(of.lowest, top + 1) if low <= v <= high}
        elif kind == "step" and high > low:
            step = draw(st.integers(1, high - low))
            parts.append(f"{first}-{last}/{step}")
            values |= {v for v in range(low, high + 1) if (v - low) % step == 0}
        else:
            parts.append(first)
            values.add(low)
    return ",".join(parts), values


@st.composite
def crons(draw: st.DrawFn) -> cron.Cron:
    """An expression of five fields."""
    chosen = [draw(fields(of))[0] for of in cron.FIELDS[:2]]
    chosen += [
        draw(st.sampled_from(["*", "*/3", "1", "28-31", "29,30"])),
        draw(st.sampled_from(["*", "3", "mar,oct,nov", "*/5"])),
        draw(st.sampled_from(["*", "sun", "1-5", "0/2", "7", "*/2"])),
    ]
    return cron.parse(" ".join(chosen))

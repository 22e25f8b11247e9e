"""The template environment: strict, always escaping, with the filters that pages use."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.templating import Jinja2Templates

from console.web.marking import marked, web_address
from evidence.exhibits.wording import short_size
from purchases.money import amount_of


def make_templates() -> Jinja2Templates:
    """The environment of one console."""
    environment = Environment(
        loader=PackageLoader("console.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        delay=delay,
        duration=duration,
        lasting=lasting,
        percent=percent,
        posted=posted,
        size=short_size,
        web_address=web_address,
        when=when,
        words=words,
    )
    environment.globals["marked"] = marked
    return Jinja2Templates(env=environment)


def when(value: datetime | date | None) -> Markup:
    """A time to the minute, the exact one under it; all times here are UTC."""
    if value is None:
        return Markup("–")
    short = f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else value.isoformat()
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(value.isoformat(), short)


def delay(value: timedelta) -> str:
    """How long after: ``at once``, ``after 40 s``, ``after 3 h``."""
    seconds = int(value.total_seconds())
    if seconds < 1:
        return "at once"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"after {round(seconds / length)} {unit}"
    return f"after {seconds} s"


def duration(seconds: float) -> str:
    """How long something took: ``40 s``, ``12 min``, ``3 h 5 min``."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def lasting(value: timedelta) -> str:
    """How long: ``40 s``, ``3 min``, ``2 h 5 min``."""
    seconds = max(0, int(value.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def percent(share: float) -> str:
    """A share as whole per cent."""
    return f"{share * 100:.0f} %"


def posted(units: int) -> str:
    """What a posting adds, with its sign: ``+55.00``, ``-5.01``."""
    return f"{amount_of(units):+}"


def words(name: str) -> str:
    """A name of the code as words: ``outcome_unclear`` is ``outcome unclear``."""
    return name.replace("_", " ")

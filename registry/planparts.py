"""What a plan file may say, and every mistake in one at once, each with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    ValidationError,
    field_validator,
)

from registry import cron
from registry.brandfile import Slug, load_yaml
from registry.errors import TouchstoneError
from registry.networking import check_proxy, check_user_agent
from registry.schedule import parse_window, zone

#: Later than this after it was due, a run is no longer that run.
MAX_JITTER_SECONDS = 86_400
MAX_GENERATED = 500
MAX_MARKETPLACES = 100

Line = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Depth = Annotated[int, Field(ge=1, le=1000)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Interface = Literal["pages", "json", "api"]


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_queries(value: Any) -> Any:
    return {"given": value} if isinstance(value, list | str) else value


def _as_marketplace(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _as_robots(value: Any) -> Any:
    return {"obey": True} if value == "obey" else value


Lines = Annotated[list[Line], Field(max_length=50), BeforeValidator(_one_or_many)]
#: Codes and names of products; YAML takes a GTIN without quotes for a number.
Product = Annotated[Line, BeforeValidator(lambda v: str(v) if isinstance(v, int) else v)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class QueriesPart(_Part):
    """Queries given, and how many are made beside them in each run."""

    given: Annotated[list[Line], BeforeValidator(_one_or_many)] = []
    generate: int = Field(default=0, ge=0, le=MAX_GENERATED)

    def __bool__(self) -> bool:
        return bool(self.given or self.generate)


class RobotsPart(_Part):
    """What a marketplace's own team says of its robots.txt; `obey` takes it back."""

    ignored_by: Annotated[str, Field(min_length=2, max_length=200)] | None = None
    why: Annotated[str, Field(min_length=3, max_length=500)] | None = None
    obey: bool = False


class MarketplacePart(_Part):
    """A marketplace, and what holds there in the place of what the plan says."""

    name: Slug
    #: Held against the kinds that there are, some of which are no slugs: `schema.org`.
    kind: Line | None = None
    url: HttpUrl | None = None
    queries: Annotated[list[Line], BeforeValidator(_one_or_many)] | None = None
    browse: Annotated[list[Line], BeforeValidator(_one_or_many)] | None = None
    depth: Depth | None = None
    languages: Annotated[list[Language], Field(min_length=1, max_length=10)] | None = None
    interface: Interface | None = None
    robots: Annotated[RobotsPart, BeforeValidator(_as_robots)] | None = None


class PlanFile(_Part):
    """The whole file; see docs/plan-file.md. `marketplace` is the short form for one."""

    name: Slug
    brand: Slug
    products: list[Product] = []
    marketplace: MarketplacePart | None = None
    marketplaces: Annotated[
        list[Annotated[MarketplacePart, BeforeValidator(_as_marketplace)]],
        Field(max_length=MAX_MARKETPLACES),
    ] = []
    queries: Annotated[QueriesPart, BeforeValidator(_as_queries)] = QueriesPart()
    browse: Annotated[list[Line], BeforeValidator(_one_or_many)] = []
    link_pages: Annotated[list[HttpUrl], Field(max_length=100), BeforeValidator(_one_or_many)] = []
    depth: Depth | None = None
    threshold: float = Field(default=0.6, gt=0, lt=1)
    max_pages: int = Field(default=1000, ge=1, le=1_000_000)
    max_browser_minutes: float | None = Field(default=None, gt=0, le=1440, allow_inf_nan=False)
    schedule: Lines = []
    time_zone: str = "UTC"
    jitter: int = Field(default=0, ge=0, le=MAX_JITTER_SECONDS)
    opening_hours: Lines = []
    proxy: str | None = None
    persona: Slug | None = None
    user_agent: str | None = None

    @property
    def places(self) -> list[MarketplacePart]:
        """The marketplaces, whichever way they are written."""
        return [self.marketplace] if self.marketplace is not None else self.marketplaces

    @field_validator("schedule")
    @classmethod
    def _crons(cls, value: list[str]) -> list[str]:
        return list(dict.fromkeys(cron.parse(text).text for text in value))

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return zone(value).key

    @field_validator("opening_hours")
    @classmethod
    def _windows(cls, value: list[str]) -> list[str]:
        for text in value:
            parse_window(text)
        return list(dict.fromkeys(" ".join(text.split()) for text in value))

    @field_validator("proxy")
    @classmethod
    def _proxy(cls, value: str | None) -> str | None:
        return check_proxy(value) if value is not None else None

    @field_validator("user_agent")
    @classmethod
    def _user_agent(cls, value: str | None) -> str | None:
        return check_user_agent(value) if value is not None else None


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake in a plan file: where it stands, and what is wrong or to be done."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class PlanFaults(TouchstoneError):
    """A plan file with mistakes: all of them."""

    def __init__(self, name: object, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"{name}: " + "; ".join(map(str, self.faults)))


def read_parts(path: Path) -> tuple[dict[str, Any], PlanFile | None, list[Fault]]:
    """Read a plan file: what stands there, the plan if it can be one, and every mistake.

    Raises
    ------
    TouchstoneError
        If it cannot be read, or is no YAML.
    """
    loaded = load_yaml(path, "plan file")
    return loaded, *parse(loaded)


def parse(loaded: dict[str, Any]) -> tuple[PlanFile | None, list[Fault]]:
    """A plan out of plain data, and every mistake in it."""
    file, faults = None, []
    try:
        file = PlanFile.model_validate(loaded)
    except ValidationError as error:
        faults = [_fault(one, loaded) for one in error.errors()]
    faults += _together(loaded)
    return (None if faults else file), faults


def raw_places(loaded: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The marketplaces of a file as it stands, each with its place, whatever else is wrong."""
    one, many = loaded.get("marketplace"), loaded.get("marketplaces")
    if isinstance(one, dict):
        yield "marketplace", one
    for at, part in enumerate(many if isinstance(many, list) else ()):
        if isinstance(part, str | dict):
            yield f"marketplaces[{at}]", {"name": part} if isinstance(part, str) else part


def _together(loaded: dict[str, Any]) -> Iterator[Fault]:
    """Mistakes that lie in several fields together."""
    one, many = loaded.get("marketplace"), loaded.get("marketplaces")
    if one and many:
        yield Fault("marketplaces", "say 'marketplace' for one or 'marketplaces' for many, no more")
    elif not one and not many:
        yield Fault("marketplaces", "is missing: name one or more, each with name, kind and url")
    names: set[str] = set()
    for place, part in raw_places(loaded):
        name = part.get("name")
        if isinstance(name, str):
            if name in names:
                yield Fault(f"{place}.name", f"{name!r} stands there twice")
            names.add(name)
        if ("kind" in part) != ("url" in part):
            missing = "url" if "kind" in part else "kind"
            yield Fault(
                f"{place}.{missing}", "is missing (the name alone will do for one under watch)"
            )
        looks = any(part.get(field) or loaded.get(field) for field in ("queries", "browse"))
        if not looks and not loaded.get("link_pages"):
            yield Fault(place, "a plan needs 'queries' or 'browse', or it looks at nothing here")
        yield from _robots(f"{place}.robots", part.get("robots"))
    if loaded.get("jitter") and not loaded.get("schedule"):
        yield Fault("jitter", "it spreads the runs of a 'schedule', and there is none")


def _robots(place: str, said: Any) -> Iterator[Fault]:
    if isinstance(said, dict):
        for name in ("ignored_by", "why"):
            if not said.get(name) and not said.get("obey"):
                yield Fault(
                    f"{place}.{name}",
                    "is missing: robots.txt is left aside only by the word of a named person of "
                    "the marketplace's own team, with the reason",
                )


def _fault(error: Any, loaded: dict[str, Any]) -> Fault:
    """A mistake that pydantic found, in our words where it has a number for an answer."""
    where, field = _place(error["loc"], loaded), str(error["loc"][-1])
    if error["type"] == "missing":
        return Fault(where, "is missing")
    if error["type"] == "extra_forbidden":
        names = list(_part_of(error["loc"][:-1]).model_fields)
        close = difflib.get_close_matches(field, names, 1)
        there = f"did you mean {close[0]!r}?" if close else ", ".join(names)
        return Fault(where, f"there is no such field: {there}")
    what = error["msg"].removeprefix("Value error, ")
    shown = repr(error.get("input"))
    if error["type"] != "value_error" and len(shown) <= 60:
        what = f"{what}, not {shown}"
    return Fault(where, what)


def _part_of(loc: tuple[Any, ...]) -> type[BaseModel]:
    """The part of a file that a place leads into."""
    if not loc:
        return PlanFile
    if loc[-1] == "robots":
        return RobotsPart
    return QueriesPart if loc[0] == "queries" else MarketplacePart


def _place(loc: tuple[Any, ...], loaded: dict[str, Any]) -> str:
    if loc[:2] == ("queries", "given") and isinstance(loaded.get("queries"), list | str):
        loc = ("queries", *loc[2:])
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "file"

"""What was looked at, what came of it, what that proves, and by whom."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


class Damaged(Exception):
    """Something is not what it must be.

    Parameters
    ----------
    part
        The member, or the part of the container, that is wrong.
    """

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(reason)
        self.part = part
        self.reason = reason


class Unchecked(Exception):
    """Something could not be looked at here; that says nothing against the evidence."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Parameters
    ----------
    part
        The member of the bundle that the check is about; ``outer!inner`` for a member of a
        bundle within a bundle.
    proves
        What follows if it is well.
    by
        On whose word: the id of a key, the subject of an authority's certificate. Empty
        where nobody's word is needed.
    checked
        False if it could not be looked at; then it is not `ok` either.
    """

    name: str
    part: str
    ok: bool
    detail: str
    proves: str
    by: str = ""
    checked: bool = True


@dataclass(frozen=True)
class Report:
    """All checks of one bundle, in the order in which they were made.

    Parameters
    ----------
    sha256
        Of the file; None for a folder.
    """

    sha256: str | None
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether every check was made and is well."""
        return all(check.ok for check in self.checks)

    @property
    def judged(self) -> bool:
        """Whether the verdict stands: something failed, or nothing was left unchecked."""
        failed = any(check.checked and not check.ok for check in self.checks)
        return failed or all(check.checked for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "ok": self.ok,
            "judged": self.judged,
            "sha256": self.sha256,
            "checks": [asdict(check) for check in self.checks],
        }


class Findings:
    """Where checks are put down.

    Parameters
    ----------
    within
        The bundle that the parts belong to, if that is itself a part of another.
    """

    def __init__(self, checks: list[Check] | None = None, within: str = "") -> None:
        self.checks: list[Check] = [] if checks is None else checks
        self._within = within

    def inside(self, part: str) -> Findings:
        """The findings of a bundle that is a part of this one."""
        return Findings(self.checks, f"{self._within}{part}!")

    def say(self, name: str, part: str, ok: bool, detail: str, proves: str, by: str = "") -> bool:
        """Put down a check; whether it is well."""
        self.checks.append(
            Check(name, _text(self._within + part), ok, _text(detail), proves, _text(by))
        )
        return ok

    def fail(self, name: str, damage: Damaged, proves: str, by: str = "") -> bool:
        """Put down a failed check."""
        return self.say(name, damage.part, False, damage.reason, proves, by)

    def unchecked(self, name: str, part: str, reason: Unchecked, proves: str) -> bool:
        """Put down that something could not be looked at."""
        detail = f"NOT CHECKED: {reason}"
        part = _text(self._within + part)
        self.checks.append(Check(name, part, False, detail, proves, "", False))
        return False


def _text(text: str) -> str:
    """Half a surrogate pair is no text that could be printed."""
    return text.encode("utf-8", "replace").decode()


def sha256_hex(data: bytes) -> str:
    """SHA-256 as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def is_sha256(value: object) -> bool:
    """Whether a value is 64 lower-case hex digits."""
    return isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef")


def json_object(part: str, raw: bytes) -> dict[str, Any]:
    """Read a JSON object in which no name stands twice.

    Of a name that stands twice, one reader takes the first value and another the last.

    Raises
    ------
    Damaged
        If it is none.
    """
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_never)
    except (ValueError, RecursionError) as error:
        raise Damaged(part, f"not JSON that can be trusted: {error}") from error
    if not isinstance(value, dict):
        raise Damaged(part, "not a JSON object")
    return value


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands in it twice")
    return value


def _never(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")

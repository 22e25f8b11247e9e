"""Who sells on the bazaar: what pages show of them, and the role that no page shows."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

TODAY = date(2026, 10, 1)
FIRST = ("Maison", "Casa", "Blue", "Golden", "North", "Lucky", "Rapid", "Silk", "Urban", "Old")
SECOND = ("Lumière", "Harbour", "Outlet", "Trading", "Boutique", "Store", "Market", "Attic")
NEAR = ("DE", "FR", "GB", "IT", "NL", "US")
FAR = ("HK", "JP", "US", "CN", "SG")
#: How many there are of each role.
ROLES = {
    "authorised": 4, "expired": 2, "reseller": 8, "importer": 3, "private": 6, "faker": 9,
    "shop": 8, "maker": 3,
}  # fmt: skip


def sellers(dice: Random) -> dict[str, dict[str, Any]]:
    """All sellers by id; the roles overlap in everything that a page shows."""
    found: dict[str, dict[str, Any]] = {}
    roles = [role for role, number in ROLES.items() for _ in range(number)]
    for number, role in enumerate(roles, 1):
        found[f"s-{number:04d}"] = seller(role, number, dice)
    return found


def seller(role: str, number: int, dice: Random) -> dict[str, Any]:
    """One seller of a role.

    Fakers are younger and rated lower than others on the whole, and some ship from elsewhere
    than they say to be; but there are old ones with good ratings, and honest beginners.
    """
    young = dice.random() < {"faker": 0.6, "private": 0.3, "shop": 0.3}.get(role, 0.15)
    days = dice.randrange(15, 330) if young else dice.randrange(330, 4200)
    low, high = {"faker": (3.2, 4.9), "private": (3.7, 5.0)}.get(role, (3.9, 5.0))
    country = dice.choice(NEAR)
    if role in ("faker", "shop") and dice.random() < {"faker": 0.4, "shop": 0.25}[role]:
        country = "CN"
    ships_from = country
    if role == "importer":
        ships_from = dice.choice([place for place in FAR if place != country])
    elif role == "faker" and dice.random() < 0.4:
        ships_from = "CN"
    elif role in ("reseller", "shop") and dice.random() < 0.12:
        ships_from = dice.choice(NEAR)  # a warehouse abroad is no crime
    return {
        "name": f"{dice.choice(FIRST)} {dice.choice(SECOND)} {number}",
        "country": country,
        "rating": round(dice.uniform(low, high), 1),
        "joined": (TODAY - timedelta(days=days)).isoformat(),
        "role": role,
        "ships_from": ships_from,
    }


def returned(old: dict[str, Any], number: int, dice: Random) -> dict[str, Any]:
    """A seller who was thrown out, under another account."""
    name = old["name"].rpartition(" ")[0]
    if dice.random() < 0.5:
        name = f"{name.split()[0]} {dice.choice(SECOND)}"
    days = dice.randrange(3, 60)
    return {
        **old,
        "name": f"{name} {number}",
        "rating": round(dice.uniform(3.2, 5.0), 1),
        "joined": (TODAY - timedelta(days=days)).isoformat(),
    }

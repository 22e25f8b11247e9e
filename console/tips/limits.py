"""How many tips may come, from one address and from all: kept in memory, and nowhere else."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable

#: Of one address, so many in so many seconds.
PER_ADDRESS = ((5, 600.0), (20, 86_400.0))
#: Of all together: whoever has many addresses is held here.
OF_ALL = ((60, 60.0), (600, 3_600.0))
#: Addresses that are remembered, the last ones seen.
MAX_ADDRESSES = 20_000

Rule = tuple[tuple[int, float], ...]


class Limits:
    """Counts tips by address. No address is written down.

    Parameters
    ----------
    clock
        Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_address: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque()

    def ask(self, address: str) -> float:
        """Seconds until another tip may come from there; 0 if now, and then it is counted."""
        now, who = self._clock(), _network(address)
        own = self._by_address.setdefault(who, deque())
        self._by_address.move_to_end(who)
        while len(self._by_address) > MAX_ADDRESSES:
            self._by_address.popitem(last=False)
        wait = max(_wait(own, PER_ADDRESS, now), _wait(self._all, OF_ALL, now))
        if not wait:
            own.append(now)
            self._all.append(now)
        return wait


def _wait(times: deque[float], rule: Rule, now: float) -> float:
    longest = max(seconds for _, seconds in rule)
    while times and times[0] <= now - longest:
        times.popleft()
    wait = 0.0
    for most, seconds in rule:
        recent = [at for at in times if at > now - seconds]
        if len(recent) >= most:
            wait = max(wait, recent[-most] + seconds - now)
    return wait


def _network(address: str) -> str:
    """An IPv6 user has a network of addresses: they are one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "?"
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)

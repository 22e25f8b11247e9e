"""What a share that was counted says of the share there is."""

from __future__ import annotations

import math

#: Standard deviations to either side that hold 95 %.
Z95 = 1.959963984540054


def wilson(part: int, of: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval of a share (Wilson, JASA 22, 1927), from nought to one.

    Parameters
    ----------
    of
        At least 1.
    z
        How sure it is to be, in standard deviations.
    """
    share, square = part / of, z * z
    middle = share + square / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    scale = 1 + square / of
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)

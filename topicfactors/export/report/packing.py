"""Numbers small enough for a page: rounded, limited to what there is room for, in base 64."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def packed(values: NDArray[Any]) -> str:
    """The bytes of an array in base 64, the lowest first.

    >>> packed(np.array([1, 2], dtype=np.uint8))
    'AQI='
    """
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(np.ascontiguousarray(little).tobytes()).decode("ascii")


def rounded(value: float, digits: int = 4) -> float | None:
    """A number in so many significant digits; None where it is not finite.

    >>> rounded(0.123456), rounded(float("nan"))
    (0.1235, None)
    """
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def limit_for(sizes: NDArray[Any], budget: int) -> int:
    """The largest limit with which ``sizes (n,)``, each cut to it, fit into a budget together.

    >>> limit_for(np.array([1, 5, 9]), 10), limit_for(np.array([1, 2]), 10)
    (4, 2)
    """
    if len(sizes) == 0 or sizes.sum() <= budget:
        return int(sizes.max(initial=0))
    low, high = 0, int(sizes.max())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if np.minimum(sizes, middle).sum() <= budget else (low, middle)
    return low


def quantised(nats: NDArray[np.floating]) -> tuple[float, NDArray[np.int8]]:
    """Numbers ``(n,)`` as whole ones from −127 to 127, and what one of these is worth.

    >>> quantised(np.array([2.0, -1.0]))[1].tolist()
    [127, -64]
    """
    most = float(np.abs(nats).max(initial=0))
    step = rounded(most / 127, 6) or 0.0
    if step <= 0:
        return 0.0, np.zeros(len(nats), np.int8)
    return step, np.clip(np.rint(nats / step), -127, 127).astype(np.int8)

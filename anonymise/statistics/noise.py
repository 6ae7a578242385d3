# SPDX-License-Identifier: EUPL-1.2
"""What a published figure says: the count, noise keyed to the cohort, rounded to base 5.

The noise is a rounded normal of standard deviation 2, drawn from a keyed hash of the cohort: the
same people give the same figure whoever asks, by whatever layout, however often, so asking again
averages nothing out. The table below is its distribution in 32-bit steps, cut at four deviations,
so that every implementation draws the same (docs/formats/statistics.md, section 3).

Noise blurs differences; it bounds nothing by itself over many figures. What bounds is the
threshold, the overlap ledger, and for what is published or repeated, differential privacy.
"""

from bisect import bisect_right
from hashlib import blake2b
from itertools import accumulate

from anonymise.statistics.cohort import Cohort

BASE = 5
MOST_NOISE = 8
_DRAW = 4
# P(round(N(0, 2)) = 0, 1, ... 8) in steps of 2^-32; with the negative side they add up to 2^32.
_CENTRE = 847_899_006
_SIDE = (
    750_202_178,
    519_605_852,
    281_715_576,
    119_551_614,
    39_706_573,
    10_319_903,
    2_098_599,
    333_850,
)
_BELOW = tuple(accumulate((*reversed(_SIDE), _CENTRE, *_SIDE)))


def noise_of(cohort: Cohort, key: bytes) -> int:
    """The noise of one cohort, -8 to 8; `key` is 32 secret bytes."""
    drawn = blake2b(
        cohort.digest.to_bytes(16, "big") + cohort.size.to_bytes(6, "big"),
        key=key,
        digest_size=_DRAW,
        person=b"cuvar noise 1",
    ).digest()
    return bisect_right(_BELOW, int.from_bytes(drawn, "big")) - MOST_NOISE


def figure_of(cohort: Cohort, key: bytes, minimum: int) -> int:
    """What is published of a cohort of at least `minimum`: a multiple of 5, never below that."""
    return max(minimum, rounded(cohort.size + noise_of(cohort, key)))


def rounded(count: int) -> int:
    """The nearest multiple of 5."""
    return (2 * count + BASE) // (2 * BASE) * BASE

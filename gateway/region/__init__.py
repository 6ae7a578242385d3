# SPDX-License-Identifier: EUPL-1.2
"""The synthetic region: nine national registers of people who do not exist.

`create_region` builds them from a seed; docs/region.md says what is in them. The demonstration,
the tests and the benches stand on it; a deployment never needs this room, so numpy and Faker are
imported when a region is built and not before.
"""

from typing import TYPE_CHECKING, Any

from gateway.region.errors import RegionError
from gateway.region.rates import AS_OF, REGION_VERSION, Rates

if TYPE_CHECKING:
    from gateway.region.build import Manifest, Progress, create_region, read_manifest

__all__ = [
    "AS_OF",
    "REGION_VERSION",
    "Manifest",
    "Progress",
    "Rates",
    "RegionError",
    "create_region",
    "read_manifest",
]


def __getattr__(name: str) -> Any:
    """The builder's names, imported on first use."""
    if name in __all__:
        from gateway.region import build

        return getattr(build, name)
    raise AttributeError(name)

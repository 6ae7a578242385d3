# SPDX-License-Identifier: EUPL-1.2
"""The synthetic region: nine national registers of people who do not exist.

`create_region` builds them from a seed; docs/region.md says what is in them. The demonstration,
the tests and the benches stand on it; a deployment never needs this room.
"""

from gateway.region.build import Manifest, Progress, create_region, read_manifest
from gateway.region.errors import RegionError
from gateway.region.rates import AS_OF, REGION_VERSION, Rates

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

# SPDX-License-Identifier: EUPL-1.2
"""A process that appends until it is killed, and says which entries were acknowledged.

    python -m tests.audit.writing URL

Each line is `index leaf-hash`, written only after `append` returned.
"""

import asyncio
import os
import sys

from audit.journal import utc_now
from tests.audit.making import new_sealer, opened, sealed


async def write(url):
    """Sixteen writers without a pause."""
    sealer = new_sealer()
    async with opened(url, clock=utc_now) as log:

        async def ask():
            while True:
                (position,) = await log.append([sealed(sealer)])
                os.write(1, b"%d %b\n" % (position.index, position.leaf_hash.hex().encode()))

        await asyncio.gather(*(ask() for _ in range(16)))


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1]))

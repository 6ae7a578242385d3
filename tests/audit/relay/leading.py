# SPDX-License-Identifier: EUPL-1.2
"""A member that appends until it is killed, and says what was acknowledged to it.

    python -m tests.audit.relay.leading URL

Its first line is `leads` or `follows`; each further one is `index leaf-hash`, written only after
`append` returned.
"""

import asyncio
import os
import sys

from audit import LogUnavailableError
from audit.relay import SharedJournal
from tests.audit.making import KEY, new_sealer, sealed


async def write(url):
    """Eight writers without a pause, whatever part this process has."""
    journal = await SharedJournal.open(url, keys={"BA": KEY})
    os.write(1, b"leads\n" if journal.leads else b"follows\n")
    sealer = new_sealer()

    async def ask():
        while True:
            try:
                (position,) = await journal.append([sealed(sealer)])
                os.write(1, b"%d %b\n" % (position.index, position.leaf_hash.hex().encode()))
            except LogUnavailableError:
                await asyncio.sleep(0.01)

    await asyncio.gather(*(ask() for _ in range(8)))


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1]))

# SPDX-License-Identifier: EUPL-1.2
"""What was taken before, kept in the state database, so that an old rule set stays old.

One row a part: the newest version that any gateway on this database took, and the digest of its
manifest. One row a log: the digest of the rule set last in force, so that a start under other
rules than the last ones is an entry too.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from gateway.ruleset.errors import Refusal, RuleSetError
from gateway.ruleset.sealing import SignedPart
from gateway.state import RULE_VERSION
from gateway.store import Store
from policies import Problem
from policies.manifest import manifest_name

_LOG: Final = "log "  # no part's name holds a space

Taken = Mapping[str, tuple[int, str]]


class RuleMemory:
    """The rows of one gateway; `origin` is the name of its log."""

    def __init__(self, store: Store, origin: str) -> None:
        """Use an opened store."""
        self._store = store
        self._row = _LOG + origin[:150]

    async def taken(self) -> Taken:
        """Part → version and manifest digest, of everything taken before.

        Raises:
            StoreError: the state database does not answer.
        """
        return await self._store.run(_read)

    async def last_digest(self) -> str | None:
        """The digest of the rule set that was last in force here.

        Raises:
            StoreError: the state database does not answer.
        """
        found = (await self.taken()).get(self._row)
        return None if found is None else found[1]

    async def take(self, parts: Sequence[SignedPart], digest: str) -> None:
        """Remember a rule set.

        Raises:
            RuleSetError: another gateway took a newer one in the meantime.
            StoreError: the state database does not answer.
        """

        def work(connection: Connection) -> None:
            refuse_older(parts, _read(connection))
            rows = [(part.part, part.manifest.version, part.digest) for part in parts]
            for name, version, value in (*rows, (self._row, 0, digest)):
                connection.execute(delete(RULE_VERSION).where(RULE_VERSION.c.part == name))
                connection.execute(
                    insert(RULE_VERSION).values(part=name, version=version, digest=value)
                )

        await self._store.run(work)


def refuse_older(parts: Sequence[SignedPart], taken: Taken) -> None:
    """Refuse a set with any part that is older than, or unlike, what was taken before.

    Raises:
        RuleSetError: naming each such manifest.
    """
    problems = []
    for part in parts:
        version, digest = taken.get(part.part, (0, ""))
        if part.manifest.version < version:
            text = f"version {part.manifest.version} is older than {version}, which was in force"
        elif part.manifest.version == version and part.digest != digest:
            text = f"version {version} was in force with other content; versions must rise"
        else:
            continue
        problems.append(Problem(manifest_name(part.part), 3, text))
    if problems:
        raise RuleSetError(Refusal.OLDER, "the rules are older than those taken before", problems)


def _read(connection: Connection) -> Taken:
    rows = connection.execute(
        select(RULE_VERSION.c.part, RULE_VERSION.c.version, RULE_VERSION.c.digest)
    )
    return {row.part: (row.version, row.digest) for row in rows}

# SPDX-License-Identifier: EUPL-1.2
"""Step 1 of a look-up across a border: which persons of each owner the blind keys lead to.

One look-up in the index serves all owners of a question. What it finds is only whom to ask each
register for: the register's own facts and the second pass then decide what is told, as for a
person named in clear (INT-01, EUR-16). A country whose index does not hold the question's epoch,
grammar and blinding is unavailable, never "none". docs/formats/linkage-flag.md.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from anonymise import AnonymiseError, Keyring
from anonymise.linkage.grading import Grade, grade_kinds
from gateway.errors import GatewayError
from gateway.inquiry import Inquiry
from gateway.linkage.asked import Blinded
from gateway.linkage.candidates import Candidates
from gateway.linkage.index import Found, LinkIndex, handle_cipher
from gateway.linkage.peppers import Peppers
from gateway.questions import FindQuestion


class Flags:
    """Looks blind keys up."""

    def __init__(self, index: LinkIndex, peppers: Peppers, keyring: Keyring) -> None:
        """Use opened parts; each may fail later, which makes its owners unavailable."""
        self._index = index
        self._peppers = peppers
        self._keyring = keyring

    async def looked_up(self, inquiry: Inquiry, owners: Collection[str]) -> Inquiry:
        """The inquiry with what the index leads to; itself unless it brings blind keys."""
        asked = inquiry.asked
        if not isinstance(asked, FindQuestion) or asked.blinded is None or not owners:
            return inquiry
        try:
            return replace(inquiry, candidates=await self._found(asked.blinded, owners))
        except (GatewayError, AnonymiseError):
            return inquiry  # without candidates every owner is unavailable

    async def _found(self, blinded: Blinded, owners: Collection[str]) -> Mapping[str, Candidates]:
        pepper = await self._peppers.pepper(blinded.epoch)
        if pepper is None:
            return {}
        keys = [(key.kind, pepper.stored(key)) for key in blinded.blind_keys()]
        found = await self._index.candidates(blinded.epoch, keys, owners)
        return {
            owner: candidates
            for owner, one in found.items()
            if (one.grammar, one.blinding) == (blinded.grammar, blinded.blinding)
            and (candidates := self._of(owner, blinded.epoch, one)) is not None
        }

    def _of(self, owner: str, epoch: str, found: Found) -> Candidates | None:
        """The persons behind the handles of one country; None where they can't be read."""
        try:
            cipher = handle_cipher(self._keyring, owner, epoch, found.root)
        except AnonymiseError:
            return None
        graded = ((handle, grade_kinds(kinds)) for handle, kinds in found.handles.items())
        return Candidates(
            {cipher.reverse(handle): grade for handle, grade in graded if grade is not Grade.NONE}
        )

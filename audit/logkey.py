# SPDX-License-Identifier: EUPL-1.2
"""The signing key of one country's logs.

One Ed25519 key signs all half-years of a country: each log's signature bears the log's own origin
as key name (C2SP tlog-checkpoint), so that a checkpoint of one shard is none of another.
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import NoteError
from audit.note import NoteSigner
from audit.shards import parse_origin


@dataclass(frozen=True, slots=True)
class LogKey:
    """`name` is `<prefix>/<COUNTRY>`; the private key never shows in a repr."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    def signer(self, origin: str) -> NoteSigner:
        """The signer of one of this country's logs.

        Raises:
            NoteError: the log is of another prefix or country.
        """
        if parse_origin(origin).key_name != self.name:
            raise NoteError(f"the key {self.name} does not sign the log {origin}")
        return NoteSigner(origin, self.private)

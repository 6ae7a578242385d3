# SPDX-License-Identifier: EUPL-1.2
"""What the house log says of the keyset: which ceremonies were held, and what the last one left.

Each ceremony's last entry names the digest of the keyset afterwards, and both its entries the
number of the statement. So a statement is held once, and a keyset that was put back to an older
state, or exchanged, is another than the log names. ADR 0036; docs/formats/keyset.md section 7.
Blocking: call it in a thread.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from anonymise import Keyring
from audit import AuditError, Envelope, Kind, NoteVerifier, Status, parse_envelope
from audit.checkpoint import open_checkpoint
from audit.copies import Copy, open_copy, origins
from audit.errors import LogCorruptError
from audit.merkle import leaf_hash
from audit.shards import HOUSE, parse_origin
from audit.standing import read_envelopes
from audit.tiles import Edge
from gateway.logkeys import read_log_keys
from gateway.settings import Settings

CEREMONY: Final = "key ceremony"
_SIGN: Final = f'"{CEREMONY} '.encode()
_KIND: Final = f'"kind":"{Kind.KEY_CHANGE}"'.encode()
_CONFIRM: Final = (
    "if it is the right one, let two custodians say so (`cuvar keys confirm`, docs/anonymisation/"
    "keys.md)"
)


@dataclass(frozen=True, slots=True)
class Named:
    """The keyset that the newest ended ceremony left.

    Attributes:
        digest: of the keyset; None in entries of older releases, which did not name it.
        entry: where it stands.
    """

    digest: str | None
    entry: str


class KeysetLog:
    """The ceremonies in the house logs, read from entries whose tree the log's key signed.

    Rows that somebody changed in the database are not believed: every entry read goes into the
    tree, and its root must be that of the signed head. Mutable state, owned by whoever calls, one
    call at a time: by log its tree so far, and what was found in it.
    """

    def __init__(self, settings: Settings) -> None:
        """Nothing is read yet."""
        self._settings = settings
        self._edges: dict[str, Edge] = {}
        self._named: Named | None = None
        self._begun: dict[str, str] = {}

    def named(self) -> Named | None:
        """What the newest ended ceremony left; reads only what was added since the last call.

        Raises:
            AuditError: the log can't be read, or is not the one that was signed.
            KeyFileError: the house log's key is not there.
        """
        self._follow()
        return self._named

    def begun(self, number: str) -> str | None:
        """The first entry of the ceremony of this number, None where it was never begun.

        Raises:
            AuditError: the log can't be read, or is not the one that was signed.
            KeyFileError: the house log's key is not there.
        """
        self._follow()
        return self._begun.get(correlation_of(number))

    def _follow(self) -> None:
        place = self._settings.log.url.get_secret_value()
        houses = [name for name in origins(place) if parse_origin(name).country == HOUSE]
        key = read_log_keys(self._settings).get(HOUSE) if houses else None
        for origin in houses:
            if key is None:
                raise AuditError(f"no key here signs {origin}; see [log] keys in the settings")
            with open_copy(place, origin) as copy:
                self._read(copy, origin, key.signer(origin).verifier)

    def _read(self, copy: Copy, origin: str, verifier: NoteVerifier) -> None:
        """Go on reading one log; nothing of it counts before its tree was found to be signed."""
        head = copy.head()
        if head is None:
            raise AuditError(f"{origin} has no head row; run `cuvar audit verify`")
        known = self._edges.get(origin)
        edge = Edge() if known is None else known.copy()
        found: list[tuple[str, Envelope]] = []
        leaves = []
        for index, data in read_envelopes(copy, edge.size, head.size):
            leaves.append(leaf_hash(data))
            if _SIGN in data and _KIND in data:
                found.append((f"{origin}/{index}", parse_envelope(data)))
        edge.extend(leaves)
        signed = open_checkpoint(head.note.encode(), verifier, origin)
        if (signed.size, signed.root) != (head.size, edge.root()):
            raise LogCorruptError(
                f"the entries of {origin} are not those that were signed; run `cuvar audit verify`"
            )
        self._edges[origin] = edge
        for place, envelope in found:
            if envelope.correlation is not None:
                self._begun.setdefault(envelope.correlation, place)
            if envelope.status is Status.DONE:
                self._named = Named(envelope.policy, place)


def correlation_of(number: str) -> str:
    """What joins the entries of one ceremony, and no other's."""
    return f"ceremony-{number}"


def why_unnamed(settings: Settings, keyring: Keyring, named: Named | None) -> str | None:
    """Why a keyset is not known to be the right one; None where it is.

    A trial's keyset, made without a ceremony and without custodians, needs no entry until it has
    one: so a first start needs nothing, and production starts with a ceremony.

    Raises:
        KeyringError: the keyset can't be used now.
    """
    if named is None:
        trial = settings.gateway.mode == "development" and not keyring.custodians
        return None if trial else f"the log names no keyset yet; {_CONFIRM}"
    if named.digest == keyring.digest:
        return None
    return (
        f"the keyset is not the one that the last ceremony left (entry {named.entry}): it was put "
        f"back to an older state, exchanged, or a ceremony was cut off; {_CONFIRM}"
    )


def checker(settings: Settings) -> Callable[[Keyring], str | None]:
    """`why_unnamed` with a log that is followed from call to call."""
    log = KeysetLog(settings)
    return lambda keyring: why_unnamed(settings, keyring, log.named())

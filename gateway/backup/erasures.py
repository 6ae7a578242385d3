# SPDX-License-Identifier: EUPL-1.2
"""Which details were erased, by what newer logs say: a backup must not bring them back.

The logs are read from a published folder, a file or a database, and believed only if they are whole
and signed by the key in the settings: who could invent an erasure could make evidence disappear.
"""

from collections.abc import Callable, Iterator, Mapping

from audit import AuditError, Kind, NoteVerifier, parse_envelope
from audit.checkpoint import open_checkpoint
from audit.concern import concern_of
from audit.copies import Copy, open_copy, origins
from audit.merkle import leaf_hash
from audit.tiles import Edge
from gateway.backup.manifest import KeepingError

_CHUNK = 4096
_WORD = b'"kind":"erasure"'


def erasures_of(
    place: str, verifiers: Callable[[str], NoteVerifier], known: Mapping[str, int]
) -> dict[str, set[int]]:
    """By log, the entries whose details the logs of a place say were erased.

    Not to be called in a running event loop.

    Args:
        place: a published folder, a file or a database.
        verifiers: gives the key of a log.
        known: sizes of logs that the place may speak of without holding them: those of the backup.

    Raises:
        KeepingError: a log of the place is not whole.
        AuditError: it can't be read, or another key signed it.
    """
    found: dict[str, set[int]] = {}
    names = origins(place)
    sizes = dict(known)
    for origin in names:
        with open_copy(place, origin) as copy:
            head = copy.head()
            sizes[origin] = 0 if head is None else head.size
    for origin in names:
        with open_copy(place, origin) as copy:
            for log, indices in _declared(copy, origin, verifiers(origin), sizes):
                found.setdefault(log, set()).update(indices)
    return found


def _declared(
    copy: Copy, origin: str, verifier: NoteVerifier, sizes: Mapping[str, int]
) -> list[tuple[str, set[int]]]:
    """What each erasure entry of a log names; all of it or, if the log is not whole, nothing."""
    head = copy.head()
    edge, found = Edge(), []
    for index, data in _envelopes(copy, sizes[origin]):
        edge.extend([leaf_hash(data)])
        envelope = parse_envelope(data) if _WORD in data else None
        if envelope is not None and envelope.kind is Kind.ERASURE:
            about = concern_of(origin, index, envelope, sizes)
            found.append((about.log, {i for span in about.spans for i in span}))
    _require_signed(edge, head.note if head else "", origin, verifier)
    return found


def _envelopes(copy: Copy, size: int) -> Iterator[tuple[int, bytes]]:
    for start in range(0, size, _CHUNK):
        for index, data in copy.envelopes(start, min(start + _CHUNK, size)):
            if not isinstance(data, bytes):
                raise KeepingError(f"entry {index} of the copy is damaged; name another copy")
            yield index, data


def _require_signed(edge: Edge, note: str, origin: str, verifier: NoteVerifier) -> None:
    try:
        signed = open_checkpoint(note.encode(), verifier, origin)
    except AuditError as error:
        raise KeepingError(f"the erasures of {origin} are not believed: {error}") from None
    if (signed.size, signed.root) != (edge.size, edge.root()):
        raise KeepingError(f"the erasures of {origin} are not believed: the copy is not whole")

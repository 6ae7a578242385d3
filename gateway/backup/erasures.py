# SPDX-License-Identifier: EUPL-1.2
"""Which details were erased, by what newer logs say: a backup must not bring them back.

The logs are read from a published folder, a file or a database, and believed only if they are whole
and signed by the key in the settings: who could invent an erasure could make evidence disappear.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from audit import AuditError, Kind, NoteVerifier, Requester, parse_envelope
from audit.checkpoint import open_checkpoint
from audit.concern import Ground, age_of, concern_of, lacks_effect
from audit.copies import Copy, open_copy, origins
from audit.glance import glance
from audit.holds import HoldBook
from audit.merkle import leaf_hash
from audit.ranges import ranges_of, spans_of
from audit.tiles import Edge
from audit.verify.custody import without
from gateway.backup.manifest import KeepingError

_CHUNK = 4096
_HOLDS = (Kind.LEGAL_HOLD, Kind.HOLD_LIFTED)
_WORDS = tuple(f'"kind":"{kind}"'.encode() for kind in (Kind.ERASURE, *_HOLDS))


@dataclass(frozen=True, slots=True)
class Declared:
    """What one erasure entry names and no hold keeps, on which ground, and who ordered it."""

    log: str
    spans: tuple[range, ...]
    basis: str | None
    requester: Requester | None
    place: str = ""
    """the entry that said so"""


def erasures_of(
    place: str, verifiers: Callable[[str], NoteVerifier], known: Mapping[str, int]
) -> dict[str, set[int]]:
    """By log, the entries whose details the logs of a place say were erased; see `declared_in`."""
    found: dict[str, set[int]] = {}
    for one in declared_in(place, verifiers, known):
        found.setdefault(one.log, set()).update(i for span in one.spans for i in span)
    return found


def declared_in(
    place: str, verifiers: Callable[[str], NoteVerifier], known: Mapping[str, int]
) -> list[Declared]:
    """What the logs of a place say was erased.

    Not to be called in a running event loop.

    Args:
        place: a published folder, a file or a database.
        verifiers: gives the key of a log.
        known: sizes of logs that the place may speak of without holding them: those of the backup.

    Raises:
        KeepingError: a log of the place is not whole.
        AuditError: it can't be read, or another key signed it.
    """
    found: list[Declared] = []
    names = origins(place)
    sizes = dict(known)
    for origin in names:
        with open_copy(place, origin) as copy:
            head = copy.head()
            sizes[origin] = 0 if head is None else head.size
    holds, months = HoldBook(sizes), dict[str, list[str | None]]()
    for origin in sorted(names, key=age_of):  # a country's logs oldest first: holds pass on
        with open_copy(place, origin) as copy:
            found += _declared(copy, origin, verifiers(origin), (holds, months))
    return found


def _declared(
    copy: Copy,
    origin: str,
    verifier: NoteVerifier,
    known: tuple[HoldBook, dict[str, list[str | None]]],
) -> list[Declared]:
    """What each erasure entry of a log names and no hold keeps; if the log is not whole, nothing.

    What is known learns of the log's holds, and of the months of its entries: an erasure by the
    clock counts only for those that were over.
    """
    holds, months = known
    mine = months.setdefault(origin, [])
    head = copy.head()
    edge = Edge()
    found: list[Declared] = []
    for index, data in _envelopes(copy, holds.sizes[origin]):
        edge.extend([leaf_hash(data)])
        mine.append(glance(data).erase)
        if not any(word in data for word in _WORDS):
            continue
        envelope = parse_envelope(data)
        if envelope.kind is Kind.ERASURE and lacks_effect(envelope) is None:
            about = concern_of(origin, index, envelope, holds.sizes)
            free = tuple(without(about.spans, holds.spans(about.log)))
            if envelope.basis != Ground.GDP_ORDER and about.log in months:
                free = _over(free, months[about.log], f"{envelope.t:%Y-%m}")
            found.append(
                Declared(about.log, free, envelope.basis, envelope.requester, f"{origin}/{index}")
            )
        elif envelope.kind in _HOLDS:
            holds.take(origin, index, envelope)
    _require_signed(edge, head.note if head else "", origin, verifier)
    return found


def _over(spans: Sequence[range], months: Sequence[str | None], when: str) -> tuple[range, ...]:
    """Those of these entries whose month was over in this one."""
    due = [n for span in spans for n in span if n < len(months) and (months[n] or when) < when]
    return tuple(spans_of(ranges_of(due)))


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

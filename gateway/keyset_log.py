# SPDX-License-Identifier: EUPL-1.2
"""What the house log says of the keyset: which ceremonies were held, and what the last one left.

Each ceremony's last entry names the digest of the keyset afterwards, and both its entries the
number of the statement. So a statement is held once, and a keyset that was put back to an older
state, or exchanged, is another than the log names. ADR 0036; docs/formats/keyset.md section 7.
Blocking: call it in a thread.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from anonymise import Keyring
from audit import Envelope, Kind, Status, parse_envelope
from audit.copies import Copy, open_copy, origins
from audit.shards import HOUSE, parse_origin
from audit.standing import CHUNK, read_envelopes
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
    """The ceremonies in the house logs of one place.

    Mutable state, owned by whoever calls `named`, one call at a time: what was found, and up to
    where each log was read.
    """

    def __init__(self, place: str) -> None:
        """Nothing is read yet."""
        self._place = place
        self._named: Named | None = None
        self._read: dict[str, int] = {}

    def named(self) -> Named | None:
        """What the newest ended ceremony left; reads only what was added since the last call.

        Raises:
            AuditError: the log can't be read.
        """
        sizes: dict[str, int] = {}
        for origin in _houses(self._place):
            done = self._read.get(origin, 0)
            with open_copy(self._place, origin) as copy:
                sizes[origin] = _size(copy)
                found = next(_ended(copy, origin, done, sizes[origin]), None)
            if found is not None:
                self._named = found
                break
            if done:
                break  # what is older was read before
        self._read |= sizes
        return self._named

    def begun(self, number: str) -> str | None:
        """The first entry of the ceremony of this number, None where it was never begun.

        Raises:
            AuditError: the log can't be read.
        """
        first = None
        for origin in _houses(self._place):
            with open_copy(self._place, origin) as copy:
                for index, envelope in _ceremonies(copy, 0, _size(copy)):
                    if envelope.correlation == correlation_of(number):
                        first = f"{origin}/{index}"
        return first


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
    log = KeysetLog(settings.log.url.get_secret_value())
    return lambda keyring: why_unnamed(settings, keyring, log.named())


def _houses(place: str) -> list[str]:
    """The house's logs, newest first."""
    return [name for name in reversed(origins(place)) if parse_origin(name).country == HOUSE]


def _size(copy: Copy) -> int:
    head = copy.head()
    return 0 if head is None else head.size


def _ended(copy: Copy, origin: str, start: int, stop: int) -> Iterator[Named]:
    for index, envelope in _ceremonies(copy, start, stop):
        if envelope.status is Status.DONE:
            yield Named(envelope.policy, f"{origin}/{index}")


def _ceremonies(copy: Copy, start: int, stop: int) -> Iterator[tuple[int, Envelope]]:
    """Entries of ceremonies, newest first; the others are passed over without being parsed."""
    for first in reversed(range(start, stop, CHUNK)):
        entries = read_envelopes(copy, first, min(first + CHUNK, stop))
        found = [(i, data) for i, data in entries if _SIGN in data and _KIND in data]
        for index, data in reversed(found):
            yield index, parse_envelope(data)

# SPDX-License-Identifier: EUPL-1.2
"""What a stolen index tells, measured: rank alignment, and a country that holds the same people.

python -m bench.linkage_attack [--size N] prints the figures of docs/linkage/attacks.md. It is
made as a gateway makes an index, rows of stored keys and handles; the attacker has those rows and a
register of his own, and neither pepper nor keyset. Each attack is judged with the truth that he
has not got. People do not exist (`bench.linkage`, the half that anybody may look at).
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from anonymise.linkage.blinding import HmacBlinder, Pepper
from anonymise.linkage.keys import Key, KeyKind, keys_of
from anonymise.linkage.names import skeletons
from anonymise.linkage.person import LinkagePerson, person_of
from bench.linkage.registers import make_registers
from gateway.linkage.index import CAP

EPOCH = "2027q1"
TOP = 200
NEAR = 10
_ROUNDS = 4
_NATIONS, _PEPPER = bytes(32), bytes([1]) * 32

People = Mapping[str, LinkagePerson]
Edges = dict[str, list[str]]
"""Somebody's rows: a handle or a person, and his keys."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure of the page."""

    attack: str
    what: str
    value: float

    def line(self) -> str:
        """As it stands on the page."""
        return f"| {self.attack} | {self.what} | {self.value:g} |"


def findings(size: int) -> list[Finding]:
    """Every figure, for two registers of this size."""
    half = make_registers("train", size=size, shared=size // 2)
    same = make_registers("train", size=size, shared=size)
    first, second = _people(half.first), _people(half.second)
    found = list(_aligned(first, second))
    found += _joined(_people(same.first), _people(same.second), dict(same.truth))
    return found


def _people(records: Mapping[str, object]) -> People:
    names = ("given_names", "surnames", "sex", "date_of_birth", "nationality", "document_number")
    return {
        label: person_of(**{name: str(getattr(record, name)) for name in names})
        for label, record in records.items()
    }


def _aligned(target: People, own: People) -> Iterable[Finding]:
    """Rank alignment: the i-th most frequent stored key is taken for the i-th plain one."""
    kinds: dict[str, list[KeyKind]] = {"all kinds mixed": list(KeyKind)}
    kinds |= {f"kind {kind} alone": [kind] for kind in KeyKind}
    for label, chosen in kinds.items():
        keys = {name: _of_kinds(person, chosen) for name, person in target.items()}
        mine = {name: _of_kinds(person, chosen) for name, person in own.items()}
        yield from _ranked(label, _capped(keys), mine)
    yield from _ranked(
        "forbidden: name pair, nation, sex",
        {name: _dateless(person) for name, person in target.items()},
        {name: _dateless(person) for name, person in own.items()},
    )


def _ranked(
    label: str, target: Mapping[str, list[str]], own: Mapping[str, list[str]]
) -> Iterable[Finding]:
    held = Counter(key for keys in target.values() for key in keys)
    known = Counter(key for keys in own.values() for key in keys)
    # The stored key hides the text and keeps the frequency; ties are broken by what is random.
    stored = {key: _stored(key) for key in held}
    ranked = sorted(held, key=lambda key: (-held[key], stored[key]))[:TOP]
    guessed = [key for key, _ in sorted(known.items(), key=lambda pair: (-pair[1], pair[0]))]
    place = {key: rank for rank, key in enumerate(guessed)}
    exact = sum(place.get(key) == rank for rank, key in enumerate(ranked))
    near = sum(abs(place.get(key, 10**9) - rank) <= NEAR for rank, key in enumerate(ranked))
    single = sum(count == 1 for count in held.values()) / max(1, len(held))
    yield Finding(f"rank alignment, {label}", f"of the top {TOP}, exactly right", exact)
    yield Finding(f"rank alignment, {label}", f"of the top {TOP}, within {NEAR} ranks", near)
    yield Finding(
        f"rank alignment, {label}", "keys that one record alone has, in 100", _in_100(single)
    )
    yield Finding(f"rank alignment, {label}", "largest bucket", max(held.values(), default=0))


def _joined(held: People, own: People, truth: Mapping[str, str]) -> Iterable[Finding]:
    """A country that has the dump, its own names, and neither pepper nor keyset.

    Graphs are compared by colours that are refined round by round (Weisfeiler and Leman): a record
    is known by how many keys it has, how often each occurs, who else has them, and so on.
    """
    target, mine = _rows(held), _rows(own)
    plain = {name: _named(keys) for name, keys in _capped(_texts(own)).items()}
    right, told = _matched(mine, plain)
    yield Finding(
        "own rows by structure",
        "own persons whose handle is found, in 100",
        _in_100(told / len(mine)),
    )
    yield Finding("own rows by structure", "of those, right, in 100", _in_100(right / max(1, told)))
    holders: dict[str, set[str]] = defaultdict(set)
    for name, keys in target.items():
        for key in keys:
            holders[key].add(name)
    back = {theirs: ours for ours, theirs in truth.items()}
    seen = [(name, _closest(keys, holders)) for name, keys in mine.items()]
    claimed = [(name, close) for name, close in seen if close is not None]
    known = sum(back.get(name) == close for name, close in claimed)
    yield Finding(
        "who of mine is in theirs", "own persons told, in 100", _in_100(len(claimed) / len(mine))
    )
    yield Finding(
        "who of mine is in theirs", "of those, right, in 100", _in_100(known / max(1, len(claimed)))
    )
    crossed_right, crossed = _matched(target, plain, truth)
    yield Finding(
        "their rows by structure alone", "persons claimed, in 100", _in_100(crossed / len(target))
    )
    yield Finding(
        "their rows by structure alone",
        "of those, right, in 100",
        _in_100(crossed_right / max(1, crossed)),
    )
    again = {name: [f"{key}/next" for key in keys] for name, keys in target.items()}
    joined_right, joined = _matched(target, again)
    yield Finding(
        "two epochs of one register", "handles joined, in 100", _in_100(joined / len(target))
    )
    yield Finding(
        "two epochs of one register",
        "of those, right, in 100",
        _in_100(joined_right / max(1, joined)),
    )


def _closest(keys: list[str], holders: Mapping[str, set[str]]) -> str | None:
    """The foreign handle that shares most keys: two at least, and no other as many."""
    shared = Counter(name for key in keys for name in holders.get(key, ()))
    best = shared.most_common(2)
    if not best or best[0][1] < 2 or (len(best) > 1 and best[1][1] == best[0][1]):
        return None
    return best[0][0]


def _matched(held: Edges, known: Edges, truth: Mapping[str, str] | None = None) -> tuple[int, int]:
    """How many of `held` get a colour that one of `known` alone has; right ones first."""
    ours, theirs = _colours(held), _colours(known)
    alone = _unique(theirs)
    found = {name: alone[colour] for colour, name in _unique(ours).items() if colour in alone}
    right = sum(
        (name if truth is None else truth.get(name)) == other for name, other in found.items()
    )
    return right, len(found)


def _unique(colours: Mapping[str, int]) -> dict[int, str]:
    often = Counter(colours.values())
    return {colour: name for name, colour in colours.items() if often[colour] == 1}


def _colours(rows: Edges) -> dict[str, int]:
    holders: dict[str, list[str]] = defaultdict(list)
    for name, keys in rows.items():
        for key in keys:
            holders[key].append(name)
    records = {name: len(keys) for name, keys in rows.items()}
    for _ in range(_ROUNDS):
        shared = {
            key: hash(tuple(sorted(records[n] for n in names))) for key, names in holders.items()
        }
        records = {
            name: hash((records[name], tuple(sorted(shared[key] for key in keys))))
            for name, keys in rows.items()
        }
    return records


def _rows(people: People) -> Edges:
    """What the gateway stores of them, without the keys that a crowd shares."""
    return {name: [_stored(key) for key in keys] for name, keys in _capped(_texts(people)).items()}


def _texts(people: People) -> Edges:
    return {name: _of_kinds(person, list(KeyKind)) for name, person in people.items()}


def _of_kinds(person: LinkagePerson, kinds: list[KeyKind]) -> list[str]:
    return [f"{key.kind}:{key.text}" for key in keys_of(person) if key.kind in kinds]


def _capped(rows: Edges) -> Edges:
    often = Counter(key for keys in rows.values() for key in keys)
    return {name: [key for key in keys if often[key] <= CAP] for name, keys in rows.items()}


def _named(keys: list[str]) -> list[str]:
    return [f"plain {key}" for key in keys]


def _dateless(person: LinkagePerson) -> list[str]:
    """The kind that the grammar forbids."""
    names = sorted(skeletons(person.given_names, person.surnames))[:2]
    if len(names) < 2:
        return []
    return ["|".join((*names, *person.nationalities[:1], person.sex or "-"))]


class _Blinds:
    """Blinds texts as nations and gateway do, each once."""

    def __init__(self) -> None:
        self._nations, self._pepper = HmacBlinder(_NATIONS, EPOCH), Pepper(_PEPPER, EPOCH)
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        known = self._known.get(text)
        if known is None:
            key = Key(KeyKind.DOCUMENT, text)
            known = self._pepper.stored(self._nations.blind([key])[0]).hex()
            self._known[text] = known
        return known


_stored = _Blinds()


def _in_100(share: float) -> float:
    return round(100 * share, 1)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.linkage_attack", description=__doc__)
    parser.add_argument("--size", type=int, default=20_000, help="persons in each register")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    asked = parser.parse_args()
    found = findings(asked.size)
    if asked.json:
        print(json.dumps([(one.attack, one.what, one.value) for one in found]))
        return
    print("| attack | measured | value |\n|---|---|---|")
    print("\n".join(one.line() for one in found))


if __name__ == "__main__":
    main()

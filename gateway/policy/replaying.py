# SPDX-License-Identifier: EUPL-1.2
"""A draft against the log: reads it, has it decided again, and says what came of it.

The command `cuvar policy replay` and the HTTP call of the same name share everything here.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from audit import NoteError
from audit.copies import open_copy, origins
from audit.sealing import Unsealer
from audit.shards import parse_origin
from audit.state import micros_of
from gateway.policy.history import History, Stretch
from policies import Snapshot
from policies.replay import Change, Effect, Past, Replayed, replay

_NAMED: Final = 8
_SAID: Final[Mapping[Effect, str]] = {
    Effect.REFUSED: "would have been refused",
    Effect.ALLOWED: "would have been allowed",
    Effect.VIEW: "would have shown other categories or another view",
    Effect.DUTIES: "would have come with other duties",
}


@dataclass(frozen=True, slots=True)
class Reach:
    """Which entries are looked at.

    Attributes:
        first: the first day, UTC; `last` the last one, both inclusive; None does not restrict.
        newest: at most so many entries, the newest of them.
        party: only those of which this country is owner or asker.
    """

    first: date | None = None
    last: date | None = None
    newest: int | None = None
    party: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a draft would have changed, and which entries could not tell.

    Attributes:
        base: digest of the rules in force; `draft` of the draft.
        skipped: entries without a question to decide again, by reason.
        opened: whether the facts of the records were read; `sealed` how many details stayed shut.
    """

    base: str
    draft: str
    entries: int
    replayed: Replayed
    skipped: Mapping[str, int]
    opened: bool
    sealed: int


def replay_log(
    url: str,
    rules: tuple[Snapshot, Snapshot],
    reach: Reach,
    unsealer: Unsealer | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Decide a log's questions again, under the rules in force and under a draft.

    Not to be called in a running event loop. `on_progress` is told entries done and to do; what it
    raises ends the work.

    Raises:
        LogUnavailableError: there is nothing to read.
        LogCorruptError: a part of the log cannot be read.
    """
    base, draft = rules
    history = History(base.digest, unsealer=unsealer, party=reach.party)
    with contextlib.ExitStack() as opened:
        stretches = _stretches(opened, url, reach)
        size = sum(max(one.stop - one.start, 0) for one in stretches)
        replayed = replay(_pasts(history, stretches, size, on_progress), base, draft)
    return Report(
        base=base.digest,
        draft=draft.digest,
        entries=size,
        replayed=replayed,
        skipped=dict(sorted(history.skipped.items())),
        opened=unsealer is not None,
        sealed=history.sealed,
    )


def _stretches(opened: contextlib.ExitStack, url: str, reach: Reach) -> list[Stretch]:
    """The entries that are looked at: all logs, or only the party's own if it keeps one there."""
    countries = {origin: _country(origin) for origin in origins(url)}
    if reach.party in countries.values():
        countries = {o: country for o, country in countries.items() if country == reach.party}
    share = None if reach.newest is None else max(reach.newest // len(countries), 1)
    kept = frozenset(country for country in countries.values() if country is not None)
    stretches = []
    for origin, country in countries.items():
        copy = opened.enter_context(open_copy(url, origin))
        start, stop = copy.between(_start_of(reach.first), _start_of(_after(reach.last)))
        if share is not None:
            start = max(start, stop - share)
        elsewhere = frozenset() if reach.party is not None else kept - {country}
        stretches.append(Stretch(copy, origin, start, stop, elsewhere))
    return stretches


def _country(origin: str) -> str | None:
    try:
        return parse_origin(origin).country
    except NoteError:
        return None


def _pasts(
    history: History,
    stretches: Sequence[Stretch],
    size: int,
    on_progress: Callable[[int, int], None] | None,
) -> Iterator[Past]:
    done = 0
    for stretch in stretches:

        def told(read: int, before: int = done) -> None:
            if on_progress is not None:
                on_progress(before + read, size)

        yield from history.pasts(stretch, told)
        done += max(stretch.stop - stretch.start, 0)


def _start_of(day: date | None) -> int | None:
    return None if day is None else micros_of(datetime.combine(day, time(), UTC))


def _after(day: date | None) -> date | None:
    return None if day is None or day == date.max else day + timedelta(days=1)


def replay_document(report: Report) -> dict[str, object]:
    """The report for machines: `cuvar policy replay --json` and the HTTP answer."""
    found = report.replayed
    return {
        "base": report.base,
        "draft": report.draft,
        "entries": report.entries,
        "accesses": found.accesses,
        "by_country": dict(found.by_country),
        "by_owner": dict(found.by_owner),
        "refused": found.of(Effect.REFUSED),
        "allowed": found.of(Effect.ALLOWED),
        "view": found.of(Effect.VIEW),
        "duties": found.of(Effect.DUTIES),
        "under_other_rules": found.elsewhere,
        "unsure": found.unsure,
        "undecidable": found.undecidable,
        "without_question": dict(report.skipped),
        "record_facts": report.opened,
        "details_not_opened": report.sealed,
        "changes": [_change_document(change) for change in found.changes],
        "told": list(replay_lines(report)),
    }


def _change_document(change: Change) -> dict[str, object]:
    return {
        "effect": change.effect.value,
        "owner": change.owner,
        "country": change.country,
        "org": change.org,
        "role": change.role,
        "purpose": change.purpose,
        "count": change.count,
        "unsure": change.unsure,
        "rules": list(change.rules),
        "entries": list(change.entries),
    }


def replay_lines(report: Report) -> Iterator[str]:
    """The report in sentences: per owner and effect, who and for what; then what it rests on."""
    found = report.replayed
    changed = sum(change.count for change in found.changes)
    yield f"The draft changes {changed:,} of {found.accesses:,} past accesses."
    yield "What nobody has asked yet does not show here; `cuvar policy diff` shows what it opens."
    for owner, total in found.by_owner.items():
        for effect, words in _SAID.items():
            own = [c for c in found.changes if c.owner == owner and c.effect is effect]
            if own:
                count = sum(change.count for change in own)
                yield f"{owner}: {count:,} of {total:,} past accesses {words}: {_who(own)}."
    yield from _notes(report)


def _who(changes: Iterable[Change]) -> str:
    sums: Counter[tuple[str, str]] = Counter()
    rules: dict[tuple[str, str], set[str]] = {}
    entries: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        key = (change.org, change.purpose)
        sums[key] += change.count
        rules.setdefault(key, set()).update(change.rules)
        entries.setdefault(key, []).extend(change.entries)
    parts = [
        f"{count:,} by {org} for {purpose} ({', '.join(sorted(rules[org, purpose])[:_NAMED])};"
        f" {(entries[org, purpose] or ['-'])[0]})"
        for (org, purpose), count in sums.most_common(_NAMED)
    ]
    rest = len(sums) - len(parts)
    return ", ".join(parts) + (f", and {rest} more" if rest else "")


def _notes(report: Report) -> Iterator[str]:
    found = report.replayed
    if found.elsewhere:
        yield (
            f"{found.elsewhere:,} of these accesses were decided under other rules than those in"
            " force; they are compared as if these had been in force."
        )
    if found.unsure:
        yield (
            f"{found.unsure:,} turn on a fact that nobody looked up then; it counts as only"
            " possible, so more may be allowed."
        )
    if found.undecidable:
        yield f"{found.undecidable:,} name a fact that one of the two rule sets does not know."
    for reason, count in report.skipped.items():
        yield f"{count:,} entries were left out: {reason}."
    if not report.opened:
        yield "Facts about records count at their best: no key to the sealed details was given."
    elif report.sealed:
        yield f"{report.sealed:,} sealed details could not be opened; their records count at best."

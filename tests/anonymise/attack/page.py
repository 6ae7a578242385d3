# SPDX-License-Identifier: EUPL-1.2
"""The measured figures as the tables of docs/anonymisation/attacks.md."""

from pathlib import Path

from tests.anonymise.attack import figures, tables
from tests.anonymise.attack.register import KNOWN_SHARE, PEOPLE

PAGE = Path(__file__).parents[3] / "docs/anonymisation/attacks.md"
_START, _END = "<!-- figures: {} -->\n", "<!-- end -->"
_SHOWN = (0, 1, 2, 3, 4, 6, 8)


def _share(value):
    return f"{100 * value:.1f} %"


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _links():
    rows = []
    for view in ("pseudonym", "generalised"):
        best = figures.best(figures.joins(view))
        for join in best:
            if len(join.columns) in _SHOWN or join is best[-1]:
                names = ", ".join(name.partition(".")[2] for name in join.columns)
                rows.append(
                    [
                        view,
                        len(join.columns),
                        names if 0 < len(join.columns) <= 4 else "",
                        _share(join.bound / PEOPLE),
                        _share(join.right / PEOPLE),
                    ]
                )
    return _table(["view", "columns", "which", "the columns allow", "the attacker got"], rows)


def _loads():
    linked, right, both = figures.caseload_join()
    return (
        f"Two case loads of {figures.CASELOAD} have {both} people in common. Joined on all shared "
        f"columns, {linked} pairs of rows agree, and {right} of these are the same person.\n"
    )


def _known():
    rows = []
    for view in ("pseudonym", "generalised"):
        found = figures.knowledge(view)
        rows.append(
            [
                view,
                _share(found.singled_out),
                _share(found.reidentified),
                found.smallest,
            ]
        )
    head = ["view", "one row fits", "right guesses at whose a row is", "fewest rows that fit"]
    return _table(head, rows)


def _guesses():
    rows = [
        [view, column, _share(found.anyhow[column]), _share(right)]
        for view in ("pseudonym", "generalised")
        for found in [figures.knowledge(view)]
        for column, right in found.guessed.items()
    ]
    return _table(["view", "column", "without knowing anybody", "knowing the person"], rows)


def _held():
    view, _ = figures.generalised_views()
    told = ", ".join(f"`{name}`" for name, step in view.steps.items() if step == 0)
    return (
        f"Held back: {view.held_back} of {PEOPLE:,} rows. Told at the finest step: {told}. After "
        f"three arrivals, {figures.arrivals()} rows are new.\n"
    )


def _month():
    editions, refused = figures.month()
    found, apart = figures.suppressed(), figures.suppressed(apart=True)
    pairs, right = figures.colluding()
    rows = [
        [f"tables answered to {len(tables.ASKED_ON)} recipients", len(editions)],
        ["questions refused because they nearly repeat one", refused],
    ]
    for recipient in tables.ASKED_ON:
        least, of = figures.least_apart(recipient)
        rows.append(
            [f"fewest people between two figures of {recipient} ({of:,} pairs)", f"**{least}**"]
        )
    rows += [
        [
            f"pooled figures of both under ten people apart ({pairs} pairs): right guesses at more",
            _share(right),
        ],
        ["figures left out", f"{found.figures:,}"],
        ["of these worked out from the exact counts behind all published", f"**{found.told}**"],
        [
            "the same if each table were protected by itself, against who has no centres' table",
            f"{apart.told} of {apart.figures:,}",
        ],
        ["narrowest interval for that attacker", f"{found.least_exact:.0f} people"],
        ["narrowest interval from what is really published", f"{found.least_real:.0f} people"],
    ]
    return _table(["what", "measured"], rows)


BLOCKS = {
    "links": _links,
    "loads": _loads,
    "known": _known,
    "guesses": _guesses,
    "held": _held,
    "month": _month,
}


def written(text):
    """The page with every block of figures as measured now."""
    assert round(KNOWN_SHARE * 100) == 1
    for name, made in BLOCKS.items():
        start = _START.format(name)
        before, found, rest = text.partition(start)
        assert found, f"attacks.md has lost its block of figures {name}"
        text = f"{before}{start}{made()}{rest[rest.index(_END) :]}"
    return text

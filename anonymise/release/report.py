# SPDX-License-Identifier: EUPL-1.2
"""The report on a release, for the lawyer and the data-protection officer who must sign for it.

One HTML page that stands alone: what was promised, what was found in the file, what was lost, what
was left out, how the attacks went, and what it does not protect from. It holds no row and no value
of the table, only counts of classes; the limits are those of docs/anonymisation/releases.md.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from anonymise.release.manifest import Manifest
from anonymise.release.plots import Bar, bars
from anonymise.release.verdict import Attack, Found, failures

_STYLE: Final = """
body { font-family: Georgia, serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
  line-height: 1.5; color: #1b1b1b }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ccc;
  font-variant-numeric: tabular-nums }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
.yes { color: #14612f } .no { color: #a32020; font-weight: bold }
svg { max-width: 100%; height: auto }
"""
_ATTACKS: Final = {
    "singling_out": "Singling out: is there a description that fits one person only?",
    "linkability": "Linkability: do two registers become one by it?",
    "inference": "Inference: is a person's sensitive value guessed from the rest?",
}
_NONE: Final = "none"
_EDGES: Final = (2, 3, 5, 10, 20, 50, 100, 500)


def report(
    name: str,
    manifest: Manifest,
    found: Found,
    attacks: Sequence[Attack] | None,
) -> str:
    """The page.

    Args:
        name: The release's file name.
        manifest: What it was made to be.
        found: What stands in the file.
        attacks: How the attacks went; None when they were not run yet.
    """
    body = [
        f"<h1>Release {escape(name)}</h1>",
        _sentence(manifest, found),
        _verdict(manifest, found, attacks),
        _promises(manifest, found),
        _left_out(manifest),
        _loss(manifest),
        _classes(found),
        _risks(found, attacks, manifest),
        _limits(),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Release {escape(name)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    )


def _sentence(manifest: Manifest, found: Found) -> str:
    secret = ""
    if found.l is not None and manifest.columns.sensitive is not None:
        secret = (
            f" In each such group there are at least {found.l} different values of "
            f"<em>{escape(manifest.columns.sensitive)}</em>."
        )
    return (
        f"<p>Each of the {found.rows:,} rows reads, in everything that an outsider may know of a "
        f"person, like at least {found.k - 1:,} others.{secret}</p>"
    )


def _verdict(manifest: Manifest, found: Found, attacks: Sequence[Attack] | None) -> str:
    missed = failures(found, manifest.limits, attacks)
    if not missed:
        return '<p class="yes">It passes the gate and may be published.</p>'
    items = "".join(f"<li>{escape(one)}</li>" for one in missed)
    return f'<p class="no">It does not pass the gate:</p><ul>{items}</ul>'


def _promises(manifest: Manifest, found: Found) -> str:
    limits = manifest.limits
    rows = [
        ("Rows in the smallest group (k)", f"at least {limits.k}", str(found.k)),
        ("Sensitive values in a group (l)", f"at least {limits.l}", _or_none(found.l)),
        (
            "Distance of a group from the whole (t)",
            "not demanded" if limits.t is None else f"at most {limits.t:g}",
            _NONE if found.t is None else f"{found.t:.3f}",
        ),
        ("Groups", "", f"{found.classes:,}"),
    ]
    return "<h2>Promised and found</h2>" + _table(("", "promised", "found in the file"), rows)


def _left_out(manifest: Manifest) -> str:
    whole = max(manifest.read, 1)
    rows = [
        ("Rows read", f"{manifest.read:,}", ""),
        ("Rows released", f"{manifest.rows:,}", _share(manifest.rows, whole)),
        (
            "Suppressed: no group could take them",
            f"{manifest.summary.suppressed:,}",
            _share(manifest.summary.suppressed, whole),
        ),
        (
            "Held back at random, so that attacks can be judged",
            f"{manifest.held_back:,}",
            _share(manifest.held_back, whole),
        ),
    ]
    dropped = ", ".join(escape(one) for one in manifest.dropped) or "none"
    return (
        "<h2>What was left out</h2>"
        + _table(("", "rows", "share"), rows)
        + f"<p>Columns that were not released: {dropped}.</p>"
    )


def _loss(manifest: Manifest) -> str:
    summary = manifest.summary
    names = manifest.columns.quasi_identifiers
    shown = [
        Bar(name, cost, f"{cost:.1%}") for name, cost in zip(names, summary.by_column, strict=True)
    ]
    exact = [
        Bar(name, share, f"{share:.1%}") for name, share in zip(names, summary.exact, strict=True)
    ]
    method = (
        "each group is told as finely as it can be, so one row may say 30-39 and another 20-39"
        if manifest.method == "local"
        else "a column is coarsened in one way for all rows"
    )
    return (
        f"<h2>What was lost</h2><p>Recoding was {escape(manifest.method)}: {method}. 0 % is "
        f"nothing lost, 100 % nothing told; over all columns it is {summary.gcp:.1%} "
        f"(GCP {summary.gcp:.4f}, discernibility {summary.dm:.5f}, "
        f"rows a group by k {summary.c_avg:.2f}).</p>"
        f"<h3>Lost, by column</h3>{bars('Information lost by column', shown)}"
        f"<h3>Rows whose value is told exactly</h3>{bars('Rows told exactly by column', exact)}"
    )


def _classes(found: Found) -> str:
    rows = []
    for low, high in zip(_EDGES, (*_EDGES[1:], None), strict=True):
        inside = [
            (size, many)
            for size, many in found.sizes
            if size >= low and (high is None or size < high)
        ]
        people = sum(size * many for size, many in inside)
        label = f"{low} or more" if high is None else f"{low} to {high - 1}"
        if high is not None and high - 1 == low:
            label = str(low)
        if inside:
            told = f"{people:,} rows"
            rows.append(Bar(f"{label} alike", people / found.rows, told))
    return "<h2>How large the groups are</h2><p>Rows by the size of their group.</p>" + bars(
        "Rows by size of their group", rows
    )


def _risks(found: Found, attacks: Sequence[Attack] | None, manifest: Manifest) -> str:
    text = (
        "<h2>Risks</h2><p>Whoever looks for one person of whom he knows all these columns, and "
        f"knows that she is in the file, picks the right row with a chance of at most "
        f"{1 / found.k:.1%}; on average {found.classes / found.rows:.1%}.</p>"
    )
    if attacks is None:
        return text + "<p>No attack was tried yet; <code>cuvar release check</code> does.</p>"
    limit = manifest.limits.most_risk
    rows = [
        (
            _ATTACKS[one.name],
            f"{one.attempts:,}",
            _percent(one.known),
            _percent(one.control),
            f"{_percent(one.risk)}, at most {_percent(one.high)}"
            if one.has_result
            else "no result",
        )
        for one in attacks
    ]
    head = ("attack", "attempts", "people in it", "people not in it", "excess")
    shown = [
        Bar(one.name.replace("_", " "), one.high or 0.0, f"≤ {_percent(one.high)}")
        for one in attacks
        if one.has_result
    ]
    return (
        text
        + _table(head, rows)
        + bars("Excess success of each attack, upper end", shown, limit)
        + f"<p>The dashed line is the limit, {limit:.0%}. The excess is how much more often an "
        "attack succeeds on people in the release than on others; 95 % intervals.</p>"
    )


def _limits() -> str:
    return (
        "<h2>What this does not protect from</h2><ul>"
        "<li>Somebody who knows things about a person that are not among these columns but follow "
        "from them.</li>"
        "<li>Two releases of the same people laid side by side: each was checked by itself.</li>"
        "<li>What is true of a whole group: if most of a group share a value, so does probably "
        "each of it; t limits that.</li>"
        "<li>Somebody who knows how groups are chosen may learn a little from the choice.</li>"
        "</ul><p>For the sender it stays personal data (GDPR Article 4(1), CJEU C-413/23 P).</p>"
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(one)}</th>' for one in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}"


def _percent(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1%}"


def _or_none(value: int | None) -> str:
    return _NONE if value is None else str(value)

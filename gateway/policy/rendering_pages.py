# SPDX-License-Identifier: EUPL-1.2
"""Rules in words, as terminal text and as a page to print and sign.

The page stands alone and runs no script; every value is escaped. It ends with a place for the
signature of a person, beside which `cuvar policy sign` signs the exact bytes.
"""

from html import escape
from textwrap import fill
from typing import Final

from policies.languages import ENGLISH, language
from policies.render import RenderedFile, Rendering, Sentence

_STYLE: Final = """body{font:16px/1.45 system-ui,sans-serif;margin:2rem;color:#111;background:#fff}
table{border-collapse:collapse;width:100%}th,td{border:1px solid #767676;padding:.4rem .6rem;
text-align:left;vertical-align:top}th{background:#f2f2f2}code{word-break:break-all}
.sign{page-break-before:always}.sign p{margin:3rem 0 0;border-top:1px solid #111;max-width:30rem}
@media print{body{margin:0;font-size:9.5pt}tr{break-inside:avoid}
thead{display:table-header-group}}"""
_WIDTH: Final = 100


def as_text(found: Rendering) -> str:
    """Each line's id, its sentence and its English sentence."""
    label = language(found.language).label
    blocks = [f"{_subject(found)}: {label('title')}", label("draft")]
    for file in found.files:
        blocks.append(f"{file.name}  SHA-256 {file.digest}")
        for sentence in file.sentences:
            told = dict.fromkeys((sentence.local, sentence.english))
            blocks.append("\n".join([sentence.line.id, *map(_wrapped, told)]))
    return "\n\n".join(blocks)


def _wrapped(text: str) -> str:
    return fill(text, _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _subject(found: Rendering) -> str:
    return found.country or "floor"


def as_html(found: Rendering) -> str:
    """The page."""
    local, english = language(found.language), language(ENGLISH)

    def both(name: str) -> str:
        told = dict.fromkeys((local.label(name), english.label(name)))
        return escape(" / ".join(told))

    tables = "".join(
        _table(file, found.language, both("file"), both("digest")) for file in found.files
    )
    lines = "".join(f"<p>{both(name)}</p>" for name in ("name", "place", "signature"))
    return f"""<!DOCTYPE html>
<html lang="{escape(found.language)}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(_subject(found))}: {both("title")}</title><style>{_STYLE}</style></head><body>
<h1>{escape(_subject(found))}: {both("title")}</h1><p><strong>{both("draft")}</strong></p>
{tables}
<section class="sign"><h2>{both("sign_here")} {escape(_subject(found))}</h2>
<ul>{"".join(f"<li>{escape(f.name)} <code>{f.digest}</code></li>" for f in found.files)}</ul>
{lines}</section></body></html>
"""


def _table(file: RenderedFile, lang: str, name: str, digest: str) -> str:
    other = "" if lang == ENGLISH else '<th scope="col">en</th>'
    rows = "".join(_row(sentence, lang) for sentence in file.sentences)
    return (
        f"<h2>{name} {escape(file.name)}</h2><p>{digest}: <code>{file.digest}</code></p>"
        f'<table><thead><tr><th scope="col">id</th><th scope="col">{escape(lang)}</th>{other}'
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(sentence: Sentence, lang: str) -> str:
    other = "" if lang == ENGLISH else f'<td lang="en">{escape(sentence.english)}</td>'
    ident = escape(sentence.line.id)
    return f'<tr><th scope="row">{ident}</th><td>{escape(sentence.local)}</td>{other}</tr>\n'

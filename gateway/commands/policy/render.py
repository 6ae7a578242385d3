# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy render`: each line as a sentence, in a country's language and in English."""

import json
from pathlib import Path

import click

from gateway.commands.options import with_json
from gateway.commands.policy.folder import read_rules, with_rules, write
from gateway.policy import rendering_pages as pages
from policies.languages import LANGUAGES
from policies.render import render as rendered


@click.command()
@with_rules
@click.option("--country", help="Whose rules; without it, the floor that is common to all.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Otherwise the country's own.")
@click.option(
    "--html",
    "html_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page to print and sign.",
)
@with_json
def render(
    *,
    rules: Path | None,
    country: str | None,
    lang: str | None,
    html_file: Path | None,
    as_json: bool,
) -> None:
    r"""Each line in words, beside it in English, with id, law and the digest of the file.

    The translations are unverified drafts; the line of the file is what counts.

    \b
    Examples:
      cuvar policy render --country BA
      cuvar policy render --country RS --lang sr-Cyrl --html rs.html
    """
    found = rendered(read_rules(rules), country, lang)
    if html_file is not None:
        write(html_file, pages.as_html(found))
    if as_json:
        from gateway.policy.documents import of_rendering

        click.echo(json.dumps(of_rendering(found), ensure_ascii=False))
    elif html_file is None:
        click.echo(pages.as_text(found))

# SPDX-License-Identifier: EUPL-1.2
"""`cuvar policy matrix`: who sees what of one owner's data, for one purpose."""

import json
from pathlib import Path

import click

from gateway.commands.options import with_json
from gateway.commands.policy.folder import read_rules, with_rules, write
from gateway.policy import matrix_pages as pages
from policies.matrix import matrix as made

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@with_rules
@click.option("--owner", required=True, help="The country whose data it is.")
@click.option("--purpose", required=True, help="A purpose of the vocabulary.")
@click.option("--org", help="Only this organisation.")
@click.option("--abroad/--home", default=None, help="Only askers abroad, or only those at home.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--html", "html_file", type=_FILE, help="Write a page.")
@click.option("--svg", "svg_file", type=_FILE, help="Write a picture.")
@with_json
def matrix(
    *,
    rules: Path | None,
    owner: str,
    purpose: str,
    org: str | None,
    abroad: bool | None,
    as_csv: bool,
    html_file: Path | None,
    svg_file: Path | None,
    as_json: bool,
) -> None:
    r"""Roles by categories: in each cell the strongest view, with every fact at its best.

    \b
    Examples:
      cuvar policy matrix --owner BA --purpose asylum_procedure --abroad
      cuvar policy matrix --owner BA --purpose vital_interest --html matrix.html
    """
    snapshot = read_rules(rules)
    found = made(snapshot, owner, purpose, org=org, abroad=abroad)
    if html_file is not None:
        write(html_file, pages.as_html(found, snapshot.vocabulary))
    if svg_file is not None:
        write(svg_file, pages.as_svg(found))
    if as_json:
        from gateway.policy.documents import of_matrix

        click.echo(json.dumps(of_matrix(found), ensure_ascii=False))
    elif as_csv:
        click.echo(pages.as_csv(found), nl=False)
    elif html_file is None and svg_file is None:
        click.echo(pages.as_text(found))

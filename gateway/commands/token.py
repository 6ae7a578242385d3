# SPDX-License-Identifier: EUPL-1.2
"""`cuvar token`: an access token of the development issuer, for trying things out."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from gateway.commands.options import with_config
from gateway.errors import GatewayError
from gateway.identity import DevIssuer
from gateway.opening import open_rules
from gateway.settings import Settings, load_settings

KEY_FOLDER: Final = "issuer"
STRONG: Final = "urn:cuvar:acr:two-factor"


class NoDevelopmentIssuerError(GatewayError):
    """The settings trust no development issuer, as production must not."""


@click.command()
@with_config
@click.option("--org", required=True, help="Organisation, e.g. BA-BP.")
@click.option("--role", "roles", multiple=True, required=True, help="Role; may be repeated.")
@click.option(
    "--country",
    default=None,
    help="Country; by default that of the organisation. Of an international one: where it works.",
)
@click.option("--officer", default="officer-1", show_default=True, help="The token's sub.")
@click.option("--unit", default=None, help="Unit of the officer.")
@click.option("--posting", "postings", multiple=True, help="Centre; may be repeated.")
@click.option("--strong", is_flag=True, help="As after a fresh login with a second factor.")
def token(  # noqa: PLR0917  one option each
    config: Path,
    org: str,
    roles: tuple[str, ...],
    country: str | None,
    officer: str,
    unit: str | None,
    postings: tuple[str, ...],
    *,
    strong: bool,
) -> None:
    """Print a token of the development issuer.

    \b
    Example:
      curl -H "Authorization: Bearer $(cuvar token --org BA-BP --role border_officer)" …
      cuvar token --org UNHCR --country BA --role caseworker
    """
    settings = load_settings(config)
    click.echo(
        development_issuer(settings).issue(
            org=org,
            country=country or _country(settings, org),
            roles=roles,
            officer=officer,
            unit=unit,
            postings=postings,
            acr=STRONG if strong else None,
            auth_time=int(time.time()) if strong else None,
        )
    )


def _country(settings: Settings, org: str) -> str:
    """The organisation's country, as the rules state it.

    Raises:
        click.UsageError: it works in several, or the rules do not know it.
        GatewayError: the rules can't be read.
    """
    known = open_rules(settings, datetime.now(UTC).date()).vocabulary.organisations
    if org not in known:
        raise click.UsageError("the rules know no such organisation; see their organisations.csv")
    if known[org].stations:
        raise click.UsageError(
            "this organisation works in several countries; name the duty station: --country BA"
        )
    return known[org].country


def development_issuer(settings: Settings) -> DevIssuer:
    """The development issuer that these settings trust.

    Raises:
        NoDevelopmentIssuerError: they trust none.
    """
    for issuer in settings.issuers:
        if issuer.development and issuer.jwks_file is not None:
            folder = issuer.jwks_file.parent
            return DevIssuer(folder, issuer=issuer.issuer, audience=issuer.audience)
    raise NoDevelopmentIssuerError(
        "these settings trust no development issuer; get tokens from the issuers they name"
    )

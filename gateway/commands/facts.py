# SPDX-License-Identifier: EUPL-1.2
"""`cuvar attest`: write one fact, as the system that owns it would.

For trials and tests. In production the case system, capture stations and the consent, transfer
and protection registers write the fact register themselves.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from gateway.commands.options import with_config
from gateway.facts import Attestation, Scope
from gateway.facts.attestation import attest as write
from gateway.facts.grants import REID_GRANTED, canonical_number, is_grant
from gateway.opening import open_rules
from gateway.settings import Settings, load_settings
from gateway.store import Store
from policies import Truth


@click.command()
@click.argument("fact")
@with_config
@click.option("--truth", type=click.Choice(["true", "possible", "false"]), default="true")
@click.option("--org", default="", help="Organisation of the asker, e.g. BA-BP.")
@click.option("--officer", default="", help="Officer's id (the token's sub).")
@click.option("--owner", default="", help="Country whose data are asked for.")
@click.option("--purpose", default="", help="Purpose of the question.")
@click.option("--case-no", default="", help="Case number in the asker's own system.")
@click.option(
    "--person",
    default="",
    help="The owner's internal reference of the person; of reid_granted the case number.",
)
@click.option(
    "--by-unit",
    default="",
    help="Unit of whoever approved or verified; of reid_granted both, as BA-DO/ana+BA-SA/boris.",
)
@click.option(
    "--minutes",
    type=click.IntRange(min=1),
    default=15,
    show_default=True,
    help="How long it holds from now.",
)
@click.option("--uses", type=click.IntRange(min=1), help="For how many answers it is good.")
@click.option("--unused-days", type=click.IntRange(min=1), help="After so many days unused: over.")
def attest(fact: str, config: Path, truth: str, by_unit: str, minutes: int, **more: Any) -> None:
    """Attest FACT (a guard of the rules) for a scope; what is left out means "any".

    \b
    Examples:
      cuvar attest presence --org BA-BP --officer border-officer-1
      cuvar attest case_number --org BA-AS --purpose asylum_procedure --case-no A-7 --minutes 600
      cuvar attest supervisor_ok --org HR-CP --case-no K-7 --by-unit HR-CP-2 --uses 1
      cuvar attest reid_granted --org BA-GU --person BA-7K3D-9QXR-2F-M4 \\
        --by-unit BA-DO/ana+BA-SA/boris
    """
    settings = load_settings(config)
    if settings.gateway.mode == "production":
        raise click.UsageError("in production the systems that own facts attest them, not this")
    vocabulary = open_rules(settings, datetime.now(UTC).date()).vocabulary
    known = vocabulary.guards
    if fact not in known or known[fact].derived:
        raise click.BadParameter(f"no such fact; one of {', '.join(sorted(known))}")
    uses, unused_days = more.pop("uses"), more.pop("unused_days")
    if (uses or unused_days) and more["person"]:
        raise click.UsageError("a permission that is counted is about questions, not one --person")
    if (uses or unused_days) and (truth != "true" or known[fact].harmful):
        raise click.UsageError("only a permission ends: a fact that restricts, or a no, stays")
    if fact == REID_GRANTED and more["person"]:
        more["person"] = _number(more["person"])
    now = datetime.now(UTC)
    attestation = Attestation(
        fact=fact,
        truth=Truth[truth.upper()],
        scope=Scope(**more),
        valid_from=now - timedelta(seconds=1),
        valid_to=now + timedelta(minutes=minutes),
        source="cuvar attest",
        by_unit=by_unit,
        uses=uses,
        unused_days=unused_days,
    )
    granted = is_grant(attestation, attestation.scope, vocabulary.organisations)
    if fact == REID_GRANTED and truth == "true" and not granted:
        raise click.UsageError(
            "a grant names the case number (--person), two approvers of two organisations, neither "
            "of them the asker's (--by-unit BA-DO/ana+BA-SA/boris), and lasts a week at most"
        )
    asyncio.run(write_facts(settings, [attestation]))
    click.echo(f"{fact} is {truth} for {minutes} minutes; the gateway reads it within seconds")


def _number(text: str) -> str:
    number = canonical_number(text)
    if number is None:
        raise click.BadParameter("this is no case number; read it again, its symbols do not fit")
    return number


async def write_facts(settings: Settings, attestations: list[Attestation]) -> None:
    """Write attestations into the fact register of the settings.

    Raises:
        StoreError: it can't be written.
    """
    store = Store(settings.facts.url.get_secret_value(), name="facts")
    try:
        await write(store, attestations)
    finally:
        await store.close()

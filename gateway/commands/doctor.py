# SPDX-License-Identifier: EUPL-1.2
"""`cuvar doctor`: checks everything that `cuvar serve` needs and names the failing step.

Each step is tried on its own, so that one failure does not hide the next. Nothing is changed;
a log that a running gateway holds is read, not opened for writing.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from anonymise import AnonymiseError
from audit import AuditError, read_public_key
from audit.copies import origins
from audit.shards import parse_origin
from audit.store import require_durable
from audit.verify import Fault, Job, verify_logs
from gateway.commands.options import with_config, with_json
from gateway.errors import GatewayError
from gateway.facts.attestation import METADATA as FACTS
from gateway.identity import JwksCache, Revocations
from gateway.keyset import open_keyring
from gateway.keyset_log import checker
from gateway.logkeys import read_log_keys
from gateway.opening import issuer_config
from gateway.registers import known_fields, open_register
from gateway.ruleset import Chosen, RuleMemory
from gateway.ruleset.memory import refuse_older
from gateway.ruleset.opening import open_folders
from gateway.settings import Settings, load_settings
from gateway.state import CASE_NUMBERS, unfitting
from gateway.state import METADATA as STATE
from gateway.store import Store
from policies import PolicyError, Snapshot


@dataclass(frozen=True, slots=True)
class Step:
    """One check: what, whether it is well, and what to do."""

    name: str
    ok: bool
    told: str


class StepError(GatewayError):
    """A step found something; the message says what."""


@click.command()
@with_config
@with_json
def doctor(config: Path, *, as_json: bool) -> None:
    """Check the settings and every part that they name.

    \b
    Example:
      cuvar doctor --config .demo/cuvar.toml
    Exit code 1 when a step fails.
    """
    steps = asyncio.run(examine(config))
    if as_json:
        click.echo(json.dumps([asdict(step) for step in steps], ensure_ascii=False))
    else:
        for step in steps:
            click.echo(f"{'ok  ' if step.ok else 'FAIL'} {step.name}: {step.told}")
    if not all(step.ok for step in steps):
        raise click.exceptions.Exit(1)


async def examine(config: Path) -> list[Step]:
    """Every step, in the order in which the gateway needs them."""
    try:
        settings = load_settings(config)
    except GatewayError as error:
        return [Step("settings", ok=False, told=str(error))]
    steps = [Step("settings", ok=True, told=f"{config}, {settings.gateway.mode}")]
    snapshot: list[Snapshot] = []
    for name, check in _checks(settings, snapshot):
        steps.append(await _tried(name, check))
    if snapshot:
        steps += [
            await _tried(f"register {country}", _register(settings, snapshot, country))
            for country in sorted(settings.registers)
        ]
    return steps


Check = Callable[[], Awaitable[str]]


async def _tried(name: str, check: Check) -> Step:
    try:
        return Step(name, ok=True, told=await check())
    except (GatewayError, PolicyError, AuditError, AnonymiseError) as error:
        return Step(name, ok=False, told=str(error))
    except Exception as error:  # noqa: BLE001  a check that breaks is a finding, not a crash
        return Step(name, ok=False, told=f"unexpected {type(error).__name__}; report this")


def _checks(settings: Settings, snapshot: list[Snapshot]) -> list[tuple[str, Check]]:
    async def rules() -> str:
        chosen = open_folders(settings).chosen(datetime.now(UTC).date())
        snapshot.append(chosen.snapshot)
        told = f"digest {chosen.snapshot.digest[:16]}…"
        if settings.policies.mode == "development":
            return f"{told}, DEVELOPMENT MODE: NOBODY SIGNED THESE RULES"
        await _rule_versions(settings, chosen)
        return f"{told}, {len(chosen.parts)} parts signed"

    named: list[tuple[str, Callable[[Settings], Awaitable[str]]]] = [
        ("log keys", _log_keys),
        ("log", _log),
        ("keyset", _keyset),
        ("state", _state),
        ("case numbers", _case_numbers),
        ("facts", _facts),
        ("revocations", _revocations),
        ("issuers", _issuers),
    ]
    return [("rules", rules), *((name, partial(check, settings)) for name, check in named)]


async def _rule_versions(settings: Settings, chosen: Chosen) -> None:
    """A set older than one taken before would not be taken: say so before the start does."""
    store = await Store(settings.state.url.get_secret_value(), name="state").open(STATE)
    try:
        refuse_older(chosen.parts, await RuleMemory(store, settings.log.origin).taken())
    finally:
        await store.close()


async def _log_keys(settings: Settings) -> str:
    keys = read_log_keys(settings)
    for path in settings.log.dpo_keys.values():
        read_public_key(path)
    missing = sorted(set(settings.registers) - set(settings.log.dpo_keys))
    if missing:
        raise StepError(f"no key of a data-protection officer for {', '.join(missing)}")
    return f"{len(keys)} signing keys and {len(settings.log.dpo_keys)} officers' keys"


async def _log(settings: Settings) -> str:
    url, keys = settings.log.url.get_secret_value(), read_log_keys(settings)
    await require_durable(url)
    jobs = []
    for origin in await asyncio.to_thread(origins, url):
        key = keys.get(parse_origin(origin).country)
        if key is None:
            raise StepError(f"no key signs the log {origin}; put it into the folder [log] keys")
        jobs.append(Job(url, key.signer(origin).vkey))
    reports = await asyncio.to_thread(verify_logs, jobs)
    for report in reports:
        if report.status not in (0, Fault.LOST):  # what a successor declares stays so for ever
            what = report.findings[0].what
            raise StepError(f"{report.origin}: {what}; run `cuvar audit verify`")
    return f"{len(reports)} logs, {sum(report.size for report in reports)} entries, whole"


async def _keyset(settings: Settings) -> str:
    with closing(open_keyring(settings)) as ring:
        missing = sorted(set(settings.registers) - ring.countries)
        if missing:
            raise StepError(f"the keyset has no root key for {', '.join(missing)}")
        custodians = len(ring.custodians)
        if settings.gateway.mode == "production" and not custodians:
            raise StepError("the keyset has no custodians; see `cuvar keys appoint`")
        why = await asyncio.to_thread(checker(settings), ring)
        if why is not None:
            raise StepError(why)
        return f"root keys of {len(ring.countries)} countries, {custodians} custodians"


async def _state(settings: Settings) -> str:
    store = await Store(settings.state.url.get_secret_value(), name="state").open(STATE)
    await store.close()
    return "case numbers and used tokens"


async def _case_numbers(settings: Settings) -> str:
    with closing(open_keyring(settings)) as ring:
        key = ring.service_key(CASE_NUMBERS)
    store = await Store(settings.state.url.get_secret_value(), name="state").open(STATE)
    try:
        unfit = await store.run(partial(unfitting, key=key))
    finally:
        await store.close()
    if unfit:
        raise StepError(
            f"{unfit} case numbers have no tag that fits: they were issued by an older gateway or "
            "another keyset, or somebody wrote into the state database; they lead to nobody. "
            "Restore the state database"
        )
    return "each has a tag that fits"


async def _facts(settings: Settings) -> str:
    store = await Store(settings.facts.url.get_secret_value(), name="facts").open(FACTS)
    await store.close()
    return "answers"


async def _revocations(settings: Settings) -> str:
    if not Revocations(settings.identity.revocations_file, time.time).readable():
        raise StepError("the revocations file can't be read; everybody counts as suspended")
    return "readable" if settings.identity.revocations_file else "none kept"


async def _issuers(settings: Settings) -> str:
    configs = [issuer_config(settings, place) for place in range(len(settings.issuers))]
    cache = JwksCache(configs, time.time)
    await cache.start()
    stale = [config.issuer for config in configs if not cache.fresh(config.issuer)]
    await cache.close()
    if stale:
        raise StepError(f"no keys from {', '.join(stale)}; its tokens are refused")
    spoken = frozenset[str]().union(*(config.countries for config in configs))
    silent = sorted(set(settings.registers) - spoken)
    if silent:
        raise StepError(f"no issuer may speak for {', '.join(silent)}; extend its countries")
    return f"keys of {len(configs)} issuers"


def _register(settings: Settings, snapshot: list[Snapshot], country: str) -> Check:
    async def check() -> str:
        source = open_register(settings, country, known_fields(snapshot[0]))
        try:
            findings = await source.check()
        finally:
            await source.close()
        errors = [finding for finding in findings if finding.severity == "error"]
        if errors:
            raise StepError("; ".join(str(finding) for finding in errors[:5]))
        warnings = f", {len(findings)} warnings: {findings[0]}" if findings else ""
        return f"{len(source.datasets)} datasets mapped{warnings}"

    return check

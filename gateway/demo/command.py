# SPDX-License-Identifier: EUPL-1.2
"""`cuvar demo`: build the region, start the gateway, tell the story, leave it running."""

import asyncio
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from gateway.commands.facts import write_facts
from gateway.commands.token import development_issuer
from gateway.demo.authorities import AUTHORITIES, policy_file, witness_folder
from gateway.demo.build import SETTINGS, build
from gateway.demo.client import DemoClient
from gateway.demo.linkage import index_all, traveller
from gateway.demo.people import attestations
from gateway.demo.proofs import EVIDENCE, PUBLISHED, Proofs
from gateway.demo.server import all_parts, free_ports, running, stop
from gateway.demo.story import Story
from gateway.demo.subject import choose
from gateway.logkeys import read_log_keys
from gateway.settings import Settings

_LIFE = timedelta(days=30)


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".demo"),
    show_default=True,
    help="Where everything is put.",
)
@click.option("--persons", default=2000, show_default=True, help="People in the region.")
@click.option(
    "--port",
    default=8787,
    show_default=True,
    type=click.IntRange(0, 65535 - len(AUTHORITIES)),
    help="Port; the witnesses take the next ones. Others where one is taken.",
)
@click.option("--check", is_flag=True, help="Stop everything after the story.")
@click.option("--stop", "only_stop", is_flag=True, help="Only stop what was left running.")
def demo(folder: Path, persons: int, port: int, *, check: bool, only_stop: bool) -> None:
    """One question asked by three people, with three answers, and what the logs prove.

    \b
    Examples:
      cuvar demo
      cuvar demo --dir /tmp/cuvar --check
      cuvar demo --stop

    A folder that an earlier demonstration made is replaced. Nobody in it exists.
    """
    folder = folder.absolute()
    stopped = stop(folder)
    if only_stop:
        click.echo("stopped" if stopped else "nothing of this folder was running")
        return
    if (folder / SETTINGS).exists() and (folder / "region").is_dir():
        shutil.rmtree(folder)
    began = time.monotonic()
    port, *ports = free_ports([port, *(port and port + n for n in range(1, 1 + len(AUTHORITIES)))])
    witnesses = [f"http://127.0.0.1:{other}" for other in ports]
    settings = build(folder, persons=persons, port=port, witnesses=witnesses, on_progress=_progress)
    _progress("nine blind indexes, each from its own country's register")
    index_all(settings, folder)
    today = datetime.now(UTC).date()
    subject, someone = choose(settings, today), traveller(settings, folder, today)
    asyncio.run(write_facts(settings, attestations(subject.person, datetime.now(UTC), _LIFE)))
    _progress("the gateway and its witnesses run")
    parts = all_parts(folder, settings.gateway.public_url, witnesses)
    with running(folder, parts, keep=not check):
        client = DemoClient(settings.gateway.public_url, development_issuer(settings))
        proofs = Proofs(folder, client, read_log_keys(settings), click.echo)
        watching = dict(zip(AUTHORITIES, witnesses, strict=True))
        Story(client, proofs, watching, click.echo).tell(subject, someone)
    click.echo(f"\nAll of it in {time.monotonic() - began:.0f} seconds.")
    if not check:
        click.echo(addresses(settings, folder, witnesses))


def _progress(what: str) -> None:
    click.echo(f"making {what} …", err=True)


def addresses(settings: Settings, folder: Path, witnesses: Sequence[str]) -> str:
    """What runs where, and commands to go on with."""
    url = settings.gateway.public_url
    config = folder / SETTINGS
    cuvar = Path(sys.argv[0]) if Path(sys.argv[0]).name == "cuvar" else "cuvar"
    return f"""
The gateway runs:
   questions  {url}/v1/find, read, list, count, consult, trace, reidentify   (POST)
   API        {url}/openapi.json
   health     {url}/healthz, {url}/readyz      metrics {url}/metrics
   witnesses  {", ".join(f"{address}/health" for address in witnesses)}
   settings   {config}
Ask something yourself (beds in Bosnia's centres):
   curl -s {url}/v1/count -H 'Content-Type: application/json' \\
     -H "Authorization: Bearer $({cuvar} token --config {config} \\
           --org BA-RC --role reception_manager)" \\
     -d '{{"dataset":"centres","owners":["BA"],"purpose":"reception","basis":"NAT-11"}}'
Check everything:  {cuvar} doctor --config {config}
Verify the logs:   {cuvar} audit verify --config {config}
   as an authority {cuvar} audit verify --config {config} \\
                     --url {folder / PUBLISHED / "BA"} --policy {policy_file(folder, "BA")}
What was refused:  {cuvar} witness evidence {witness_folder(folder, "BA").path}
   the proof       {cuvar} audit check-evidence {folder / EVIDENCE}
Stop it:           {cuvar} demo --stop --dir {folder}"""

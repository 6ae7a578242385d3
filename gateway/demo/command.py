# SPDX-License-Identifier: EUPL-1.2
"""`cuvar demo`: build the region, start the gateway, tell the story, leave it running."""

import asyncio
import shutil
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from gateway.commands.facts import write_facts
from gateway.commands.token import development_issuer
from gateway.demo.build import SETTINGS, build
from gateway.demo.client import DemoClient
from gateway.demo.people import attestations
from gateway.demo.server import free_port, start, stop
from gateway.demo.story import Story
from gateway.demo.subject import choose
from gateway.logkeys import read_log_keys
from gateway.settings import Settings

_LIFE = timedelta(days=30)
_READ_S = 1.5  # the gateway reads new facts within facts.refresh_s


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
@click.option("--port", default=8787, show_default=True, help="Port; another one if taken.")
@click.option("--check", is_flag=True, help="Stop the gateway after the story.")
@click.option("--stop", "only_stop", is_flag=True, help="Only stop a gateway left running.")
def demo(folder: Path, persons: int, port: int, *, check: bool, only_stop: bool) -> None:
    """One question asked by three people, with three answers, and what the log proves.

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
        click.echo("stopped" if stopped else "no gateway of this folder was running")
        return
    if (folder / SETTINGS).exists() and (folder / "region").is_dir():
        shutil.rmtree(folder)
    began = time.monotonic()
    settings = build(folder, persons=persons, port=free_port(port), on_progress=_progress)
    subject = choose(settings, datetime.now(UTC).date())
    asyncio.run(write_facts(settings, attestations(subject.person, datetime.now(UTC), _LIFE)))
    _progress("the gateway")
    start(folder, settings.gateway.public_url)
    try:
        client = DemoClient(settings.gateway.public_url, development_issuer(settings))
        Story(folder, client, read_log_keys(settings), click.echo).tell(subject)
    except BaseException:
        stop(folder)
        raise
    click.echo(f"\nAll of it in {time.monotonic() - began:.0f} seconds.")
    if check:
        stop(folder)
        return
    _addresses(settings, folder)


def _progress(what: str) -> None:
    click.echo(f"making {what} …", err=True)


def _addresses(settings: Settings, folder: Path) -> None:
    url = settings.gateway.public_url
    config = folder / SETTINGS
    cuvar = Path(sys.argv[0]) if Path(sys.argv[0]).name == "cuvar" else "cuvar"
    click.echo(
        f"""
The gateway runs:
   questions  {url}/v1/find, read, list, count, consult, trace, reidentify   (POST)
   API        {url}/openapi.json
   health     {url}/healthz, {url}/readyz      metrics {url}/metrics
   settings   {config}
Ask something yourself (beds in Bosnia's centres):
   curl -s {url}/v1/count -H 'Content-Type: application/json' \\
     -H "Authorization: Bearer $({cuvar} token --config {config} \\
           --org BA-RC --role reception_manager)" \\
     -d '{{"dataset":"centres","owners":["BA"],"purpose":"reception","basis":"NAT-11"}}'
Check everything:  {cuvar} doctor --config {config}
Verify the log:    {cuvar} audit verify --config {config}
Stop it:           {cuvar} demo --stop --dir {folder}"""
    )

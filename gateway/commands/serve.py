# SPDX-License-Identifier: EUPL-1.2
"""`cuvar serve`: run the gateway until it is told to stop."""

import gc
import ssl
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

import click
import uvicorn
import uvloop

from gateway.app import create_app
from gateway.commands.options import with_config
from gateway.identity import ClientCertificateProtocol
from gateway.logs import route_libraries
from gateway.opening import open_gateway
from gateway.settings import Settings, load_settings
from gateway.web.edge import Edge


@click.command()
@with_config
def serve(config: Path) -> None:
    r"""Run the gateway.

    \b
    Example:
      cuvar serve --config .demo/cuvar.toml

    Stops on SIGTERM or Ctrl-C: new questions get 503, those under way are answered and recorded.
    """
    settings = load_settings(config)
    if settings.gateway.mode == "development":
        click.echo(
            "DEVELOPMENT MODE: anybody can sign in as anyone; synthetic data only.", err=True
        )
    if settings.policies.mode == "development":
        click.echo("UNSIGNED RULES: nobody signed what this gateway decides by.", err=True)
    with _stream(settings) as stream:
        uvloop.run(_serve(settings, stream))


def _stream(settings: Settings) -> AbstractContextManager[BinaryIO]:
    file = settings.logging.file
    if file is None:
        # Not ours to close: a failed start must still be able to say why.
        return nullcontext(sys.stderr.buffer)
    return file.open("ab", buffering=0)


async def _serve(settings: Settings, stream: BinaryIO) -> None:
    runtime = await open_gateway(settings, stream)
    # Rules, plans and modules live as long as the process: the collector need not look at them.
    gc.collect()
    gc.freeze()
    route_libraries(runtime.events, level=settings.logging.level)
    await uvicorn.Server(server_config(settings, create_app(runtime))).serve()


def server_config(settings: Settings, app: Edge) -> uvicorn.Config:
    """How the server listens: plain or TLS, and with which protocol.

    A client certificate reaches the application only through our h11 protocol, so that one is
    used wherever certificates are asked for; elsewhere the quicker default.
    """
    gateway = settings.gateway
    config = uvicorn.Config(
        app,
        host=gateway.host,
        port=gateway.port,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="on",
        ws="none",
        timeout_graceful_shutdown=int(gateway.shutdown_grace_s),
        proxy_headers=False,
    )
    tls = gateway.tls
    if tls is not None:
        config.ssl_certfile = str(tls.certificate)
        config.ssl_keyfile = str(tls.key)
        if tls.client_ca is not None:
            config.http = ClientCertificateProtocol
            config.ssl_ca_certs = str(tls.client_ca)
            config.ssl_cert_reqs = ssl.CERT_OPTIONAL
    return config

# SPDX-License-Identifier: EUPL-1.2
"""Witnesses over real HTTP on loopback."""

import asyncio
import contextlib

import uvicorn

from gateway.witness.serving import server_config


@contextlib.asynccontextmanager
async def listening(app, tls=None):
    """The application behind a real server; its address."""
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0, tls))
    # serve() would take the process's signal handlers; the tests' runner keeps them
    task = asyncio.create_task(server._serve())
    while not server.started:
        assert not task.done(), task.exception()
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://localhost:{port}"
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def serving(files, prefix="", tls=None, told=None):
    """The witness of a folder."""
    told = told if told is not None else []
    with files.app(prefix=prefix, tell=told.append) as app:
        async with listening(app, tls) as url:
            yield url + prefix

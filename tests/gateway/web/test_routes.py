# SPDX-License-Identifier: EUPL-1.2
"""A request is called by its route's template, prefix included."""

import pytest
from fastapi import APIRouter, FastAPI
from httpx2 import ASGITransport, AsyncClient

from gateway.tracing import NATIVE_TELEMETRY_OFF
from gateway.web.routes import route_template, route_templates


@pytest.fixture
def app():
    app = FastAPI(telemetry=NATIVE_TELEMETRY_OFF)
    router = APIRouter(prefix="/v1")

    @router.get("/logs/{log}")
    async def head(log: str) -> dict[str, str]:
        return {}

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        return {}

    app.include_router(router)
    return app


async def called(app, path):
    scopes = []

    async def watched(scope, receive, send):
        scopes.append(scope)
        await app(scope, receive, send)

    async with AsyncClient(transport=ASGITransport(app=watched), base_url="http://gateway") as http:
        await http.get(path)
    return route_template(scopes[0])


async def test_the_template_stands_for_the_path(app):
    assert await called(app, "/v1/logs/canary") == "/v1/logs/{log}"
    assert await called(app, "/healthz") == "/healthz"
    assert await called(app, "/canary") is None


def test_every_template_is_in_the_closed_set(app):
    assert {"/v1/logs/{log}", "/healthz", "/openapi.json"} <= route_templates(app)

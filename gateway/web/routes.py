# SPDX-License-Identifier: EUPL-1.2
"""Route templates: what a request is called in logs and metrics, since its path may hold anything.

FastAPI keeps the template of a route behind an included router apart from Starlette's
`scope["route"]`, whose path then lacks the prefix; both places are read here and nowhere else.
"""

from typing import Any

from fastapi import FastAPI
from starlette.types import Scope

__all__ = ["route_template", "route_templates"]


def route_template(scope: Scope) -> str | None:
    """The template of the route that took this request, for example `/v1/receipts/{index}`."""
    context: Any = (scope.get("fastapi") or {}).get("effective_route_context")
    template = getattr(context, "path_format", None) or getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) else None


def route_templates(app: FastAPI) -> frozenset[str]:
    """Every template of the application, for the closed set of route names."""
    own = {path for route in app.routes if isinstance(path := getattr(route, "path", None), str)}
    return frozenset(own | set(app.openapi().get("paths", {})))

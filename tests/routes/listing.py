"""Every route of the application, by way of the modules that define them."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from fastapi import APIRouter
from fastapi.routing import APIRoute, APIWebSocketRoute

from app import routes


def list_routes() -> Iterator[APIRoute | APIWebSocketRoute]:
    """The routes, with their paths below their routers."""
    for found in pkgutil.iter_modules(routes.__path__, f"{routes.__name__}."):
        for value in vars(import_module(found.name)).values():
            if isinstance(value, APIRouter):
                yield from (route for route in value.routes if isinstance(route, APIRoute | APIWebSocketRoute))

"""The routes' dependencies are called in the event loop; FastAPI calls those that are not asynchronous in threads."""

import inspect
from collections.abc import Callable, Iterator

from fastapi.dependencies.models import Dependant

from tests.routes.listing import list_routes


def list_calls(dependant: Dependant) -> Iterator[Callable[..., object]]:
    for inner in dependant.dependencies:
        assert inner.call is not None
        yield inner.call
        yield from list_calls(inner)


def test_no_dependency_takes_a_thread() -> None:
    calls = {call for route in list_routes() for call in list_calls(route.dependant)}
    assert len(calls) > 10
    in_threads = {call for call in calls if not (inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call))}
    assert not in_threads

"""The engine and the event loop of a Python program: threads beside it, which its first question starts.

A notebook runs an event loop of its own in the main thread, where `asyncio.run` refuses; so ours has a thread.
"""

import asyncio
import threading
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

from app.engine.device_engine import DeviceEngine
from app.engine.loading import build_engine
from app.settings import Settings

Result = TypeVar("Result")


class Background:
    """One engine, which all lineups of the program share, and one event loop. Both end with the program."""

    def __init__(self) -> None:
        self.engine: DeviceEngine = build_engine(Settings())
        self.engine.start()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="cbam-lens-loop", daemon=True).start()

    def run(self, question: Coroutine[Any, Any, Result]) -> Result:
        """Wait for an answer; an interrupt by the keyboard drops the question.

        Raises:
            Exception: what the question raises.
        """
        running = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()
            raise


@cache
def find_background() -> Background:
    """The program's engine and event loop; the first call starts them."""
    return Background()

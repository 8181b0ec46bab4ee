"""In a process of its own: what is left out of the search stays out of it."""

import subprocess
import sys

PROGRAM = """
import gc
from app.server.pauses import shorten_pauses

class Link:
    pass

def make_circle():
    link = Link()
    link.own = link

loaded = [[] for _ in range(100_000)]
before = len(gc.get_objects())
make_circle()
shorten_pauses()
assert not any(isinstance(found, Link) for found in gc.get_objects()), "unused objects go before"
assert before > 100_000, before
assert len(gc.get_objects()) < 1_000, len(gc.get_objects())
# What comes later is still found.
make_circle()
assert any(isinstance(found, Link) for found in gc.get_objects())
gc.collect()
assert not any(isinstance(found, Link) for found in gc.get_objects())
print("checked")
"""


def test_loaded_program_is_left_out_of_the_search_and_later_objects_are_not() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)  # noqa: S603  # our own program
    assert done.stdout == "checked\n", done.stderr

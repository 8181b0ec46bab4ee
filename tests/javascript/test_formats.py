"""The page writes numbers like the server; both get the same values."""

import json
import subprocess
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from app.numbers import format_equation, format_evidence, format_share
from app.pages.templating import STATIC
from app.server.limits import refuse_bytes

CALL = """
const [module, name, calls] = JSON.parse(await new Response(process.stdin).text());
const { [name]: format } = await import(module);
process.stdout.write(JSON.stringify(calls.map((values) => format(...values))));
"""

HALVES = [sign * odd / 2**power for sign in (1, -1) for power in range(1, 16) for odd in range(1, 400, 2)]
"""Values that are exact in binary and often halfway between two texts; Python rounds these to the even digit."""


GENERATOR = np.random.default_rng(7)


def draw(lowest: float, highest: float) -> list[float]:
    return [float(value) for value in GENERATOR.uniform(lowest, highest, 3000)]


def draw_powers() -> list[float]:
    return [
        figures * 10.0**power for figures, power in zip(draw(-10, 10), GENERATOR.integers(-9, 7, 3000), strict=True)
    ]


EVIDENCE = [0.0, -0.0, 999.4, 999.5, 1000.0, 99949.9, 0.0001, 0.00009995, 0.000099949, 1e-300, *HALVES, *draw_powers()]
SHARES = [0.0, -0.0, -0.004, 0.004, 0.005, 0.015, 0.025, 0.125, 0.999, 1.0, 16.0, *HALVES, *draw(-1, 1)]
PROBABILITIES = [
    0.0,
    0.000499999,
    0.0005,
    0.0015,
    0.9994999,
    0.9995,
    1.0,
    *(abs(half) % 1 for half in HALVES),
    *draw(0, 1),
]
BYTES = [*range(0, 30_000_000, 9_973), *range(50_000, 10_000_000, 100_000)]
LIMIT_BYTES = 20_000_000


def write_size(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def write_refusal(size: int, limit: int) -> str | None:
    return str(refuse_bytes(size, limit)) if size > limit else None


@pytest.mark.parametrize(
    ("module", "name", "expected", "calls"),
    [
        ("format", "formatEvidence", format_evidence, [[value] for value in EVIDENCE]),
        ("format", "formatShare", format_share, [[value] for value in SHARES]),
        ("format", "formatShare", format_share, [[value, 0] for value in SHARES]),
        ("format", "formatEquation", format_equation, [[value] for value in PROBABILITIES]),
        ("format", "formatMegabytes", write_size, [[value] for value in BYTES]),
        ("size_limit", "refuseBytes", write_refusal, [[value, LIMIT_BYTES] for value in BYTES]),
    ],
)
def test_page_writes_a_number_as_the_server_does(
    node: str, module: str, name: str, expected: Callable[..., str | None], calls: Sequence[Sequence[float]]
) -> None:
    address = (STATIC / "js" / "lib" / f"{module}.js").as_uri()
    run = subprocess.run(  # noqa: S603  # our own source
        [node, "--input-type=module", "--eval", CALL],
        input=json.dumps([address, name, calls]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stderr
    written = json.loads(run.stdout)
    wrong = {str(values): text for values, text in zip(calls, written, strict=True) if text != expected(*values)}
    assert wrong == {}

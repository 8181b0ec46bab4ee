"""Memory while files are read, measured in a process of its own."""

import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import ROOT
from tests.models.checkpoints.conftest import Tensors
from tests.models.checkpoints.hostile import (
    Call,
    Filled,
    LegacyClaimPickler,
    Storage,
    describe_tensor,
    dump,
    write_legacy,
    write_safetensors,
    write_zip,
)

# The kernel's peak since it was last reset; getrusage's begins with that of the process that started this one.
MEASURE = """
import json, sys
from pathlib import Path
from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.examination import examine

def read_bytes(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

measured = {}
for path in map(Path, sys.argv[1:]):
    Path("/proc/self/clear_refs").write_text("5")
    before = read_bytes("VmRSS")
    try:
        examine(path)
        error = ""
    except CheckpointError as caught:
        error = str(caught)
    measured[path.name] = (read_bytes("VmHWM") - before, error)
print(json.dumps(measured))
"""

MEBIBYTE = 1024**2
SOME_MEMORY = 64 * MEBIBYTE
"""The memory limit for refusing a file; each of these files asks for gigabytes."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells a process's peak"),
]


BESIDE_BYTES = 160 * MEBIBYTE
"""The other content of a training program's file beside 11 MB of weights."""

Growth = dict[str, tuple[int, str]]
"""The rise of the process's peak memory for each file, and the reason for refusing the file."""


def measure(*paths: Path) -> Growth:
    output = subprocess.run(  # noqa: S603
        [sys.executable, "-c", MEASURE, *map(str, paths)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name: (grown, error) for name, (grown, error) in json.loads(output.stdout).items()}


def claim(element_count: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> dict[str, Any]:
    return {"fc.weight": describe_tensor(Storage(element_count), shape, strides)}


def write_greedy(folder: Path) -> list[Path]:
    """Small files that each ask for gigabytes."""
    giga, four = 10**9, {"0": bytes(16)}
    huge = describe_tensor(Storage(4), (2 * giga,), (0,))
    # A name of two long texts, again and again.
    long_names = (
        b"\x80\x02X" + struct.pack("<I", 5 * 10**6) + b"a" * 5 * 10**6 + b"q\x000" + b"h\x00h\x00\x930" * 200 + b"}."
    )
    claims = {
        "expanded": claim(4, (2 * giga,), (0,)),
        "beyond": claim(4, (giga,), (1,)),
        "storage": claim(giga, (8,), (1,)),
        # Whatever compares these tensors makes as many values as they claim.
        "type": {"a": Call(np.dtype, ("f4", huge, True))},
        "state": {"a": Filled(np.dtype, ("f4", False, True), (huge, 1))},
        "count": {"a": [Storage(4), Storage(huge)]},  # type: ignore[arg-type]
    }
    return [
        *(write_zip(folder / f"{name}.pth", dump(value), four) for name, value in claims.items()),
        *(
            write_legacy(folder / f"{name}_legacy.pth", dump(value, pickler=LegacyClaimPickler), four)
            for name, value in claims.items()
        ),
        write_zip(folder / "bomb.pth", b"\0" * 512 * MEBIBYTE, compression=zipfile.ZIP_DEFLATED),
        # One opcode that puts a value into the memo at place four billion; C's unpickler makes room for all of them.
        write_zip(folder / "memo.pth", b"\x80\x02]r\xff\xff\xff\xff."),
        write_zip(folder / "names.pth", long_names),
        write_safetensors(folder / "header.safetensors", "{}", b"", header_bytes=8 * giga),
    ]


@pytest.fixture(scope="module")
def growth(small_weights: Tensors, tmp_path_factory: pytest.TempPathFactory) -> Growth:
    """One process for all files; the first file takes the imports' memory, so that they do not count."""
    folder = tmp_path_factory.mktemp("memory")
    value = {"state_dict": small_weights, "optimizer": {"momentum": torch.zeros(BESIDE_BYTES // 4)}}
    paths = [folder / "warm.pth", folder / "zip.pth", folder / "legacy.pth"]
    torch.save(small_weights, paths[0])
    torch.save(value, paths[1])
    torch.save(value, paths[2], _use_new_zipfile_serialization=False)
    measured = measure(*paths, *write_greedy(folder))
    for path in paths:
        path.unlink()
    return measured


def test_examine_takes_little_memory_for_files_that_ask_for_much(growth: Growth) -> None:
    refused = {name: grown_bytes for name, (grown_bytes, error) in growth.items() if error}
    assert len(refused) == 16
    assert max(refused.values()) < SOME_MEMORY


def test_examine_maps_what_it_does_not_take_where_the_format_allows_it(growth: Growth) -> None:
    assert growth["zip.pth"][0] < SOME_MEMORY
    # The format before torch 1.6 is read into memory, which shows that the measurement works.
    assert BESIDE_BYTES <= growth["legacy.pth"][0] < BESIDE_BYTES + SOME_MEMORY

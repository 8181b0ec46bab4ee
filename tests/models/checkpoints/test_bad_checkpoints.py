"""Bad and hostile checkpoints on the command line: one line with the reason, exit code 2, nothing executed."""

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from app.cli import app
from tests.lineups import RESNET18_110

WEIGHTS = RESNET18_110.parent
BASELINE = WEIGHTS / "resnet18_baseline_110.safetensors"
CBAM = WEIGHTS / "resnet18_cbam_110.safetensors"

runner = CliRunner()


class Payload:
    """Pickled, it creates a file when somebody unpickles it."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


def write_code(path: Path) -> None:
    torch.save({"state_dict": Payload(path.parent / "executed")}, path)


def write_truncated(path: Path) -> None:
    torch.save(load_file(CBAM), path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def write_nan(path: Path) -> None:
    tensors = load_file(CBAM)
    tensors["layer3.0.conv1.weight"][0] = torch.nan
    torch.save(tensors, path)


def write_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb/data.pkl", b"\x80\x02}q\x00.")
        archive.writestr("bomb/data/0", bytes(100_000_000))


def write_lying_header(path: Path) -> None:
    header = json.dumps(
        {"fc.weight": {"dtype": "F32", "shape": [1_000_000, 1_000_000], "data_offsets": [0, 64]}}
    ).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(64))


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "code": (write_code, "code"),
    "truncated": (write_truncated, ""),
    "nan": (write_nan, "not finite: layer3.0.conv1.weight"),
    "bomb": (write_bomb, ""),
    "header": (write_lying_header, ""),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bad")
    for name, (write, _) in BAD.items():
        write(directory / f"{name}.pth")
    return directory


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("command", ["inspect", "convert", "serve", "compare"])
def test_bad_checkpoint_is_one_line_and_exit_code_2(folder: Path, tmp_path: Path, name: str, command: str) -> None:
    path, output = folder / f"{name}.pth", tmp_path / "out.safetensors"
    arguments = {
        "inspect": ["inspect", str(path)],
        "convert": ["convert", str(path), "-o", str(output)],
        "serve": ["serve", "--port", "0", "--lineup", f"mine={BASELINE},{path}"],
        "compare": ["compare", "dog.jpg", "--lineup", f"mine={BASELINE},{path}", "-o", str(tmp_path)],
    }[command]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2, result.output
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1
    assert lines[0].startswith(f"cbam-lens: {path}: ")
    assert BAD[name][1] in lines[0]
    assert not output.exists()
    assert not (folder / "executed").exists()


def test_wrong_number_of_classes_says_both_and_what_to_do(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(f"name {index}" for index in range(1000)))
    arguments = ["serve", "--port", "0", "--lineup", f"mine={BASELINE},{CBAM}", "--labels", str(labels)]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert f"has 110 classes, but {labels} names 1,000; give the list that it was trained with" in result.stderr
    inspected = runner.invoke(app, ["inspect", str(CBAM), "--classes", "1000"])
    assert inspected.exit_code == 2
    assert "classes: 110 in the file, 1000 expected; choose another file or expect 110" in inspected.stderr


def test_payload_would_have_been_noticed(tmp_path: Path) -> None:
    """Check that the payload works, or the test above could not fail."""
    write_code(tmp_path / "code.pth")
    torch.load(tmp_path / "code.pth", weights_only=False)
    assert (tmp_path / "executed").exists()


def test_inspect_prints_json_and_a_report() -> None:
    answer = json.loads(runner.invoke(app, ["inspect", str(CBAM), "--json"]).stdout)
    assert (answer["architecture"], answer["attention"], answer["class_count"]) == ("resnet18", "cbam", 110)
    assert (answer["gates"], answer["is_trained"]) == ("trained", True)
    report = runner.invoke(app, ["inspect", str(CBAM)]).stdout
    assert "resnet18, attention cbam, 110 classes" in report


def test_convert_writes_a_file_that_serves_as_a_half(tmp_path: Path) -> None:
    source, output = tmp_path / "wrapped.pth", tmp_path / "ours.safetensors"
    torch.save(
        {"state_dict": {f"module.{name}": tensor for name, tensor in load_file(CBAM).items()}, "epoch": 3}, source
    )
    result = runner.invoke(app, ["convert", str(source), "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert all(torch.equal(tensor, load_file(output)[name]) for name, tensor in load_file(CBAM).items())
    assert json.loads(runner.invoke(app, ["inspect", str(output), "--json"]).stdout)["layout"] == "own"

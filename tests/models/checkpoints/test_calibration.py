"""The calibration in a weight file's metadata: written, read, and refused where it is wrong."""

import json
import shutil
import struct
from pathlib import Path

import pytest
from safetensors import safe_open

from models.calibration import NOT_CALIBRATED, NetworkCalibration, TemperatureRecord
from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.examination import examine
from models.checkpoints.writing import check_own_file, hash_file, write_calibration, write_checkpoint
from tests.calibration.thresholds import make_threshold
from tests.lineups import RESNET18_110

WEIGHTS = RESNET18_110.parent / "resnet18_baseline_110.safetensors"

CALIBRATION = NetworkCalibration(
    temperature=0.6913,
    calibration=TemperatureRecord(
        data="Bilder, ÄÖ", chosen_pictures=5, tested_pictures=6, error_before=0.2, error_after=0.05
    ),
    fit=make_threshold(-0.31),
)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return Path(shutil.copy(WEIGHTS, tmp_path))


def read_parts(path: Path) -> tuple[dict[str, str], dict[str, object], bytes]:
    """A file's metadata, its header without them, and its values."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    return header.pop("__metadata__"), header, content[8 + size :]


def set_metadata(path: Path, **changes: str) -> None:
    """Write texts into a file's metadata, whatever they say."""
    metadata, header, values = read_parts(path)
    text = json.dumps({**header, "__metadata__": metadata | changes}).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)


def test_write_calibration_changes_the_metadata_and_no_tensor(weights: Path) -> None:
    old_metadata, old_header, old_values = read_parts(weights)
    digest = write_calibration(weights, CALIBRATION)
    metadata, header, values = read_parts(weights)
    assert (header, values) == (old_header, old_values)
    assert metadata.items() >= old_metadata.items()
    assert metadata.keys() - old_metadata.keys() == {"temperature", "calibration", "fit"}
    assert digest == hash_file(weights)
    with safe_open(weights, framework="pt") as file:
        assert set(file.keys()) == set(header)


def test_calibration_comes_back_from_the_file(weights: Path) -> None:
    before = examine(weights).diagnosis
    assert before.calibration == NOT_CALIBRATED
    write_calibration(weights, CALIBRATION)
    after = examine(weights).diagnosis
    assert after.calibration == CALIBRATION
    assert after.model_copy(update={"sha256": before.sha256, "calibration": before.calibration}) == before


def test_write_calibration_replaces_the_earlier_one(weights: Path) -> None:
    write_calibration(weights, CALIBRATION)
    write_calibration(weights, NetworkCalibration(temperature=2))
    assert examine(weights).diagnosis.calibration == NetworkCalibration(temperature=2)


def test_converted_file_keeps_its_calibration(weights: Path, tmp_path: Path) -> None:
    write_calibration(weights, CALIBRATION)
    copy = tmp_path / "copy.safetensors"
    write_checkpoint(examine(weights), copy)
    assert examine(copy).diagnosis.calibration == CALIBRATION


@pytest.mark.parametrize("text", ["0", "-1.5", "nan", "inf", "warm"])
def test_temperature_that_is_no_positive_number_is_refused_by_the_file_and_field(weights: Path, text: str) -> None:
    set_metadata(weights, temperature=text)
    with pytest.raises(CheckpointError, match=rf"{weights.name}: its metadata is not valid: temperature: "):
        examine(weights)


@pytest.mark.parametrize("field", ["calibration", "fit"])
@pytest.mark.parametrize("text", ["{", '{"threshold": NaN}', "[1]", "[" * 100_000])
def test_records_that_are_not_valid_are_refused_by_the_file_and_field(weights: Path, field: str, text: str) -> None:
    set_metadata(weights, **{field: text})
    with pytest.raises(CheckpointError, match=rf"{weights.name}: its metadata is not valid: {field}"):
        examine(weights)


def test_write_calibration_mends_a_wrong_temperature(weights: Path) -> None:
    set_metadata(weights, temperature="nan")
    write_calibration(weights, CALIBRATION)
    assert examine(weights).diagnosis.calibration == CALIBRATION


def test_file_that_is_not_ours_cannot_carry_a_calibration(weights: Path, tmp_path: Path) -> None:
    set_metadata(weights, architecture="resnet18", attention="none")
    metadata, header, values = read_parts(weights)
    assert metadata
    text = json.dumps(header).encode()
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(struct.pack("<Q", len(text)) + text + values)
    with pytest.raises(CheckpointError, match=r"foreign\.safetensors is not a file of ours; convert it"):
        write_calibration(foreign, CALIBRATION)
    with pytest.raises(CheckpointError, match=r"net\.pth has no place for a calibration; convert it"):
        check_own_file(tmp_path / "net.pth")
    with pytest.raises(CheckpointError, match=r"gone\.safetensors cannot be read"):
        check_own_file(tmp_path / "gone.safetensors")

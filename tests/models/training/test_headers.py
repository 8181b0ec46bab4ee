"""The YAML headers of model cards, read as the Hugging Face Hub's own library reads them."""

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData

from models.lineups.card import Accuracy
from models.names import Attention, Geometry, Resolution
from models.training.records.headers import Licence, MeasuredModel, format_header, list_tags
from models.training.records.yaml_text import Value, format_yaml


def measure(dataset: str, geometry: Geometry, top1: float) -> Accuracy:
    return Accuracy(
        dataset=dataset, pictures=40, geometry=geometry, resolution=Resolution.PIXELS_224, top1=top1, top5=0.9
    )


ACCURACY = (measure("Pets: validation", Geometry.WHOLE, 0.75), measure("Pets: validation", Geometry.CENTER_CROP, 0.5))


def read(text: str) -> ModelCardData:
    data = ModelCard(f"{text}\n# Card\n").data
    assert isinstance(data, ModelCardData)
    return data


def test_header_gives_every_measurement_with_its_geometry() -> None:
    licence = Licence("other", "my-terms", "TERMS.txt")
    tags = list_tags("torchvision:resnet50", [Attention.NONE, Attention.CBAM, Attention.CBAM])
    header = read(format_header([MeasuredModel("ResNet", ACCURACY)], licence=licence, tags=tags, datasets=["a/b"]))
    assert (header.license, header.license_name, header.license_link) == ("other", "my-terms", "TERMS.txt")
    assert (header.library_name, header.pipeline_tag) == ("cbam-lens", "image-classification")
    assert header.tags == ["image-classification", "pytorch", "explainability", "grad-cam", "resnet50", "cbam"]
    assert (header.datasets, header.metrics, header.model_name) == (["a/b"], ["accuracy"], "ResNet")
    assert header.eval_results is not None
    found = [(row.dataset_type, row.dataset_config, row.metric_name, row.metric_value) for row in header.eval_results]
    assert found == [
        ("pets-validation", "whole-224", "top-1 accuracy", 0.75),
        ("pets-validation", "whole-224", "top-5 accuracy", 0.9),
        ("pets-validation", "center_crop-224", "top-1 accuracy", 0.5),
        ("pets-validation", "center_crop-224", "top-5 accuracy", 0.9),
    ]
    assert header.eval_results[0].dataset_args == {"geometry": "whole", "resolution": 224, "pictures": 40}


def test_header_of_a_network_without_measurements_names_no_metric() -> None:
    header = read(format_header([MeasuredModel("ResNet")], licence=Licence(), tags=["x"]))
    assert header.license == "unknown"
    assert header.eval_results is None
    assert header.metrics is None


def test_header_of_a_lineup_keeps_its_networks_apart() -> None:
    models = [MeasuredModel("Plain", ACCURACY[:1]), MeasuredModel("Bare"), MeasuredModel("Gated", ACCURACY[1:])]
    text = format_header(models, licence=Licence(), tags=["x"])
    index = yaml.safe_load(text.strip("-\n"))["model-index"]
    assert [(model["name"], len(model["results"])) for model in index] == [("Plain", 1), ("Gated", 1)]


@pytest.mark.parametrize(
    "text", ["a: b", "- x", "", "no", "1.0", '"', "\\", "#", "\x7f\x85\u2028\ufeff", "line\nline", "Größe 🙂", "---"]
)
def test_yaml_gives_every_text_back(text: str) -> None:
    table: dict[str, Value] = {
        "text": text,
        "list": [text, [text], {"inner": text}],
        "table": {"inner": {"list": [text]}},
    }
    assert yaml.safe_load(format_yaml(table)) == table


def test_yaml_gives_numbers_back_and_leaves_empty_ones_out() -> None:
    table: dict[str, Value] = {"share": 0.5, "count": 3, "is": True, "lists": [[1, 2], [3]]}
    assert yaml.safe_load(format_yaml({**table, "empty": [], "none": {}})) == table

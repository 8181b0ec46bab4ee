"""The grad-cam package's classes come without its libraries, and leave nothing half imported behind."""

import json
import subprocess
import sys

import numpy as np
import pytest
import pytorch_grad_cam
import torch

from app.explain.cam import compute_heat_map
from app.explain.methods import Method
from app.explain.weightings import CLASSES, import_weightings

HEAVY = ("cv2", "pandas", "sklearn", "sympy", "torch._dynamo", "torchvision", "triton.runtime")

START = """
import json, sys
from app.main import create_app
from app.settings import Settings
from starlette.testclient import TestClient
with TestClient(create_app(Settings(device="cpu", lineups=("shipped",)))) as client:
    assert client.get("/").status_code == 200
    assert client.get("/evidence").status_code == 200
    print(json.dumps([name for name in sys.argv[1:] if name in sys.modules]))
import pytorch_grad_cam, torchvision
print(json.dumps([pytorch_grad_cam.KPCA_CAM.__module__, torchvision.ops.nms.__module__]))
"""


@pytest.mark.parametrize("method", CLASSES)
def test_class_is_the_package_s_own(method: Method) -> None:
    _, name = CLASSES[method]
    assert import_weightings()[method].__name__ == getattr(pytorch_grad_cam, name).__name__
    rng = np.random.default_rng(3)
    activation, gradient = (rng.normal(size=(4, 5, 6)).astype(np.float32) for _ in range(2))
    package = getattr(pytorch_grad_cam, name)(model=torch.nn.Linear(1, 1), target_layers=[])
    wanted = package.get_cam_image(None, None, None, activation[None], gradient[None], False)[0]
    values = compute_heat_map(method, activation=activation, gradient=gradient).values
    np.testing.assert_allclose(values, np.maximum(wanted, 0), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_server_starts_without_libraries_that_it_does_not_use() -> None:
    """They took 300 MB and three seconds; who needs them later gets them whole."""
    command = [sys.executable, "-c", START, *HEAVY]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own command
    loaded, whole = answer.stdout.splitlines()[-2:]
    assert json.loads(loaded) == []
    assert json.loads(whole) == ["pytorch_grad_cam.kpca_cam", "torchvision.ops.boxes"]

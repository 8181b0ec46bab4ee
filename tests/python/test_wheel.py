"""The wheel, installed beside a project that has packages of the same names as ours."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy
import pytest

from app.version import VERSION
from tests.conftest import ROOT, encode, make_picture, skip_here

pytestmark = pytest.mark.slow

PROJECT = {
    "app/__init__.py": "NAME = 'of the user'\n",
    "models/__init__.py": "",
    "models/networks.py": """
import torch
from torch import nn

class Gate(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc(x.mean((2, 3), keepdim=True)))

def make(has_gate):
    torch.manual_seed(0)
    gate = Gate(8) if has_gate else nn.Identity()
    return nn.Sequential(nn.Conv2d(3, 8, 3, stride=8), gate, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))

def make_baseline():
    return make(False)

def make_gated():
    return make(True)
""",
    "use.py": """
import sys
import app, models.networks
import cbam_lens as cl

assert app.NAME == "of the user"
lineup = cl.load("shipped", device="cpu")
comparison = lineup.compare("picture.png")
assert sorted(comparison.heat_maps) == ["baseline", "cbam", "se"]
assert "data:image/jpeg;base64," in comparison._repr_html_()
comparison.save("out.pdf")
mine = cl.lineup(baseline=models.networks.make_baseline(), gated=models.networks.make_gated())
assert list(mine.compare("picture.png").gates["gated"]) == ["1"]
import urllib.request, uuid
with cl.serve(lineup, mine, port=0, wait=False) as server:
    assert "<title>" in urllib.request.urlopen(server.url).read().decode()
    assert urllib.request.urlopen(server.url + "/static/css/base.css").status == 200
    # An upload is decoded in a process of its own, which is started by its module's name.
    border = uuid.uuid4().hex
    content = open("picture.png", "rb").read()
    head = f'--{border}\\r\\nContent-Disposition: form-data; name="image"; filename="a.png"\\r\\n\\r\\n'.encode()
    request = urllib.request.Request(
        server.url + "/api/v1/heatmap", head + content + f"\\r\\n--{border}--\\r\\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={border}"},
    )
    assert urllib.request.urlopen(request).read().startswith(b"\\x89PNG")
    from cbam_lens._app.decoding.processes import PROCESSES
    assert sys.platform != "linux" or PROCESSES._host.args[3] == "cbam_lens._app.decoding.host"
print("used", cl.__file__)
""",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run("uv", "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT), folder=folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel and what it needs, but not this repository."""
    environment = tmp_path_factory.mktemp("environment")
    run("uv", "venv", "--quiet", "--python", sys.executable, str(environment), folder=environment)
    interpreter = environment / "bin" / "python"
    run("uv", "pip", "install", "--quiet", "--no-deps", "--python", str(interpreter), str(wheel), folder=environment)
    # The packages of the tests' own environment; a path that a .pth file adds runs no .pth files, so that the editable
    # installation of this repository there is not seen.
    needed = Path(numpy.__file__).parents[1]
    (packages,) = environment.glob("lib/*/site-packages")
    (packages / "needed.pth").write_text(f"{needed}\n")
    return interpreter


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, content in PROJECT.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    (tmp_path / "picture.png").write_bytes(encode(make_picture(120, 90)))
    return tmp_path


def run(*command: str, folder: Path) -> str:
    """A command's output; its failure is the test's."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
    except FileNotFoundError:
        skip_here(f"no {command[0]} on the search path; install it")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_but_cbam_lens_is_visible_from_outside(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert {name.partition("/")[0] for name in names} == {"cbam_lens", f"cbam_lens-{VERSION}.dist-info"}
    assert "cbam-lens = cbam_lens:main" in entry
    for part in (
        "__init__.py", "__main__.py", "py.typed", "_app/cli.py", "_app/python/notebook/output.html",
        "_models/weights/efficientnet_lite0_cbam_1000.safetensors", "_models/lineups/catalogue.toml",
        "static/js/notebook/comparison.js", "templates/upload.html",
    ):  # fmt: skip
        assert f"cbam_lens/{part}" in names
    assert not [name for name in names if "weights/resnet18" in name or "__pycache__" in name]


def test_project_with_the_same_names_uses_it(python: Path, project: Path) -> None:
    assert str(python.parents[1]) in run(str(python), "use.py", folder=project)


def test_command_works_and_runs_the_projects_own_functions(python: Path, project: Path) -> None:
    command = str(python.parent / "cbam-lens")
    assert "compare" in run(command, "--help", folder=project)
    assert f"cbam-lens {VERSION}" in run(str(python), "-m", "cbam_lens", "--version", folder=project)
    source = "mine=python:models.networks:make_baseline,gated:python:models.networks:make_gated"
    told = run(command, "compare", "picture.png", "--lineup", source, "-o", "out", folder=project)
    assert "picture.figure.png" in told
    assert (project / "out" / "picture.gated.png").stat().st_size > 1000


def test_studies_of_the_wheel_make_their_tables(python: Path, project: Path) -> None:
    command = str(python.parent / "cbam-lens")
    address = f"sqlite:///{project / 'studies.db'}"
    run("env", f"CBAM_LENS_STUDY_DATABASE={address}", command, "study", "list", folder=project)
    assert (project / "studies.db").stat().st_size > 0


def test_every_module_of_the_wheel_can_be_imported(python: Path, project: Path) -> None:
    """One that was not rewritten would find the project's own packages, or nothing."""
    code = (
        "import pkgutil, importlib, cbam_lens\n"
        "count = 0\n"
        "for module in pkgutil.walk_packages(cbam_lens.__path__, 'cbam_lens.'):\n"
        # The first is the command, the second is run by Alembic.
        "    if not module.name.endswith(('.__main__', '.migrations.env')):\n"
        "        importlib.import_module(module.name); count += 1\n"
        "print(count)\n"
    )
    assert int(run(str(python), "-c", code, folder=project)) > 300

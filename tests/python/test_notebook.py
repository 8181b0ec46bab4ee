"""`docs/python.ipynb` runs from top to bottom, and what it shows in the repository is what it shows now."""

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT

NOTEBOOK = ROOT / "docs" / "python.ipynb"

CELL_SECONDS = 300


def read_shown(notebook: Any) -> list[str]:
    """The text of each cell's result."""
    return [
        output["data"]["text/plain"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]


def test_repository_has_the_notebook_with_its_results() -> None:
    notebook = json.loads(NOTEBOOK.read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} == {"execute_result"}
    drawn = [output for output in outputs if "text/html" in output["data"]]
    assert len(drawn) == 3
    # Addresses of this machine have no place in it.
    assert str(Path.home()) not in NOTEBOOK.read_text()


# The kernel answers over a socket of this machine, and says so in a warning; its event loop leaves sockets to the
# garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.slow
def test_notebook_runs_from_top_to_bottom_and_shows_the_same() -> None:
    committed = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        cell.pop("outputs", None)
        if cell.cell_type == "code":
            cell.outputs = []
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )
    client.execute()
    shown = read_shown(notebook)
    assert len(shown) == 10
    # Other machines round differently, so numbers are left out.
    assert [leave_numbers(text) for text in shown] == [leave_numbers(text) for text in read_shown(committed)]
    assert sum("text/html" in output["data"] for cell in notebook.cells for output in cell.get("outputs", ())) == 3


def leave_numbers(text: str) -> str:
    """A text without the digits after points."""
    return re.sub(r"\d*\.\d+", "", text)

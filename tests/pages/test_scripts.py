from pathlib import Path

import pytest

from app.pages.scripts import find_page_scripts
from app.pages.templating import STATIC
from app.python.notebook.drawing import NOTEBOOK_SCRIPT

SOURCES = {
    "pages/first.js": """/** @typedef {import("../lib/unused.js").Kind} Kind */
import { one } from "../lib/one.js";
import "./part.js";
one("import { x } from './unused.js';");
""",
    "pages/part.js": 'import {\n  two,\n  three,\n} from "../lib/two.js";\n',
    "pages/second.js": 'export { one } from "../lib/one.js";\n',
    "lib/one.js": "export function one() {}\n",
    "lib/two.js": 'import { three } from "./three.js";\nexport { three };\n',
    "lib/three.js": 'import * as two from "./two.js";\nexport const three = () => two;\n',
    "lib/unused.js": "",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, source in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    return tmp_path


def test_page_scripts_are_the_modules_that_each_entry_reaches(folder: Path) -> None:
    assert find_page_scripts(folder) == {
        "pages/first.js": ("lib/one.js", "lib/three.js", "lib/two.js", "pages/first.js", "pages/part.js"),
        "pages/part.js": ("lib/three.js", "lib/two.js", "pages/part.js"),
        "pages/second.js": ("lib/one.js", "pages/second.js"),
    }


def test_import_of_a_module_that_is_not_there_is_refused(folder: Path) -> None:
    (folder / "pages" / "third.js").write_text('import "../lib/missing.js";\n')
    with pytest.raises(KeyError, match=r"lib/missing\.js"):
        find_page_scripts(folder)


def test_every_module_belongs_to_a_page_or_to_the_notebook() -> None:
    used = {name for names in find_page_scripts(STATIC / "js").values() for name in names} | {NOTEBOOK_SCRIPT}
    assert used == {path.relative_to(STATIC / "js").as_posix() for path in (STATIC / "js").rglob("*.js")}

import re
import subprocess
from collections import Counter
from pathlib import Path

from app.pages.templating import STATIC
from app.python.notebook.drawing import NOTEBOOK_SCRIPT
from app.python.notebook.script import join_modules


def test_joined_modules_have_each_name_once() -> None:
    script = join_modules(STATIC / "js", NOTEBOOK_SCRIPT)
    names = re.findall(r"^(?:async )?(?:function|class) (\w+)|^(?:const|let) (\w+)", script, flags=re.MULTILINE)
    counts = Counter(name for pair in names for name in pair if name)
    assert counts["showComparison"] == counts["valueAt"] == counts["addHandles"] == 1
    assert [name for name, count in counts.items() if count > 1] == []
    assert "import " not in re.sub(r"import\(", "", re.sub(r"/\*.*?\*/", "", script, flags=re.DOTALL))


def test_joined_modules_are_one_valid_script(node: str, tmp_path: Path) -> None:
    path = tmp_path / "joined.cjs"
    path.write_text(f'(() => {{"use strict";{join_modules(STATIC / "js", NOTEBOOK_SCRIPT)}}})();')
    run = subprocess.run([node, str(path)], capture_output=True, text=True, check=False)  # noqa: S603
    assert run.returncode == 0, run.stderr


def test_module_comes_once_and_after_its_own_imports(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "a.js").write_text(
        'import { b } from "./b.js";\nimport { c } from "./lib/c.js";\nexport const a = b + c;\n'
    )
    (tmp_path / "b.js").write_text('import {\n  c,\n} from "./lib/c.js";\nexport const b = c;\n')
    (tmp_path / "lib/c.js").write_text("export const c = 1;\n")
    assert join_modules(tmp_path, "a.js").split("\n") == [
        "const c = 1;",
        "",
        "const b = c;",
        "",
        "const a = b + c;",
        "",
    ]

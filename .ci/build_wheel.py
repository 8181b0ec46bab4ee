"""Builds the wheel so that nothing but `cbam_lens` is visible from outside: users have `app` and `models` of their own.

In the repository the folders stay at the top level. In the wheel, `cbam_lens.py` becomes the package `cbam_lens`, `app`
and `models` become `cbam_lens._app` and `cbam_lens._models`, and every import of them is rewritten. No text of a module
names another one (`-m` starts take `__package__`), so that imports are all there is to rewrite.
"""

import ast
import re
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PUBLIC = "cbam_lens"

PACKAGES = {"app": "_app", "models": "_models"}
"""The names in the wheel, by the names in the repository."""

ENTRY = f'"""`python -m {PUBLIC}` is the command `cbam-lens`."""\n\nfrom {PUBLIC} import main\n\nmain()\n'


class WheelHook(BuildHookInterface[Any]):
    """Puts the rewritten package into the wheel; an editable installation keeps the folders of the repository."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Choose the wheel's files.

        Args:
            version: `standard`, or `editable`.
            build_data: what the builder is told.
        """
        if version != "standard":
            return
        root, self._folder = Path(self.root), tempfile.TemporaryDirectory()
        rewritten = Path(self._folder.name)
        files = build_data["force_include"]
        for source in list_files(root, self.config["leave-out"]):
            path = locate(source)
            if source.suffix == ".py":
                target = rewritten / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(rewrite_imports((root / source).read_text(encoding="utf-8")), encoding="utf-8")
                files[str(target)] = str(path)
            else:
                files[str(root / source)] = str(path)
        for name, content in (("__main__.py", ENTRY), ("py.typed", "")):
            (rewritten / PUBLIC / name).write_text(content, encoding="utf-8")
            files[str(rewritten / PUBLIC / name)] = f"{PUBLIC}/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the rewritten files."""
        del build_data, artifact_path
        if version == "standard":
            self._folder.cleanup()


def list_files(root: Path, left_out: list[str]) -> Iterator[Path]:
    """Every file of our packages, relative to the root of the repository, but those of the patterns."""
    yield Path(f"{PUBLIC}.py")
    for folder in PACKAGES:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            is_left_out = any(fnmatch(relative.as_posix(), pattern) for pattern in left_out)
            if path.is_file() and "__pycache__" not in relative.parts and not is_left_out:
                yield relative


def locate(source: Path) -> Path:
    """The place of a file in the wheel."""
    first, *rest = source.parts
    if not rest:
        return Path(PUBLIC, "__init__.py")
    return Path(PUBLIC, PACKAGES[first], *rest)


def rewrite_imports(source: str) -> str:
    """The same module with its imports of our packages as they are in the wheel.

    Raises:
        ValueError: for an import that cannot be rewritten by itself, because it binds the package's name.
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0) - 1
        if isinstance(node, ast.ImportFrom) and not node.level and find_package(node.module):
            lines[line] = re.sub(r"\bfrom (app|models)\b", _rename, lines[line], count=1)
        elif isinstance(node, ast.Import) and (ours := [name for name in node.names if find_package(name.name)]):
            if len(node.names) > 1 or ours[0].asname is None:
                raise ValueError(f"{lines[line].strip()}: write from PACKAGE import NAME, or one import as NAME")
            lines[line] = re.sub(r"\bimport (app|models)\b", _rename, lines[line], count=1)
    return "".join(lines)


def find_package(module: str | None) -> str | None:
    """Which of our packages a module is in; None for others'."""
    first = (module or "").partition(".")[0]
    return first if first in PACKAGES else None


def _rename(match: re.Match[str]) -> str:
    return f"{match[0].removesuffix(match[1])}{PUBLIC}.{PACKAGES[match[1]]}"

"""The modules that a page's script imports, found in their sources, since there is no build step."""

import posixpath
import re
from pathlib import Path

IMPORT = re.compile(r"""^(?:import|export)\b[^"';]*["'](\.{1,2}/[^"']+)["'];""", re.MULTILINE)
"""A static import or re-export of one of our modules, which never use `import()`."""


def find_page_scripts(folder: Path) -> dict[str, tuple[str, ...]]:
    """Find the modules that each page's entry module imports, directly or not, itself included.

    Args:
        folder: the scripts' folder, with the entries in `pages/`.

    Returns:
        Paths below the folder, sorted, by the path of the entry.
    """
    imports = {
        path.relative_to(folder).as_posix(): _read_imports(path, folder) for path in sorted(folder.rglob("*.js"))
    }
    return {name: _reach(name, imports) for name in imports if name.startswith("pages/")}


def _read_imports(path: Path, folder: Path) -> list[str]:
    here = path.parent.relative_to(folder).as_posix()
    return [posixpath.normpath(posixpath.join(here, name)) for name in IMPORT.findall(path.read_text(encoding="utf-8"))]


def _reach(start: str, imports: dict[str, list[str]]) -> tuple[str, ...]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += imports[name]
    return tuple(sorted(seen))

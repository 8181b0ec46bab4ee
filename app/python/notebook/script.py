"""The page's own scripts as one script, for an output that can load no modules."""

import posixpath
import re
from functools import cache
from pathlib import Path

IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[^"]+)";\n', re.MULTILINE)
"""A static import, the only kind that our scripts have."""

EXPORT = re.compile(r"^export (?=(?:async )?function |const |class )", re.MULTILINE)


@cache
def join_modules(folder: Path, entry: str) -> str:
    """Join a module and those that it imports to one script, each once and after its own imports.

    All names are in one scope, so no two of the modules may have one in common.

    Args:
        folder: the scripts' folder.
        entry: the module's path in it.
    """
    sources: dict[str, str] = {}

    def add(name: str) -> None:
        if name in sources:
            return
        source = (folder / name).read_text(encoding="utf-8")
        for imported in IMPORT.findall(source):
            add(posixpath.normpath(posixpath.join(posixpath.dirname(name), imported)))
        sources[name] = EXPORT.sub("", IMPORT.sub("", source))

    add(entry)
    return "\n".join(sources.values())

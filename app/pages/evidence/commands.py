"""The commands that measure the served lineups, with the operator's options but for the folders of files.

Every visitor reads them, and where a server keeps its files is not the visitors' business.
"""

import re
import shlex
from collections.abc import Sequence

from models.lineups.catalogue import list_known_names

FOLDERS = re.compile(r"[^,=:]*[/\\]")
"""The folders before a file's name in an option of the form NAME=FILE,NETWORK:FILE."""


def write_command(data: str, places: str, *, options: str = "", objects: str = "masks") -> str:
    """The command that measures a lineup.

    Args:
        data: the directory of the pictures.
        places: the directory of their masks, or the file of their boxes.
        options: those that choose the lineup; empty for the shipped one.
        objects: `masks` or `boxes`.
    """
    return f"cbam-lens evaluate {data} --focus --{objects} {places} {options}".rstrip()


def pair_options(names: Sequence[str], lineups: Sequence[str], labels: tuple[str, ...]) -> dict[str, str]:
    """The options that choose each lineup, by its name.

    A lineup that was loaded otherwise, without options, is asked for by its name.

    Args:
        names: of the served lineups, in their order.
        lineups: each one's `--lineup`, in the same order.
        labels: the `--labels`: none, one for all lineups that are given by their weights alone, or one each.
    """
    given = lineups if len(lineups) == len(names) else names
    inline = [text for name, text in zip(names, given, strict=True) if _is_inline(name, text)]
    lists = dict(zip(inline, labels * len(inline) if len(labels) == 1 else labels, strict=False))
    return {
        name: shlex.join(map(_hide_folders, ["--lineup", text, *(["--labels", lists[text]] if text in lists else [])]))
        for name, text in zip(names, given, strict=True)
    }


def _hide_folders(text: str) -> str:
    return FOLDERS.sub("", text)


def _is_inline(name: str, text: str) -> bool:
    """Whether a lineup is given by its weights alone: NAME=SOURCE,SOURCE."""
    return text.startswith(f"{name}=") and name not in list_known_names()

"""CBAM Lens from Python: where does a network look, and what does attention change?

```python
import cbam_lens as cl

lineup = cl.load("shipped")
comparison = lineup.compare("dog.jpg")
comparison  # draws itself in a notebook
comparison.heat_maps["cbam"]  # (H, W) float32
comparison.save("dog.pdf")
cl.serve(lineup)  # the page, on this lineup
```

Importing it takes no time: torch is imported by the first call.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import LensError, LineupError

if TYPE_CHECKING:
    from app.python.open_lineup import OpenLineup
    from app.python.picture_comparison import PictureComparison
    from app.python.serving import RunningServer

__all__ = ["LensError", "LineupError", "OpenLineup", "PictureComparison", "load", "serve"]


def load(
    lineup: str | Path = "shipped",
    *,
    labels: str | Path | None = None,
    device: str | None = None,
    offline: bool | None = None,
) -> "OpenLineup":
    """Load a lineup by its name.

    Args:
        lineup: as `--lineup` of the command line: a name that `cbam-lens lineups` lists, such as `shipped` or
            `imagenet-resnet50`, whose missing weights are downloaded now; the path of a TOML file; or
            `NAME=SOURCE,SOURCE` with two to five sources of weights, the baseline first.
        labels: for `NAME=SOURCE,SOURCE`, a file of class names, or `imagenet`.
        device: `auto`, `cpu`, `cuda` or `cuda:0`; auto by default, which takes CUDA where it is.
        offline: download nothing, and say which files are missing.

    Returns:
        The lineup, ready to answer. The other settings are those of the server: environment variables that begin with
        `CBAM_LENS_`.

    Raises:
        LineupError: for an unknown name, and for weights that cannot be had or do not fit.
    """
    from app.python.opening import open_lineup

    return open_lineup(lineup, labels=labels, device=device, offline=offline)


def serve(*lineups: "OpenLineup", host: str = "127.0.0.1", port: int = 8000, wait: bool = True) -> "RunningServer":
    """Open the page and the REST API on loaded lineups, on this machine.

    Args:
        lineups: one or more with different names; the first one is the default.
        host: the address to listen on; by default only this machine can reach it.
        port: the port; 0 for any free one.
        wait: wait until the keyboard interrupts, as the command `cbam-lens serve` does. False returns at once, with the
            server running beside the program.

    Returns:
        The server: `.url` is its address, `.stop()` ends it, and `with` ends it after a block.

    Raises:
        LineupError: for two lineups of one name.
        OSError: when the address is in use or not this machine's.
    """
    from app.python.serving import start_server

    server = start_server(*lineups, host=host, port=port)
    if wait:
        server.wait()
    return server


def main() -> None:
    """The entry of the command `cbam-lens`."""
    from app.cli import main as run

    run()


def __getattr__(name: str) -> object:
    """The classes of answers, for annotations; they import torch."""
    if name == "OpenLineup":
        from app.python.open_lineup import OpenLineup

        return OpenLineup
    if name == "PictureComparison":
        from app.python.picture_comparison import PictureComparison

        return PictureComparison
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    main()

"""CBAM Lens from Python: where does a network look, and what does attention change?

```python
import cbam_lens as cl

lineup = cl.load("shipped")
comparison = lineup.compare("dog.jpg")
comparison  # draws itself in a notebook
comparison.heat_maps["cbam"]  # (H, W) float32
comparison.save("dog.pdf")
cl.serve(lineup)  # the page, on this lineup

mine = cl.lineup(baseline=plain_network, cbam=cbam_network, classes=["cat", "dog"])  # networks of your own
```

Importing it takes no time: torch is imported by the first call.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from models.errors import LensError, LineupError
from models.pictures.preparation import Preprocessing

if TYPE_CHECKING:
    from torch import nn

    from app.python.open_lineup import OpenLineup
    from app.python.picture_comparison import PictureComparison
    from app.python.picture_concepts import PictureConcepts
    from app.python.serving import RunningServer
    from models.foreign.description import Head, Score
    from models.lineups.own_networks import OwnNetwork

__all__ = [
    "LensError",
    "LineupError",
    "OpenLineup",
    "PictureComparison",
    "PictureConcepts",
    "Preprocessing",
    "lineup",
    "load",
    "network",
    "serve",
]


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
            `imagenet-resnet50`, whose missing weights are downloaded now; `hf:OWNER/REPOSITORY` on the Hugging Face
            Hub, likewise; the path of a TOML file; or `NAME=SOURCE,SOURCE` with two to five sources of weights, the
            baseline first.
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


def lineup(  # noqa: PLR0913  # each is the user's to say or to leave out
    networks: "Mapping[str, nn.Module | OwnNetwork] | None" = None,
    /,
    *,
    classes: Sequence[str] = (),
    preprocessing: Preprocessing | Mapping[str, Any] | None = None,
    stages: Sequence[str] | None = None,
    gates: Mapping[str, str | Sequence[str]] | None = None,
    head: "Head | None" = None,
    score: "Score | None" = None,
    activation: Literal["softmax", "sigmoid"] = "softmax",
    name: str = "mine",
    title: str | None = None,
    recipe: str | None = None,
    trained: bool = True,
    device: str | None = None,
    **named: "nn.Module | OwnNetwork",
) -> "OpenLineup":
    """Make a lineup of two to five networks of your own: `cl.lineup(baseline=plain_network, cbam=cbam_network)`.

    The networks may be any torch modules that answer one score per class. They are copied, and the copies are put into
    evaluation mode; yours are not changed, and training them further does not change the lineup.

    Args:
        networks: by name, the baseline first, in place of keywords. A name is a small letter followed by small letters,
            digits, dashes and underscores.
        classes: the classes' names in index order, K of them; numbers by default.
        preprocessing: the networks' input: `mean` and `standard_deviation` per channel for values in 0..1, `resolution`
            (28, 32, 64, 96, 128, 160, 224, 256, 320, 384 or 448) and `geometry` (`center_crop` or `whole`). One mean
            and one deviation mean that the networks see one grey channel. ImageNet's by default.
        stages: one to four paths of modules that run once and answer maps, (N, C, H, W), in the order in which they
            run, such as `["layer1", "layer2"]`; the last one becomes stage 4. By default the last maps of each size.
        gates: for each block, by any name, the path of a module whose output is a gate, or the paths of two: (N, C),
            (N, C, 1, 1), (N, H, W) or (N, 1, H, W), values in 0..1. A network that has none of these modules has no
            gates. By default every sigmoid of the shape (N, C, 1, 1) or (N, 1, H, W) that is multiplied with features.
        head: `head(network, pictures)` calls a network that has several inputs or outputs, and returns the output that
            counts; `pictures` is (N, 3, H, W), or (N, 1, H, W) for grey.
        score: `score(output)` makes one score per class, (N, K), of an output that is not (N, K), such as a
            segmentation: `lambda output: output.mean(dim=(2, 3))`.
        activation: `sigmoid` for several labels per picture, or one class alone: P is then each class's own.
        name: the lineup's name, for options of the REST API.
        title: its name for people.
        recipe: how all of them were trained, in a word or two; without it a warning says that this is not known.
        trained: False marks all maps as those of random weights.
        device: `auto`, `cpu`, `cuda` or `cuda:0`; by default where the first network is.
        **named: the networks by their names; one that is called like an option has to be in `networks`. What
            `cl.network` describes keeps its own description.

    Raises:
        LineupError: a network does not run, or they do not belong together; the message says what to give.
    """
    from app.python.own_lineup import Facts, open_networks
    from models.probabilities import Activation

    shared = {
        "classes": classes,
        "preprocessing": preprocessing,
        "stages": stages,
        "gates": gates,
        "head": head,
        "score": score,
    }
    facts = Facts(name=name, title=title, recipe=recipe, trained=trained, activation=Activation(activation))
    return open_networks({**(networks or {}), **named}, shared, facts, device=device)


def network(  # noqa: PLR0913  # as of `lineup`
    module: "nn.Module",
    *,
    classes: Sequence[str] = (),
    preprocessing: Preprocessing | Mapping[str, Any] | None = None,
    stages: Sequence[str] | None = None,
    gates: Mapping[str, str | Sequence[str]] | None = None,
    head: "Head | None" = None,
    score: "Score | None" = None,
) -> "OwnNetwork":
    """Describe one network of your own, where the networks of a lineup differ in more than their modules.

    A function that `--lineup NAME=python:package.module:function` names may return this instead of the module.

    Args:
        module: any torch module.
        classes: as in `lineup`, and so are the others.
        preprocessing: must be the same for all networks of a lineup.
        stages: the paths of this network's stages.
        gates: the paths of this network's gates.
        head: calls this network.
        score: makes one score per class of its output.

    Raises:
        LineupError: for a field of `preprocessing` that is unknown or out of its range.
    """
    from app.python.own_lineup import describe_network

    return describe_network(
        module, classes=classes, preprocessing=preprocessing, stages=stages, gates=gates, head=head, score=score
    )


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
    if name == "PictureConcepts":
        from app.python.picture_concepts import PictureConcepts

        return PictureConcepts
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    main()

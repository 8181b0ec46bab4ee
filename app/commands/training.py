"""`cbam-lens train`: networks of your own, trained by one recipe."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from app.commands.options import DeviceOption, errors, or_explain, refuse_own, tell
from models.attention.places import put
from models.names import Attention, AttentionPlace, Precision
from models.training.recipes.recipe import DEFAULT_RECIPE

LINEUP_FLAG = "--lineup"
DEFAULT_SHARE = 0.2


class TrainCommand(TyperCommand):
    """`train`, whose `--lineup` may stand without networks: it then means the baseline and those of `--attention`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # of typer's own copy of click
        """Give a bare `--lineup` an empty value; click would take the next option for it."""
        following = [*args[1:], "-"]
        complete = [
            f"{LINEUP_FLAG}=" if argument == LINEUP_FLAG and after.startswith("-") else argument
            for argument, after in zip(args, following, strict=True)
        ]
        return super().parse_args(ctx, complete)


def train(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory for all files of the training.")],
    network: Annotated[str, typer.Option(help="The architecture; `cbam-lens models` lists them.")] = "resnet18",
    attention: Annotated[
        list[Attention] | None,
        typer.Option(
            help="What each block ends with; cbam by default. Given several times, one network for each.",
            callback=refuse_own,
        ),
    ] = None,
    lineup: Annotated[
        str | None,
        typer.Option(
            LINEUP_FLAG,
            help="Train several networks, the baseline first, with the same data in the same order: none,se,cbam. "
            "Without names: the baseline and the networks of --attention.",
            metavar="[none,ATTENTION,...]",
        ),
    ] = None,
    places: Annotated[
        str,
        typer.Option(
            help="The blocks that end with attention: every-block, last-stage or last-two-stages; several, separated "
            "by commas, for as many networks of each attention.",
        ),
    ] = AttentionPlace.EVERY_BLOCK.value,
    seeds: Annotated[
        int | None,
        typer.Option(
            help="Train the lineup with so many seeds and measure each on held-out pictures; /evidence of the lineup "
            "then shows the differences, with intervals over pictures and over seeds.",
            min=1,
        ),
    ] = None,
    share: Annotated[
        float | None,
        typer.Option("--hold-out", help="With --seeds: the share of each class's pictures that is held out; 0.2."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Directory with one folder of pictures per class; several are merged."),
    ] = None,
    shards: Annotated[
        list[str] | None,
        typer.Option(help="WebDataset shards, train-{0000..0009}.tar; needs uv sync --extra train and --labels."),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(help="The classes: JSON or one name per line; by default the folders' names.")
    ] = None,
    card: Annotated[Path | None, typer.Option(help="A lineup's TOML card, for its folder aliases.")] = None,
    alias: Annotated[
        list[str] | None, typer.Option(help="FOLDER=CLASS, for a folder whose name is not its class's.")
    ] = None,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(help="List of held-out pictures to exclude, one CLASS/FILE per line.", dir_okay=False),
    ] = None,
    validation: Annotated[
        Path | None, typer.Option(help="Directory of held-out pictures for the measurement after epochs.")
    ] = None,
    validation_list: Annotated[
        Path | None, typer.Option(help="List of the held-out pictures to use, one CLASS/FILE per line; all by default.")
    ] = None,
    soft_labels: Annotated[
        Path | None,
        typer.Option(help="npz with picture, class_index and probability, for an auxiliary head dropped afterwards."),
    ] = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            help="A network of the same classes to learn from: a file, a .tflite file or torchvision:NAME; the mean of "
            "several."
        ),
    ] = None,
    answers: Annotated[
        bool,
        typer.Option(
            "--keep-answers",
            help="Keep the teachers' answers in the output directory, for the next network of the same recipe.",
        ),
    ] = False,
    unlabelled: Annotated[
        list[Path] | None,
        typer.Option(help="Directory with folders of pictures of other classes, which only a teacher labels."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start-from",
            help="Weights to begin with: with --lineup a lineup (shipped, a TOML card, NAME=SOURCE,SOURCE), else a "
            "file; FILE+cbam puts fresh gates into a network without, which leave its function as it is (only simam's "
            "change it).",
        ),
    ] = None,
    recipe: Annotated[
        Path, typer.Option(help="TOML file of the recipe; by default that of resnet18-110.", show_default=False)
    ] = DEFAULT_RECIPE,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change any field of the recipe: optimiser.learning_rate=0.1", metavar="FIELD=VALUE"
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs, in place of the recipe's.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Pictures per step in all processes together, in place of the recipe's.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Highest learning rate, in place of the recipe's.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed, in place of the recipe's.")] = None,
    weights: Annotated[
        Precision, typer.Option(help="Type of the stored convolutions and linear layers: fp16 or fp32.")
    ] = Precision.FP16,
    name: Annotated[
        str | None,
        typer.Option(help="The lineup's name; by default made from network and classes, as in resnet18-110."),
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache", help="Keep the decoded pictures in the output directory, about 0.3 MB each.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the training in the output directory.")] = False,
    minutes: Annotated[
        float | None, typer.Option(help="Minutes after which to stop, as on SIGTERM; --resume continues.", min=0)
    ] = None,
    state_minutes: Annotated[
        float, typer.Option(help="Minutes between two writes of the state within an epoch.", min=0)
    ] = 5.0,
    tensorboard: Annotated[
        bool,
        typer.Option(
            "--tensorboard",
            help="Also write TensorBoard's files, with heat maps of four --validation pictures after each validation; "
            "needs uv sync --extra train.",
        ),
    ] = False,
    device: DeviceOption = None,
) -> None:
    """Train a network, or with --lineup a baseline and the same network with attention; with --seeds, ask if it helps.

    Written into the output directory: weights as safetensors, a model card (.md), the log (.csv) and the state
    (.state.pt) of each network, recipe.toml, labels.json and, of a lineup, lineup.toml for --lineup of other commands.
    With --seeds also held_out.txt, the other seeds' trainings (seed-2/, ...) and the measurements (evidence/).

    SIGTERM or Ctrl+C stops after the current step; the same command with --resume continues exactly from there.

    Several GPUs: torchrun --nproc-per-node 8 --no-python cbam-lens train ... Several machines: the same on each, with
    --nnodes 2 --node-rank 0 (then 1) --rdzv-backend c10d --rdzv-endpoint FIRST_MACHINE:29400, and one output directory
    that all of them share.
    """
    from models.training.recipes.recipe import read_recipe

    named = {
        "epochs": epochs,
        "batch_size": batch_size,
        "optimiser.learning_rate": learning_rate,
        "seed": seed,
    }
    changes = [*(change or []), *(f"{field}={value}" for field, value in named.items() if value is not None)]
    chosen = or_explain(read_recipe, recipe, changes=changes)
    if share is not None and seeds is None:
        raise typer.BadParameter("--hold-out is for --seeds; for one training use --exclude and --validation")
    attentions = put_attentions(choose_attentions(lineup, attention), places)
    with errors.status("loading torch"):
        from app.output.training_maps import draw_training_map
        from models.training.material import DataOptions
        from models.training.run import TrainingOptions, run_training

    options = TrainingOptions(
        architecture=network,
        attentions=attentions,
        is_lineup=lineup is not None,
        recipe=chosen,
        data=DataOptions(
            directories=tuple(data or ()),
            shards=tuple(shards or ()),
            labels=labels,
            card=card,
            aliases=tuple(alias or ()),
            exclusions=tuple(exclude or ()),
            validation=validation,
            validation_list=validation_list,
            soft_labels=soft_labels,
            teachers=tuple(teacher or ()),
            answers=output / "answers.npy" if answers else None,
            unlabelled=tuple(unlabelled or ()),
            cache=output / "pictures.safetensors" if cache else None,
        ),
        output=output,
        start=start,
        name=name,
        device=device or "auto",
        precision=weights,
        is_resumed=resume,
        has_board=tensorboard,
        draw_map=draw_training_map,
        minutes=minutes,
        state_minutes=state_minutes,
    )
    if seeds is None:
        report = or_explain(run_training, options, tell=tell)
    else:
        from app.trial import TrialOptions, run_trial

        share = DEFAULT_SHARE if share is None else share
        report = or_explain(run_trial, TrialOptions(options, seeds, share), tell=tell)
    if report.message:
        typer.echo(report.message)


def choose_attentions(lineup: str | None, attention: list[Attention] | None) -> tuple[Attention, ...]:
    """The networks with attention that `--lineup none,se,cbam` or `--attention` name; CBAM by default."""
    if not lineup:
        return tuple(attention or (Attention.CBAM,))
    names = [name.strip() for name in lineup.split(",")]
    known = {known.value for known in Attention}
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"--lineup names {unknown[0]!r}; choose from {', '.join(Attention)}")
    if names[0] != Attention.NONE.value or len(names) < 2:
        raise typer.BadParameter(f"--lineup is {lineup}; begin with the baseline, and add attention: none,se,cbam")
    if attention:
        raise typer.BadParameter("--lineup names the networks already; leave out --attention")
    return tuple(Attention(name) for name in names[1:])


def put_attentions(attentions: Sequence[Attention], places: str) -> tuple[Attention, ...]:
    """Each attention at each of the places that `--places every-block,last-stage` names."""
    names = [name.strip() for name in places.split(",")]
    known = [place.value for place in AttentionPlace]
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"--places names {unknown[0]!r}; choose from {', '.join(known)}")
    try:
        return tuple(put(attention, AttentionPlace(name)) for attention in attentions for name in names)
    except ValueError as error:
        raise typer.BadParameter(f"--places: {error}") from error


if __name__ == "__main__":
    # `torchrun -m app.commands.training` runs this module.
    program = typer.Typer(pretty_exceptions_enable=False)
    program.command(cls=TrainCommand)(train)
    program()

"""`cbam-lens push`: a lineup for others, on the Hugging Face Hub."""

from typing import Annotated

import typer

from app.commands.options import errors, or_explain, read_settings, tell
from models.errors import LineupError
from models.lineups.choice import parse_lineup
from models.lineups.hub import MISSING_LIBRARY, PREFIX, SPELLING


def push(
    *,
    lineup: Annotated[str, typer.Argument(help="A lineup's TOML file, shipped, or another shipped name.")],
    repository: Annotated[str, typer.Argument(help="OWNER/REPOSITORY on the Hugging Face Hub.")],
    private: Annotated[bool, typer.Option("--private", help="Let nobody else see the repository.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be sent, and send nothing.")] = False,
) -> None:
    """Send a lineup's weights, model cards, class names and TOML file to the Hugging Face Hub, as one commit.

    The repository is made if it is not there. The token is the one that huggingface_hub finds: HF_TOKEN, or that of
    `hf auth login`. Needs uv sync --extra hub.
    """
    settings = read_settings()
    if not SPELLING.fullmatch(f"{PREFIX}{repository}") or "@" in repository:
        raise typer.BadParameter(f"repository is {repository!r}; write OWNER/REPOSITORY")
    or_explain(_want_library)
    with errors.status("checking the lineup"):
        from app.sharing.parcel import pack_lineup
        from app.sharing.sending import send

        choice = or_explain(parse_lineup, lineup, store=settings.weight_store)
        parcel = or_explain(pack_lineup, choice, repository)
    for name, size in parcel.list_sizes():
        typer.echo(f"{name}: {size:,} bytes")
    tell(f"licence of the weights: {parcel.licence.identifier}; their model cards' headers state it")
    if dry_run:
        tell(f"nothing was sent to {repository}: --dry-run")
    elif settings.offline:
        or_explain(_refuse_offline)
    else:
        typer.echo(or_explain(send, parcel, repository, is_private=private))


def _want_library() -> None:
    from importlib.util import find_spec

    if find_spec("huggingface_hub") is None:
        raise LineupError(MISSING_LIBRARY)


def _refuse_offline() -> None:
    raise LineupError("nothing is sent offline; leave CBAM_LENS_OFFLINE out, or give --dry-run")

"""Sending a lineup to the Hugging Face Hub, by its own library; the token is the one that the library finds."""

from pathlib import Path

from httpx2 import HTTPError
from huggingface_hub import CommitOperationAdd, HfApi

from app.sharing.parcel import Parcel
from app.version import VERSION
from models.errors import LineupError
from models.lineups.hub import shorten
from models.training.records.headers import LIBRARY


def send(parcel: Parcel, repository: str, *, is_private: bool) -> str:
    """Make the repository if it is not there, and send all files as one commit.

    Args:
        parcel: the files.
        repository: owner and name.
        is_private: whether nobody else may see it; one that others see already is refused.

    Returns:
        The commit's address.

    Raises:
        LineupError: the Hub refuses it or cannot be reached, or the repository is public and is to be private.
    """
    try:
        return _send(HfApi(library_name=LIBRARY, library_version=VERSION), parcel, repository, is_private=is_private)
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        # A file that could not be uploaded is a RuntimeError, which has the reason as its cause.
        reason = " ".join(shorten(part) for part in (error, error.__cause__) if isinstance(part, Exception))
        raise LineupError(
            f"{parcel.card.name} could not be sent to {repository}: {reason}; check the repository's name, the "
            "network, and that HF_TOKEN or `hf auth login` gives a token that may write there"
        ) from error


def _send(hub: HfApi, parcel: Parcel, repository: str, *, is_private: bool) -> str:
    # None: as the account's own default says.
    hub.create_repo(repository, private=is_private or None, exist_ok=True)
    if is_private and not hub.model_info(repository).private:
        raise LineupError(
            f"{repository} is there and public, and --private was given; nothing was sent: make it private in its "
            "settings, or choose another repository"
        )
    operations = [
        CommitOperationAdd(name, str(content) if isinstance(content, Path) else content)
        for name, content in parcel.files.items()
    ]
    commit = hub.create_commit(repository, operations, commit_message=f"{parcel.card.title}, by cbam-lens push")
    return str(commit.commit_url)

"""Every path of a study's pages: short, because people type them from a projector."""

from dataclasses import dataclass

PREFIX = "/s"


@dataclass(frozen=True, slots=True)
class StudyLinks:
    """The paths of one study.

    Attributes:
        key: the secret of the voters' link.
        root: the server's address or the path below which it is reached; empty for paths from the top.
    """

    key: str
    root: str = ""

    @property
    def voters(self) -> str:
        """Where people begin."""
        return f"{self.root}{PREFIX}/{self.key}"

    @property
    def vote(self) -> str:
        """The next question."""
        return f"{self.voters}/vote"

    @property
    def results(self) -> str:
        """The results."""
        return f"{self.voters}/results"

    @property
    def numbers(self) -> str:
        """The results as JSON."""
        return f"{self.voters}/results.json"

    @property
    def votes(self) -> str:
        """Every vote as CSV."""
        return f"{self.voters}/votes.csv"

    @property
    def holder(self) -> str:
        """Every link, for the holder alone."""
        return f"{self.voters}/links"

    @property
    def delete(self) -> str:
        """Where the holder deletes the study."""
        return f"{self.voters}/delete"

    @property
    def close(self) -> str:
        """Where the holder ends the study."""
        return f"{self.voters}/close"

    @property
    def code(self) -> str:
        """The page with the QR code."""
        return f"{self.voters}/code"

    @property
    def code_image(self) -> str:
        """The QR code."""
        return f"{self.voters}/code.svg"

    def admin(self, admin_key: str) -> str:
        """The link that shows the results before the end."""
        return f"{self.voters}/admin/{admin_key}"

    def image(self, number: int, side: str) -> str:
        """One side of one of a person's questions."""
        return f"{self.voters}/questions/{number}/{side}"

    def named_image(self, question_id: int, network: str) -> str:
        """A network's map in the results."""
        return f"{self.voters}/results/{question_id}/{network}"

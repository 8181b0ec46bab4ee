"""The lesson: the same for all networks of a lineup."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.names import Attention
from models.pictures.preparation import Preprocessing
from models.training.data.sampling import Sampler
from models.training.data.soft_labels import SoftLabels
from models.training.learning.beginning import Beginning
from models.training.learning.teachers import AnswerBook, Teacher
from models.training.learning.validation import ValidationSet
from models.training.recipes.recipe import Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """The pictures, the recipe and the targets of a training.

    Attributes:
        recipe: the recipe.
        sampler: plans the pictures.
        soft_labels: another network's probabilities for the pictures, for an auxiliary head.
        teacher: a network to learn from.
        validation: the pictures for validation at the end of an epoch.
        beginnings: the weights that each network starts from; empty for training from scratch.
        preprocessing: the preprocessing of the networks' input.
        answers: the teacher's stored answers; None to ask it at every step.
    """

    recipe: Recipe
    sampler: Sampler
    soft_labels: SoftLabels | None = None
    teacher: Teacher | None = None
    validation: ValidationSet | None = None
    beginnings: Mapping[Attention, Beginning] = field(default_factory=dict)
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    answers: AnswerBook | None = None

    @property
    def digest(self) -> str:
        """A checksum of the lesson."""
        return hashlib.sha256(json.dumps(self.identify(), sort_keys=True).encode()).hexdigest()

    @property
    def answers_digest(self) -> str:
        """A checksum of everything on which the teacher's answers depend: all except the initial weights."""
        known = {name: value for name, value in self.identify().items() if name != "start from"}
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()

    def identify(self) -> dict[str, Any]:
        """The recipe's fields and the data's checksums, which must be the same when a training is resumed."""
        beginnings = {name.value: begin.digest or begin.provenance for name, begin in self.beginnings.items()}
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "pictures": self.sampler.store.digest,
            "classes": self.sampler.class_count,
            "soft labels": None if self.soft_labels is None else self.soft_labels.digest,
            "teacher": None if self.teacher is None else (self.teacher.digest or self.teacher.provenance),
            "start from": beginnings or None,
        }

"""Reading the data of a training: pictures, classes, held-out pictures, soft labels and teachers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from models.checkpoints.diagnosis import ExaminationOptions
from models.lineups.card import read_card
from models.lineups.sources import open_source
from models.pictures.preparation import Preprocessing
from models.training.data.classes import ClassList, make_class_list, parse_aliases
from models.training.data.listing import (
    EncodedPicture,
    Exclusion,
    check_apart,
    explain_skipped_files,
    list_folders,
    list_pictures,
    list_strangers,
    list_unlabelled,
    list_validation,
)
from models.training.data.reading import Decoder, check_memory, sum_sources
from models.training.data.sampling import Sampler
from models.training.data.shards import read_shards
from models.training.data.soft_labels import SoftLabels, read_soft_labels
from models.training.data.store import PictureStore, StoreFile
from models.training.learning.lesson import Lesson
from models.training.learning.teachers import (
    TFLITE,
    AnswerBook,
    MeanTeacher,
    NetworkTeacher,
    Teacher,
    TfliteTeacher,
)
from models.training.learning.validation import ValidationSet
from models.training.recipes.recipe import Recipe
from models.training.running.errors import TrainingError
from models.training.running.processes import Processes
from models.training.running.progress import ProgressBar

MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class DataOptions:
    """The requested data of a training.

    Attributes:
        directories: directories with one folder of pictures per class.
        unlabelled: directories with folders of pictures without a class; a teacher labels them.
        shards: WebDataset tar files, with braces for ranges.
        labels: the file with the list of classes; None to make each folder a class.
        card: a lineup's card, for its folder aliases.
        aliases: further folder aliases, as FOLDER=CLASS.
        exclusions: lists of held-out pictures, one FOLDER/FILE per line.
        validation: a directory of held-out pictures.
        validation_list: the list of those to use, one FOLDER/FILE per line; None for all.
        soft_labels: an npz file, see `read_soft_labels`.
        teachers: sources of weights, see `models.lineups.sources`, and files of TensorFlow Lite; the network learns
            their mean.
        answers: the file for the teachers' answers, see `AnswerBook`; a checksum is added to its name; None not to
            store them.
        cache: the file for the decoded pictures; None not to store them.
    """

    directories: tuple[Path, ...] = ()
    unlabelled: tuple[Path, ...] = ()
    shards: tuple[str, ...] = ()
    labels: Path | None = None
    card: Path | None = None
    aliases: tuple[str, ...] = ()
    exclusions: tuple[Path, ...] = ()
    validation: Path | None = None
    validation_list: Path | None = None
    soft_labels: Path | None = None
    teachers: tuple[str, ...] = ()
    answers: Path | None = None
    cache: Path | None = None

    def summarise(self) -> str:
        """The origin of the pictures, in a sentence without paths."""
        directories = self.directories + self.unlabelled
        names = [directory.resolve().name for directory in directories] + [Path(name).name for name in self.shards]
        held_out = ", ".join(path.name for path in self.exclusions) or "nothing"
        return f"Pictures of {', '.join(names)}; held out: {held_out}."


@dataclass(frozen=True, slots=True, eq=False)
class TrainingData:
    """The data that was read.

    Attributes:
        lesson: the lesson.
        classes: the classes.
        unreadable: the number of skipped pictures.
    """

    lesson: Lesson
    classes: ClassList
    unreadable: int


def read_classes(options: DataOptions) -> ClassList:
    """Read the classes of a training; raises `LineupError` and `TrainingError`."""
    if not (options.directories or options.shards):
        raise TrainingError("there are no training pictures; give a directory with --data, or --shards")
    if options.shards and options.labels is None:
        raise TrainingError("shards do not say which classes there are; give their list with --labels")
    return make_class_list(
        options.labels,
        folders=list_folders(options.directories),
        aliases=parse_aliases(options.aliases),
        card_aliases={} if options.card is None else read_card(options.card).folder_aliases,
    )


class DataReader:
    """Reads all data and checks that it fits together.

    Args:
        options: the requested data.
        recipe: the recipe, which has the sizes.
        processes: the processes that read.
        tell: receives notes for the user.
    """

    def __init__(
        self, options: DataOptions, recipe: Recipe, *, processes: Processes, tell: Callable[[str], None]
    ) -> None:
        self._options = options
        self._recipe = recipe
        self._processes = processes
        self._tell = tell
        self._exclusion = Exclusion.read(options.exclusions)

    def read(self) -> TrainingData:
        """Read all data.

        Raises:
            LineupError: a file cannot be read.
            TrainingError: the data does not fit together.
        """
        options, recipe = self._options, self._recipe
        classes = self._read_classes()
        pictures = list_pictures(options.directories, classes, self._exclusion)
        pictures += list_unlabelled(options.unlabelled, self._exclusion, known=pictures)
        if options.unlabelled and not options.teachers:
            raise TrainingError("unlabelled pictures need a --teacher; give one, or leave the pictures out")
        validation = self._read_validation(classes, pictures)
        store, unreadable = self._read_store(classes, pictures)
        for line in unreadable:
            self._tell(f"skipped {line}")
        _check_classes(store, classes)
        sampler = Sampler(recipe, store, len(classes))
        if not sampler.epoch_steps:
            raise TrainingError(
                f"{len(store):,} pictures do not fill a batch of {recipe.batch_size:,}; lower it with --batch-size"
            )
        lesson = Lesson(
            recipe=recipe,
            sampler=sampler,
            soft_labels=self._read_soft_labels(store),
            teacher=self._open_teacher(len(classes)),
            validation=validation,
            preprocessing=Preprocessing(mean=recipe.mean, standard_deviation=recipe.standard_deviation),
        )
        return TrainingData(self._open_answers(lesson), classes, len(unreadable))

    def _read_classes(self) -> ClassList:
        options = self._options
        classes = read_classes(options)
        if strangers := list_strangers(options.directories, classes):
            named = ", ".join(strangers[:MOST_NAMED]) + (", ..." if len(strangers) > MOST_NAMED else "")
            self._tell(f"{len(strangers)} folders are not in the list of classes and are skipped: {named}")
        directories = [*options.directories, *([options.validation] if options.validation else [])]
        if sentence := explain_skipped_files(directories, classes):
            self._tell(sentence)
        return classes

    def _read_validation(self, classes: ClassList, training: list[EncodedPicture]) -> ValidationSet | None:
        directory, listing = self._options.validation, self._options.validation_list
        if directory is None:
            if listing is not None:
                raise TrainingError("--validation-list names pictures of a directory; give it with --validation")
            return None
        pictures = list_validation(directory, listing, classes)
        check_apart(training, pictures)
        name = directory.resolve().name if listing is None else f"{directory.resolve().name}, {listing.name}"
        return ValidationSet.read(
            name, pictures, self._recipe.geometries, self._recipe.resolution, crop_share=self._recipe.crop_share
        )

    def _read_store(self, classes: ClassList, pictures: list[EncodedPicture]) -> tuple[PictureStore, list[str]]:
        """Read all pictures, from the cache if there is one; also returns the names of unreadable pictures."""
        if self._options.cache is None:
            return self._decode(classes, pictures)
        source = sum_sources(
            pictures, self._options.shards, held_out=self._exclusion.entries, side=self._recipe.stored_side
        )
        file = StoreFile(self._options.cache, source)
        if self._processes.is_first and file.read() is None:
            file.write(*self._decode(classes, pictures))
        self._processes.wait()
        # If the directory is not shared with the first process, there is no file.
        return file.read() or self._decode(classes, pictures)

    def _decode(self, classes: ClassList, pictures: list[EncodedPicture]) -> tuple[PictureStore, list[str]]:
        check_memory(len(pictures), self._recipe.stored_side)
        shards = self._options.shards
        decoder = Decoder(self._recipe.stored_side, process_count=self._processes.local_count)
        everything = chain(pictures, read_shards(shards, classes, self._exclusion) if shards else ())
        total = None if shards else len(pictures)
        with ProgressBar("decoding", total=total, is_shown=self._processes.is_first) as progress:
            store = decoder.read(everything, progress)
        self._exclusion.check(classes, others=list_folders(self._options.unlabelled))
        return store, decoder.unreadable

    def _read_soft_labels(self, store: PictureStore) -> SoftLabels | None:
        if self._options.soft_labels is None:
            return None
        if not self._recipe.auxiliary.weight:
            raise TrainingError("the recipe gives soft labels no weight (auxiliary.weight is 0); leave them out")
        return read_soft_labels(self._options.soft_labels, store)

    def _open_teacher(self, class_count: int) -> Teacher | None:
        sources = self._options.teachers
        if not sources:
            return None
        if not self._recipe.teacher.weight:
            raise TrainingError("the recipe gives a teacher no weight (teacher.weight is 0); leave --teacher out")
        teachers = [self._open_one(source, class_count) for source in sources]
        return teachers[0] if len(teachers) == 1 else MeanTeacher(teachers)

    def _open_one(self, source: str, class_count: int) -> Teacher:
        if source.endswith(TFLITE):
            return TfliteTeacher.read(Path(source), class_count=class_count)
        member = open_source(source, options=ExaminationOptions(class_count=class_count))
        if member.class_count != class_count:
            raise TrainingError(
                f"the teacher {source} has {member.class_count:,} classes, the data {class_count:,}; a teacher "
                "knows the same ones"
            )
        network = member.network.to(self._processes.device).to(memory_format=torch.channels_last)
        return NetworkTeacher(network, member.provenance, member.sha256, self._recipe.teacher_side)

    def _open_answers(self, lesson: Lesson) -> Lesson:
        """Add the file of the teacher's answers to the lesson, if requested."""
        path = self._options.answers
        if path is None or lesson.teacher is None:
            return lesson
        book = AnswerBook.open(
            path.with_stem(f"{path.stem}-{lesson.answers_digest[:12]}"),
            steps=lesson.sampler.total_steps,
            batch_size=lesson.recipe.batch_size,
            class_count=lesson.sampler.class_count,
        )
        return replace(lesson, answers=book)


def _check_classes(store: PictureStore, classes: ClassList) -> None:
    counts = np.bincount(store.classes[store.classes >= 0], minlength=len(classes))
    if empty := [label.id for label, count in zip(classes.labels, counts, strict=True) if not count]:
        raise TrainingError(
            f"{len(empty)} of {len(classes)} classes have no picture: {', '.join(empty[:MOST_NAMED])}; give a "
            "directory that has them, an --alias for a folder of another name, or a list without them"
        )

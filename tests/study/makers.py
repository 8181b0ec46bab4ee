"""Studies for tests: small pictures, one colour for each side of each question."""

from collections.abc import Iterable

from PIL import Image

from app.study.drafts import DraftImage, DraftQuestion, DraftStudy
from app.study.kinds import QuestionKind
from app.study.people import make_cookie, read_cookie
from app.study.plan import StudiedNetwork, StudyPlan
from app.study.studies import Study
from tests.conftest import encode

NETWORKS = (
    StudiedNetwork(name="baseline", title="EfficientNet-Lite0"),
    StudiedNetwork(name="cbam", title="EfficientNet-Lite0 + CBAM"),
)

CATCHES = (QuestionKind.SAME, QuestionKind.TURNED)


def make_image(colour: tuple[int, int, int], size: tuple[int, int] = (48, 32)) -> DraftImage:
    return DraftImage(encode(Image.new("RGB", size, colour), "WEBP", lossless=True), "image/webp")


def make_plan(**changes: object) -> StudyPlan:
    fixed: dict[str, object] = {
        "title": "A class",
        "lineup": "shipped",
        "networks": NETWORKS,
        "method": "gradcam",
        "stage": 4,
        "threshold": 0.6,
        "class_source": "folders",
        "pictures_each": 3,
    }
    return StudyPlan.model_validate(fixed | changes)


def make_draft(pictures: int = 4, *, catches: Iterable[QuestionKind] = CATCHES, **changes: object) -> DraftStudy:
    """A study of some pictures and catch questions; the first side is reddish, the second one bluish."""
    kinds = [*[QuestionKind.PAIR] * pictures, *catches]
    questions = []
    for number, kind in enumerate(kinds):
        first = make_image((200, 5 * number, 0))
        second = first if kind is QuestionKind.SAME else make_image((0, 5 * number, 200))
        questions.append(DraftQuestion(kind, f"picture-{number}.jpg", f"class {number}", first, second, 48, 32))
    return DraftStudy(make_plan(**changes), tuple(questions))


def make_person(study: Study) -> str:
    """A new person of a study, as the database knows them."""
    person = read_cookie(make_cookie(study.secret), study.secret)
    assert person is not None
    return person

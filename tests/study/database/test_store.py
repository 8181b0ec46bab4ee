import sqlite3
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from app.errors import InvalidOption, StudiesUnavailable, StudyEnded, StudyGone
from app.study.ballots import Vote
from app.study.database.opening import open_database
from app.study.database.store import Studies
from app.study.kinds import Choice, Ending, QuestionKind
from app.study.statistics.votes import Outcome
from app.study.studies import Slot, Study, arrange, resolve
from tests.study.makers import make_draft, make_person


@pytest.fixture
def study(studies: Studies) -> Study:
    return studies.find(studies.create(make_draft()).key)


def vote(studies: Studies, study: Study, person: str, slot: Slot, choice: Choice = Choice.A) -> bool:
    outcome = resolve(choice, is_swapped=slot.is_swapped)
    return studies.vote(Vote(study, person, slot.question.id, outcome, slot.is_swapped))


def answer_all(studies: Studies, study: Study, person: str) -> None:
    for slot in arrange(study, person):
        vote(studies, study, person, slot)


def test_study_comes_back_as_it_was_created(studies: Studies) -> None:
    draft = make_draft(people=12, until=2_000_000_000)
    keys = studies.create(draft)
    study = studies.find(keys.key)
    assert study.plan == draft.plan
    assert [(question.kind, question.name) for question in study.questions] == [
        (question.kind, question.name) for question in draft.questions
    ]
    for question, drafted in zip(study.questions, draft.questions, strict=True):
        assert studies.read_image(study, question.first_image).content == drafted.first.content
        assert studies.read_image(study, question.second_image).content == drafted.second.content
    same = next(question for question in study.questions if question.kind is QuestionKind.SAME)
    assert same.first_image == same.second_image
    assert [found.key for found in studies.list_all()] == [keys.key]


def test_only_both_secrets_together_open_the_results(studies: Studies) -> None:
    keys, others = studies.create(make_draft()), studies.create(make_draft())
    assert studies.find_for_admin(keys.key, keys.admin_key).key == keys.key
    for key, admin_key in ((keys.key, others.admin_key), (keys.key, ""), (keys.key, keys.key), ("x", keys.admin_key)):
        with pytest.raises(StudyGone):
            studies.find_for_admin(key, admin_key)


def test_images_of_another_study_are_not_read(studies: Studies, study: Study) -> None:
    other = studies.find(studies.create(make_draft()).key)
    with pytest.raises(StudyGone):
        studies.read_image(study, other.questions[0].first_image)


def test_first_vote_on_a_question_counts_and_later_ones_do_not(studies: Studies, study: Study) -> None:
    person = make_person(study)
    slot = arrange(study, person)[0]
    assert vote(studies, study, person, slot, Choice.EQUAL)
    assert vote(studies, study, person, slot, Choice.CANNOT_TELL)
    assert vote(studies, study, person, slot, Choice.EQUAL)
    ballots = studies.list_ballots(study)
    assert [(ballot.person, ballot.outcome) for ballot in ballots] == [(person, Outcome.EQUAL)]
    assert studies.find_answered(study, person) == {slot.question.id}


def test_votes_of_many_threads_at_once_are_all_there_once(studies: Studies, study: Study) -> None:
    people = [make_person(study) for _ in range(30)]
    sent = [(person, slot) for person in people for slot in arrange(study, person)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda pair: vote(studies, study, *pair), [*sent, *sent]))
    assert all(answers)
    assert len(studies.list_ballots(study)) == len(sent)
    assert studies.count_people(study) == 30


def test_study_ends_with_the_last_answer_that_its_rule_wants(studies: Studies) -> None:
    study = studies.find(studies.create(make_draft(people=2)).key)
    first, second, third = (make_person(study) for _ in range(3))
    answer_all(studies, study, first)
    for slot in arrange(study, second)[:-1]:
        assert vote(studies, study, second, slot)
    assert studies.find(study.key).is_open(time.time())
    assert vote(studies, study, second, arrange(study, second)[-1])
    ended = studies.find(study.key)
    assert ended.find_end(time.time()) is Ending.PEOPLE
    assert not vote(studies, study, third, arrange(study, third)[0])
    assert studies.count_people(study) == 2


def test_study_has_room_for_as_many_people_as_it_may_whoever_comes_first(address: str) -> None:
    studies = open_database(address, max_people=20)
    study = studies.find(studies.create(make_draft()).key)
    people = [make_person(study) for _ in range(60)]
    with ThreadPoolExecutor(16) as pool:
        admitted = list(pool.map(lambda person: vote(studies, study, person, arrange(study, person)[0]), people))
    assert sum(admitted) == studies.count_people(study) == 20
    assert studies.is_full(study)
    # Those who are in it go on; those who are not stay out, also with another question.
    for person, was_admitted in zip(people, admitted, strict=True):
        assert vote(studies, study, person, arrange(study, person)[1]) is was_admitted
    assert studies.count_people(study) == 20
    # Another study has room of its own.
    other = studies.find(studies.create(make_draft()).key)
    assert not studies.is_full(other)
    person = make_person(other)
    assert vote(studies, other, person, arrange(other, person)[0])
    studies.close()


def test_study_ends_at_its_time(studies: Studies) -> None:
    study = studies.find(studies.create(make_draft(until=int(time.time()) - 1)).key)
    assert study.find_end(time.time()) is Ending.TIME
    person = make_person(study)
    assert not vote(studies, study, person, arrange(study, person)[0])
    with pytest.raises(StudyEnded, match="stays ended"):
        studies.open(study)


def test_study_that_is_not_open_yet_takes_no_votes_until_it_is(studies: Studies) -> None:
    study = studies.find(studies.create(make_draft(), is_open=False).key)
    person = make_person(study)
    slot = arrange(study, person)[0]
    assert not vote(studies, study, person, slot)
    studies.open(study)
    opened = studies.find(study.key)
    assert vote(studies, opened, person, slot)
    studies.end(opened)
    assert studies.find(study.key).find_end(0) is Ending.HAND
    assert not vote(studies, opened, make_person(study), slot)


def test_deleted_study_leaves_nothing(studies: Studies, study: Study, address: str) -> None:
    kept = studies.find(studies.create(make_draft()).key)
    person = make_person(study)
    answer_all(studies, study, person)
    content = studies.read_image(study, study.questions[0].first_image).content
    studies.delete(study)
    with pytest.raises(StudyGone):
        studies.find(study.key)
    with pytest.raises(StudyGone):
        studies.delete(study)
    # A vote that was on its way is refused, and does not fail with those of other studies.
    assert not vote(studies, study, person, arrange(study, person)[0])
    assert [found.key for found in studies.list_all()] == [kept.key]
    engine = studies._engine
    with engine.connect() as connection:
        for table in ("vote", "question", "image"):
            rows = connection.execute(text(f"SELECT count(*) FROM {table} WHERE study_id = {study.id}"))  # noqa: S608
            assert rows.scalar() == 0
    if "://" not in address:
        studies.delete(kept)
        # Not even in the file's free pages or its log.
        files = list(Path(address).parent.iterdir())
        assert not any(content in path.read_bytes() for path in files)


def test_new_study_with_a_deleted_ones_number_gets_none_of_its_votes(studies: Studies, study: Study) -> None:
    person = make_person(study)
    slot = arrange(study, person)[0]
    studies.delete(study)
    new = studies.find(studies.create(make_draft(title="another")).key)
    assert not vote(studies, study, person, slot)
    assert studies.list_ballots(new) == []
    assert studies.find(new.key).plan.title == "another"


def test_several_processes_may_open_one_database_at_once(address: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(open_database, [address] * 4))
    key = opened[0].create(make_draft()).key
    assert all(studies.find(key).key == key for studies in opened)
    for studies in opened:
        studies.close()


def test_database_that_is_gone_is_explained(studies: Studies, study: Study, caplog: pytest.LogCaptureFixture) -> None:
    with studies._engine.begin() as connection:
        connection.execute(text("DROP TABLE vote"))
    person = make_person(study)
    with pytest.raises(StudiesUnavailable, match="try again in 5 s"):
        vote(studies, study, person, arrange(study, person)[0])
    with pytest.raises(StudiesUnavailable):
        studies.find_answered(study, person)
    assert "vote" in caplog.text
    assert person not in caplog.text


def test_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "studies.sqlite"
    studies = open_database(str(path))
    studies.create(make_draft())
    assert {stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()} == {0o600}
    studies.close()


def test_reader_does_not_wait_for_a_writer_and_a_writer_waits_for_its_turn(tmp_path: Path) -> None:
    path = tmp_path / "studies.sqlite"
    studies = open_database(str(path))
    study = studies.find(studies.create(make_draft()).key)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    assert studies.find(study.key).key == study.key
    release = threading.Timer(0.2, lambda: other.execute("COMMIT"))
    release.start()
    person = make_person(study)
    assert vote(studies, study, person, arrange(study, person)[0])
    release.join()
    other.close()
    studies.close()


@pytest.mark.parametrize("wrong", ["mysql://root:secret@host/x", "://", "nonsense://x"])
def test_other_kinds_of_databases_are_refused_without_their_password(wrong: str) -> None:
    with pytest.raises(InvalidOption, match="postgresql://USER@HOST/NAME") as refusal:
        open_database(wrong)
    assert "secret" not in str(refusal.value)


def test_database_that_cannot_be_opened_says_which(tmp_path: Path) -> None:
    for wrong in (str(tmp_path), f"postgresql://lens:secret@/none?host={tmp_path}"):
        with pytest.raises(InvalidOption, match="CBAM_LENS_STUDY_DATABASE") as refusal:
            open_database(wrong)
        assert "name a database that this user may write" in str(refusal.value)
        assert "secret" not in str(refusal.value)

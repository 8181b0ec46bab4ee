from app.study.people import KEY_ALPHABET, KEY_CHARACTERS, digest_admin_key, make_admin_key, make_cookie, make_key
from app.study.people import read_cookie as read


def test_keys_are_long_random_and_easy_to_type() -> None:
    keys = {make_key() for _ in range(500)}
    assert len(keys) == 500
    assert all(len(key) == KEY_CHARACTERS and set(key) <= set(KEY_ALPHABET) for key in keys)
    assert not set(KEY_ALPHABET) & set("0o1il")
    assert len(KEY_ALPHABET) ** KEY_CHARACTERS > 2**78
    assert len(make_admin_key()) == 32
    assert digest_admin_key("a") != digest_admin_key("b")


def test_cookie_is_a_person_of_its_own_study_alone() -> None:
    cookie = make_cookie("a study's secret")
    person = read(cookie, "a study's secret")
    assert person is not None
    assert person == read(cookie, "a study's secret")
    assert person not in cookie
    assert cookie.partition(".")[0] not in person
    assert read(cookie, "another study's secret") is None
    assert len({read(make_cookie("s"), "s") for _ in range(100)}) == 100


def test_changed_and_broken_cookies_are_nobody() -> None:
    cookie = make_cookie("secret")
    for broken in ("", ".", "x", cookie[:-1], f"x{cookie}", cookie.replace(".", ""), f"{cookie}é", "é.é"):
        assert read(broken, "secret") is None

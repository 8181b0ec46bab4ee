"""The people of a study: random cookies that the study has signed. Nothing else is known of them."""

import hashlib
import hmac
import secrets

PERSON_BYTES = 16

DIGEST_CHARACTERS = 32

KEY_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Letters and digits that nobody mistakes for others when typing a link from a projector."""

KEY_CHARACTERS = 16
"""79 random bits: nobody guesses a link, however many studies there are."""

ADMIN_BYTES = 24

MOST_PEOPLE = 5000
"""The default limit of people per study; a program can be as many people as it likes."""


def make_key() -> str:
    """Make the secret of a voters' link."""
    return "".join(secrets.choice(KEY_ALPHABET) for _ in range(KEY_CHARACTERS))


def make_admin_key() -> str:
    """Make the secret of an admin link."""
    return secrets.token_urlsafe(ADMIN_BYTES)


def digest_admin_key(key: str) -> str:
    """What is stored of an admin link's secret."""
    return hashlib.sha256(key.encode()).hexdigest()


def make_cookie(secret: str) -> str:
    """Make a new person's cookie, signed with a study's secret."""
    person = secrets.token_urlsafe(PERSON_BYTES)
    return f"{person}.{_sign(person, secret)}"


def read_cookie(cookie: str, secret: str) -> str | None:
    """The person of a cookie, as the database knows them; None for a cookie that the study did not sign.

    Without the signature a program could vote as somebody new with each request, and not be held to any rate.
    """
    person, _, signature = cookie.partition(".")
    if not hmac.compare_digest(signature.encode(), _sign(person, secret).encode()):
        return None
    # Whoever reads the database cannot vote in a person's name.
    return hashlib.sha256(f"person {person}".encode()).hexdigest()[:DIGEST_CHARACTERS]


def _sign(person: str, secret: str) -> str:
    return hmac.digest(secret.encode(), person.encode(), "sha256").hex()[:DIGEST_CHARACTERS]

import pytest

from app.numbers import (
    format_count,
    format_equation,
    format_evidence,
    format_hundredths,
    format_millions,
    format_probability,
    format_share,
    format_thousandths,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "P < 0.001"), (0.0004, "P < 0.001"), (0.25, "P = 0.250"), (0.99949, "P = 0.999"), (1.0, "P > 0.999")],
)
def test_equation_never_claims_certainty(value: float, text: str) -> None:
    assert format_equation(value) == text
    assert format_probability(value) in text


def test_counts_and_evidence_are_short() -> None:
    assert format_millions(11_231_234) == "11.2 million"
    assert format_millions(925_342_720) == "925 million"
    assert format_evidence(1.02196) == "1.02"


def test_shares_and_counts_are_typeset() -> None:
    assert format_share(0.9249) == "92.5 %"
    assert format_share(0.9249, 0) == "92 %"
    assert format_count(11_689_512) == "11,689,512"


def test_a_negative_number_has_the_sign_that_is_as_wide_as_a_plus() -> None:
    assert format_hundredths(-0.123) == "−0.12"
    assert format_thousandths(0.0345678) == "0.035"

"""Number formats for pages and the terminal."""


def format_count(value: float) -> str:
    """A whole number with thousands separators: 11,689,512."""
    return f"{value:,.0f}"


def format_millions(value: float) -> str:
    """A count in millions with three figures: 11.7 million."""
    millions = value / 1e6
    return f"{millions:.1f} million" if millions < 100 else f"{millions:,.0f} million"


def format_share(value: float, digits: int = 1) -> str:
    """A share 0..1 in percent: 92.5 %."""
    return typeset_minus(f"{value * 100:z.{digits}f} %")


def format_probability(value: float) -> str:
    """P with three decimal places; values that would round to 0 or 1 become `< 0.001` and `> 0.999`."""
    if value < 0.0005:
        return "< 0.001"
    return "> 0.999" if value >= 0.9995 else f"{value:.3f}"


def format_equation(value: float) -> str:
    """P as an equation: P = 0.925, P < 0.001."""
    text = format_probability(value)
    return f"P {text}" if text[0] in "<>" else f"P = {text}"


def format_percentage(value: float) -> str:
    """P in whole percent; values that would round to 0 or 100 become `< 1 %` and `> 99 %`."""
    if value < 0.005:
        return "< 1 %"
    return "> 99 %" if value >= 0.995 else f"{value * 100:.0f} %"


def format_evidence(value: float) -> str:
    """A heat map's value with three figures: 12.3, 1.2e−05."""
    return typeset_minus(f"{value:z.3g}")


def format_hundredths(value: float) -> str:
    """A correlation, an overlap or a gate's value: 0.87, −0.12."""
    return typeset_minus(f"{value:.2f}")


def format_thousandths(value: float) -> str:
    """A standard deviation of a gate's values, or a calibration error: 0.034."""
    return f"{value:.3f}"


def typeset_minus(text: str) -> str:
    """Replace hyphens by true minus signs, which are as wide as a plus."""
    return text.replace("-", "−")

"""A threshold for tests that carry one through files, cards and answers."""

from models.calibration import FitThreshold


def make_threshold(threshold: float) -> FitThreshold:
    """A lineup of two networks' threshold, with figures that nothing depends on."""
    return FitThreshold(
        score="generalised_entropy",
        threshold=threshold,
        networks=2,
        known="known",
        known_pictures=6,
        false_alarms=0.1,
        outside="outside",
        outside_pictures=7,
        misses=0.4,
    )

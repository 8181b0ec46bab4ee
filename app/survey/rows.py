"""The row of one picture, with the same columns for every picture."""

from typing import Any

from app.analysis.comparison import Comparison, Difference
from app.errors import LensError

Row = dict[str, Any]

ROW_PREDICTIONS = 5


def build_row(key: str, comparison: Comparison) -> Row:
    """Build the row of a compared picture."""
    analysis = comparison.analysis
    row: Row = {
        "file": key,
        "error": None,
        "problem": None,
        "lineup": analysis.card.name,
        "width": analysis.source.width,
        "height": analysis.source.height,
        "target_index": comparison.target.label.index,
        "target_name": comparison.target.label.name,
        "method": comparison.method.value,
        "stage": comparison.stage.value,
    }
    baseline, *others = comparison.names
    for name in others:
        metrics = comparison.compare_maps(Difference(name, baseline))
        row |= {
            f"{name}_correlation": metrics.correlation,
            f"{name}_overlap": metrics.overlap,
            f"{name}_peak_distance": metrics.peak_distance,
        }
    for name in comparison.names:
        predictions = comparison.predictions(name, count=ROW_PREDICTIONS)
        statistics = comparison.statistics(name)
        row |= {
            f"{name}_target_probability": comparison.target_probability(name),
            f"{name}_classes": [prediction.label.index for prediction in predictions],
            f"{name}_probabilities": [prediction.probability for prediction in predictions],
            f"{name}_map_min": statistics.minimum,
            f"{name}_map_max": statistics.maximum,
            f"{name}_map_mean": statistics.mean,
            f"{name}_peak_x": statistics.peak_x,
            f"{name}_peak_y": statistics.peak_y,
            f"{name}_share_above_half": statistics.share_above_half,
        }
    return row


def build_failed_row(key: str, error: LensError | OSError) -> Row:
    """Build the row of a picture that could not be compared, with its error alone."""
    sentence = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return {"file": key, "error": type(error).__name__, "problem": sentence}

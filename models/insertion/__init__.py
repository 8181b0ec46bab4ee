"""Attention for networks that were written elsewhere.

The functions are imported when they are used: they need torchvision's models, which take seconds and 170 MB, and the
server imports `building` beside them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.insertion.insert import adopt_network, insert_cbam

__all__ = ["adopt_network", "insert_cbam"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from models.insertion import insert  # noqa: PLC0415  # see above

    return getattr(insert, name)

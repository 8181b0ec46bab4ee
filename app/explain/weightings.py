"""The grad-cam package's classes, imported without what the package imports beside them.

The package imports scikit-learn for methods that we do not have, and torchvision for pictures, which brings in torch's
compiler: 300 MB and three seconds of the server's start.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING

from app.explain.methods import Method

if TYPE_CHECKING:
    from pytorch_grad_cam.base_cam import BaseCAM

PACKAGE, LIBRARY = "pytorch_grad_cam", "torchvision"

UNUSED = ("sklearn", "sklearn.decomposition", "cv2", "matplotlib.pyplot")
"""What the package's KPCA-CAM and its drawing need; we use neither."""

CLASSES = {
    Method.GRADCAM: ("grad_cam", "GradCAM"),
    Method.GRADCAM_PLUS_PLUS: ("grad_cam_plusplus", "GradCAMPlusPlus"),
    Method.XGRADCAM: ("xgrad_cam", "XGradCAM"),
    Method.HIRESCAM: ("hirescam", "HiResCAM"),
    Method.LAYERCAM: ("layer_cam", "LayerCAM"),
    Method.EIGENCAM: ("eigen_cam", "EigenCAM"),
    Method.EIGENGRADCAM: ("eigen_grad_cam", "EigenGradCAM"),
    Method.GRADCAM_ELEMENTWISE: ("grad_cam_elementwise", "GradCAMElementWise"),
    Method.FINERCAM: ("grad_cam", "GradCAM"),
}
"""Each method's module in the package, and its class.

Finer-CAM is Grad-CAM of another score, see `app.explain.contrast`. Score-CAM's class runs the network itself, without
an end in between; ours is `app.explain.scored`.
"""


def import_weightings() -> "dict[Method, type[BaseCAM]]":
    """Import the class of each method; a later import of either package by its name is a full one."""
    with _without(UNUSED), _unopened(PACKAGE, LIBRARY):
        return {
            method: getattr(import_module(f"{PACKAGE}.{module}"), name) for method, (module, name) in CLASSES.items()
        }


@contextmanager
def _without(modules: Sequence[str]) -> Iterator[None]:
    """Let modules import others that are not there; what they take from these can be named, not used.

    Modules that were imported before stay as they are.
    """
    absent = [name for name in modules if name not in sys.modules]
    sys.modules |= {name: _Absent(name) for name in absent}
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


class _Absent(ModuleType):
    """A module that was not imported; everything that is taken from it is None."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


@contextmanager
def _unopened(*packages: str) -> Iterator[None]:
    """Let modules of packages be imported without the packages' own `__init__`.

    A package that was imported before stays as it is. Afterwards the others are unknown again, with the modules that
    were imported from them, so that nobody else meets half a package.
    """
    closed = [package for package in packages if package not in sys.modules]
    for package in closed:
        sys.modules[package] = _make_empty(package)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".", maxsplit=1)[0] in closed]:
            del sys.modules[name]


def _make_empty(package: str) -> ModuleType:
    """The package as a module that has a path, and nothing of its own."""
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(f"no package is named {package!r}; install the program's requirements", name=package)
    return module_from_spec(spec)

"""The images that run in the tests' whole node, as docker-archives: no registry and no container engine is needed.

Each is built once and kept in the cache of the tests' binary, under a name that changes with what it is made of.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from tests.kubernetes.images import debian, envoy, project, small
from tests.kubernetes.images.recipe import ImageError

PAUSE = small.PAUSE.tag
BUSYBOX = small.BUSYBOX.tag
PYTHON = debian.PYTHON.tag
ENVOY = envoy.ENVOY.tag
OPERATOR = project.OPERATOR.tag

RECIPES = {recipe.tag: recipe for recipe in (small.PAUSE, small.BUSYBOX, debian.PYTHON, envoy.ENVOY, project.OPERATOR)}

__all__ = ["BUSYBOX", "ENVOY", "OPERATOR", "PAUSE", "PYTHON", "ImageError", "ensure_images"]


def ensure_images(wanted: Collection[str] = tuple(RECIPES)) -> Mapping[str, Path]:
    """Return the archives of these images, by tag, building first what the cache does not have.

    Raises ImageError, PackageError, ToolchainError.
    """
    return {tag: RECIPES[tag].ensure() for tag in wanted}

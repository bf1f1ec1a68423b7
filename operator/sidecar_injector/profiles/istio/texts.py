"""Judging texts of annotations: the Pods of a workload have the same ones."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar, TypeVarTuple

_Given = TypeVarTuple("_Given")
_Verdict = TypeVar("_Verdict")

_KEPT, _LONGEST = 256, 4096
"""How many verdicts are kept, and how many characters the text of one may have."""


def remembering(judge: Callable[[*_Given, str], _Verdict]) -> Callable[[*_Given, str], _Verdict]:
    """Return a function that remembers what it said latest; its last argument is the text that is judged.

    Verdicts are shared, so they are not to be changed.
    """
    kept = lru_cache(_KEPT)(judge)

    @wraps(judge)
    def remembered(*given: *tuple[*_Given, str]) -> _Verdict:
        return kept(*given) if len(given[-1]) <= _LONGEST else judge(*given)

    return remembered

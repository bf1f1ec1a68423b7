"""Which of the kept versions of a config are beyond its history."""

from typing import Any

import pytest

from sidecar_injector.cluster.revisions import revision, superfluous


def config(generation: int, uid: str = "u-12345678", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "mesh", "uid": uid, "generation": generation}, "spec": spec}


def found(*generations: int) -> list[dict[str, Any]]:
    return [revision("injector", config(generation)) for generation in generations]


@pytest.mark.parametrize(
    ("generations", "current", "in_use", "goes"),
    [
        ((1, 2, 3), config(3, revisionHistoryLimit=2), (), []),
        ((1, 2, 3), config(3, revisionHistoryLimit=1), (), [1]),
        ((1, 2, 3), config(3, revisionHistoryLimit=0), (), [1, 2]),
        ((1, 2, 3), config(3, revisionHistoryLimit=0), (1,), [2]),
        ((2, 9, 4), config(9, revisionHistoryLimit=1), (), [2]),
        ((1, 2, 3), config(2, revisionHistoryLimit=0), (), [1]),  # another replica has gone further
        (tuple(range(1, 15)), config(14), (), [1, 2, 3]),
        (tuple(range(1, 15)), config(14, revisionHistoryLimit=None), (), [1, 2, 3]),
    ],
)
def test_as_many_earlier_versions_stay_as_the_config_says(
    generations: tuple[int, ...], current: dict[str, Any], in_use: tuple[int, ...], goes: list[int]
) -> None:
    assert sorted(each["revision"] for each in superfluous(found(*generations), current, in_use)) == goes


def test_versions_of_a_namesake_that_was_deleted_go() -> None:
    other = revision("injector", config(7, uid="another-uid"))
    assert superfluous([*found(1), other], config(1), (7,)) == [other]

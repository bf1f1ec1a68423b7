"""The operator's memory does not grow with what it has admitted."""

import pytest

from tests.chaos import load, operators, sizes
from tests.figures import Figures
from tests.kubernetes.cluster import wait_until
from tests.kubernetes.faults import Faults
from tests.kubernetes.node import Node

pytestmark = pytest.mark.e2e

BOUND_MIB = 6.0
LONGEST_SECONDS = 240


@pytest.mark.timeout(2 * LONGEST_SECONDS + 60)
def test_memory_does_not_grow_over_20000_admissions(node: Node, faults: Faults, shop: str, figures: Figures) -> None:
    def resident() -> dict[str, float]:
        return {pod: operators.resident(faults, pod) for pod in sorted(operators.replicas(node))}

    fresh = resident()
    with load.clients(node, shop, pause=0, count=2 * sizes.CLIENTS) as records:
        wait_until(
            lambda: records.injected > sizes.ADMISSIONS_WARMING_UP, seconds=LONGEST_SECONDS, what="it has warmed up"
        )
        before, began = resident(), records.injected
        seconds = operators.seconds_until(
            lambda: records.injected >= began + sizes.ADMISSIONS_MEMORY, LONGEST_SECONDS, "enough were admitted"
        )
        after = resident()
    figures(
        admissions=records.injected,
        admissions_a_second=(sizes.ADMISSIONS_MEMORY / seconds),
        mib_fresh=_rounded(fresh),
        mib_warm=_rounded(before),
        mib_after=_rounded(after),
    )
    assert records.of(load.Outcome.FAILED) == []
    assert before.keys() == after.keys(), "no replica was replaced"
    assert {pod: mib - before[pod] for pod, mib in after.items() if mib - before[pod] > BOUND_MIB} == {}


def _rounded(sizes_in_mib: dict[str, float]) -> list[float]:
    return [round(each, 1) for each in sizes_in_mib.values()]

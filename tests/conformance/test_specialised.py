"""What is done when a config is accepted changes nothing: Istio's own cases with it and without."""

import json

import pytest

from sidecar_injector.config import CompiledConfig, compile_config, parse_config
from sidecar_injector.errors import PodRejected
from sidecar_injector.injection.pipeline import admit
from sidecar_injector.injection.review import parse_review
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.acceptance import accept
from tests.conformance.cases import WITHOUT, Case, load_cases

CASES = load_cases()

pytestmark = pytest.mark.skipif(not CASES, reason=WITHOUT)


def said(case: Case, config: CompiledConfig) -> str:
    """The patch, or why there is none."""
    try:
        outcome = admit(parse_review(case.review(case.pod)), config, profile_for(config), case.facts)
    except PodRejected as error:
        return str(error)
    return f"{outcome.decision} {json.dumps(outcome.patch)}"


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_pod_comes_out_as_it_would_if_nothing_were_done_beforehand(case: Case) -> None:
    general = compile_config(parse_config(case.resource))
    specialised, again = said(case, accept(case.resource)), said(case, accept(case.resource))
    assert specialised == again == said(case, general)

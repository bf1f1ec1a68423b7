"""Any template's data merged into any Pod: a Pod, which is left alone the next time, or an error of ours."""

import copy
import json
from typing import Any

import jsonpatch
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar_injector.config import CompiledConfig, compile_config, parse_config
from sidecar_injector.errors import InjectionError, TemplateError
from sidecar_injector.names import API_VERSION, KIND, Reason
from tests.fuzz.mutation import mutated
from tests.fuzz.profile import FUZZ
from tests.properties.pods import odd_pods, patches, pods
from tests.unit.injection.support import outcome

SETTLED = (Reason.ALREADY_INJECTED, Reason.NOTHING_TO_INJECT, Reason.CONFLICT_SKIPPED)


def compiled(overlay: Any, **spec: Any) -> CompiledConfig:
    """Compile a config whose template prints this overlay as it is; it is not tried on samples."""
    template = "{% raw %}" + json.dumps(overlay) + "{% endraw %}"
    resource = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": "fuzz"},
        "spec": {"profile": "Generic", "templates": [{"name": "main", "template": template}], **spec},
    }
    return compile_config(parse_config(resource))


SPECS = st.fixed_dictionaries(
    {},
    optional={
        "sidecarMode": st.sampled_from(["Native", "Classic"]),
        "conflictPolicy": st.sampled_from(["Merge", "Skip", "Reject"]),
    },
)


def judge(pod: Any, overlay: Any, spec: Any) -> None:
    config = compiled(overlay, **spec)
    untouched = copy.deepcopy(pod)
    try:
        once = outcome(pod, config)
    except (InjectionError, TemplateError):
        return
    finally:
        assert pod == untouched
    injected = jsonpatch.apply_patch(copy.deepcopy(pod), list(once.patch))
    assert injected == json.loads(json.dumps(once.pod)) or not once.decision.inject
    twice = outcome(injected, config)
    assert twice.decision.reason in SETTLED
    assert twice.patch == ()


@settings(FUZZ)
@given(pods() | odd_pods(), patches(), SPECS)
def test_any_overlay_is_merged_once_or_refused(pod: Any, overlay: Any, spec: Any) -> None:
    judge(pod, overlay, spec)


@settings(FUZZ)
@given(pods() | odd_pods(), mutated(patches(), most=2), SPECS)
def test_a_mutated_overlay_is_merged_once_or_refused(pod: Any, overlay: Any, spec: Any) -> None:
    judge(pod, overlay, spec)

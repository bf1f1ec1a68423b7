"""What we call no Pod is no Pod to the API server either: the same samples, judged by both."""

import pytest

from sidecar_injector.config.compile import compile_config
from sidecar_injector.config.parse import parse_config
from sidecar_injector.errors import ConfigError, MergeError
from sidecar_injector.injection.conform import conform
from sidecar_injector.injection.decide import Subject
from sidecar_injector.injection.facts import ClusterFacts
from sidecar_injector.injection.overlay import apply_overlays
from sidecar_injector.injection.render import render
from sidecar_injector.names import API_VERSION, KIND
from sidecar_injector.profiles import profile_for
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.profiles.samples import SAMPLES
from tests.unit.profiles.bad_templates import INVALID

pytestmark = pytest.mark.cluster


def resource(template):
    spec = {"profile": "Generic", "templates": [{"name": "main", "template": template}]}
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "mesh"}, "spec": spec}


def merged(template):
    """Return the first sample with the template merged in, as it would be without any of our checks."""
    pod = SAMPLES[0].pod
    compiled = compile_config(parse_config(resource(template)))
    subject = Subject(pod, "default", compiled, ClusterFacts())
    overlays = [conform(overlay) for overlay in render(subject, profile_for(compiled).plan(subject), ["main"])]
    result = apply_overlays(pod, overlays, native=True)
    return {**result, "metadata": {**result["metadata"], "namespace": "default"}}


@pytest.mark.parametrize("template", [case[0] for case in INVALID])
def test_the_api_server_refuses_what_we_refuse(control_plane, template):
    with pytest.raises(ConfigError):
        accept(resource(template))
    try:
        pod = merged(template)
    except MergeError:
        return
    done = control_plane.kubectl("create", "--dry-run=server", "-f-", input=pod, check=False)
    assert done.returncode != 0, f"taken by the API server: {pod}"
    assert "nvalid" in done.stderr or "equired" in done.stderr or "BadRequest" in done.stderr, done.stderr

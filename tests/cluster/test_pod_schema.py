"""The table of a Pod's types is what the API server says of itself."""

import json

import pytest

from hack.pod_schema import TARGET, generate

pytestmark = pytest.mark.cluster


def test_the_generated_table_is_current(control_plane):
    openapi = json.loads(control_plane.kubectl("get", "--raw", "/openapi/v2").stdout)
    assert generate(openapi) == TARGET.read_text(encoding="utf-8")

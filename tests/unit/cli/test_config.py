"""`sidecar-injector config`: the configs to start from are complete, accepted, and the samples in manifests/."""

from pathlib import Path

import pytest
import yaml

from sidecar_injector.config import parse, parse_match
from sidecar_injector.profiles.acceptance import accept
from tests.unit.cli.program import call

ROOT = Path(__file__).parents[3]
TEMPLATES = {"generic": ["logs", "metrics"], "istio": ["sidecar", "gateway", "grpc-agent", "grpc-simple"]}

each_profile = pytest.mark.parametrize("profile", TEMPLATES)


def printed(profile: str) -> str:
    result = call("config", profile)
    assert result.exit_code == 0
    return result.stdout


@each_profile
def test_the_printed_config_is_accepted(profile: str) -> None:
    assert list(accept(yaml.safe_load(printed(profile))).templates) == TEMPLATES[profile]


def test_the_generic_config_has_every_field() -> None:
    spec = yaml.safe_load(printed("generic"))["spec"]
    assert set(spec) == set(parse.SPEC_FIELDS)
    assert set(spec["match"]) == set(parse_match.MATCH_FIELDS)
    assert {field for template in spec["templates"] for field in template} == set(parse.TEMPLATE_FIELDS)


@each_profile
def test_the_printed_config_explains_itself(profile: str) -> None:
    assert len([line for line in printed(profile).splitlines() if "#" in line]) > 30


@each_profile
def test_it_passes_its_own_advice(profile: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(printed(profile))
    assert call("validate", "-f", file).exit_code == 0


@each_profile
def test_the_sample_in_manifests_is_the_printed_config(profile: str) -> None:
    assert (ROOT / "manifests" / "samples" / f"{profile}.yaml").read_text() == printed(profile)

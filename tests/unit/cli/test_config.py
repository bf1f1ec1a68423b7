"""`sidecar-injector config generic`: the config to start from is complete, accepted, and the sample in manifests/."""

from pathlib import Path

import pytest
import yaml

from sidecar_injector.config import parse, parse_match
from sidecar_injector.profiles.acceptance import accept
from tests.unit.cli.program import call

ROOT = Path(__file__).parents[3]


@pytest.fixture
def text() -> str:
    result = call("config", "generic")
    assert result.exit_code == 0
    return result.stdout


def test_the_printed_config_is_accepted(text: str) -> None:
    assert list(accept(yaml.safe_load(text)).templates) == ["logs", "metrics"]


def test_the_printed_config_has_every_field(text: str) -> None:
    spec = yaml.safe_load(text)["spec"]
    assert set(spec) == set(parse.SPEC_FIELDS)
    assert set(spec["match"]) == set(parse_match.MATCH_FIELDS)
    assert {field for template in spec["templates"] for field in template} == set(parse.TEMPLATE_FIELDS)


def test_the_printed_config_explains_itself(text: str) -> None:
    assert len([line for line in text.splitlines() if "#" in line]) > 30


def test_it_passes_its_own_advice(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    assert call("validate", "-f", file).exit_code == 0


def test_the_sample_in_manifests_is_the_printed_config(text: str) -> None:
    assert (ROOT / "manifests" / "samples" / "generic.yaml").read_text() == text

"""The operator's settings: flags, then variables, then defaults."""

from pathlib import Path

import pytest

from sidecar_injector import settings
from sidecar_injector.errors import SettingsError

ROOT = Path(__file__).resolve().parents[2]


def test_without_anything_the_defaults_hold() -> None:
    assert settings.load({}) == settings.Settings()


def test_a_variable_is_read_with_the_type_of_its_setting() -> None:
    loaded = settings.load({"SIDECAR_INJECTOR_LISTEN_PORT": "1234", "SIDECAR_INJECTOR_DRAIN_SECONDS": "0.5"})
    assert (loaded.listen_port, loaded.drain_seconds) == (1234, 0.5)


def test_a_flag_wins_over_its_variable() -> None:
    assert settings.load({"SIDECAR_INJECTOR_LOG_LEVEL": "error"}, {"log_level": "debug"}).log_level == "debug"


def test_a_flag_that_was_not_given_leaves_the_variable_alone() -> None:
    assert settings.load({"SIDECAR_INJECTOR_LOG_LEVEL": "error"}, {"log_level": None}).log_level == "error"


def test_an_empty_variable_is_not_set() -> None:
    assert settings.load({"SIDECAR_INJECTOR_LISTEN_PORT": ""}).listen_port == settings.Settings().listen_port


def test_in_a_pod_the_namespace_is_the_pods_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "namespace").write_text("mesh-system\n")
    monkeypatch.setattr(settings, "IN_CLUSTER_NAMESPACE", tmp_path / "namespace")
    assert settings.load({}).namespace == "mesh-system"
    assert settings.load({"SIDECAR_INJECTOR_NAMESPACE": "other"}).namespace == "other"


@pytest.mark.parametrize(
    ("environment", "flags", "message"),
    [
        ({"SIDECAR_INJECTOR_LISTEN_PORT": "web"}, {}, "SIDECAR_INJECTOR_LISTEN_PORT: 'web': must be a number"),
        ({"SIDECAR_INJECTOR_LISTEN_PORT": "0"}, {}, "SIDECAR_INJECTOR_LISTEN_PORT: 0: must be from 1 to 65535"),
        ({}, {"listen_port": "65536"}, "--listen-port: 65536: must be from 1 to 65535"),
        ({}, {"drain_seconds": "nan"}, "--drain-seconds: nan: must be from 0 to 600"),
        ({}, {"max_in_flight": "0"}, "--max-in-flight: 0: must be at least 1"),
        ({}, {"log_format": "xml"}, "--log-format: 'xml': must be one of plain, json"),
        ({}, {"webhook_url": "http://192.0.2.7"}, "--webhook-url: 'http://192.0.2.7': must be https://HOST[:PORT]"),
        ({}, {"webhook_url": "https://h/path"}, "--webhook-url: 'https://h/path': must be https://HOST[:PORT]"),
        ({}, {"webhook_url": "https://"}, "--webhook-url: 'https://': must be https://HOST[:PORT]"),
    ],
)
def test_a_wrong_value_is_refused_by_name(environment: dict[str, str], flags: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings.load(environment, flags)
    assert str(caught.value) == message


def test_every_setting_says_what_it_means() -> None:
    assert [row.name for row in settings.TABLE if not row.meaning.endswith(".")] == []


def test_the_reference_page_is_current() -> None:
    page = ROOT / "docs" / "reference" / "settings.md"
    assert page.read_text() == settings.reference(), "python hack/generate.py"


FILES = {"certificate_file": "/c/tls.crt", "private_key_file": "/c/tls.key", "ca_file": "/c/ca.crt"}


def test_files_of_another_issuer_are_named_together() -> None:
    loaded = settings.load({}, FILES)
    assert (loaded.certificate_file, loaded.private_key_file, loaded.ca_file) == tuple(FILES.values())


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (["certificate_file"], "--certificate-file: needs --private-key-file and --ca-file too"),
        (["certificate_file", "private_key_file"], "--certificate-file, --private-key-file: needs --ca-file too"),
        (["ca_file"], "--ca-file: needs --certificate-file and --private-key-file too"),
    ],
)
def test_one_of_these_files_alone_is_an_error(given: list[str], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        settings.load({}, {name: FILES[name] for name in given})


@pytest.mark.parametrize(
    ("name", "hours"),
    [("ca_lifetime_hours", "0.04"), ("certificate_lifetime_hours", "0.009"), ("certificate_lifetime_hours", "0")],
)
def test_a_lifetime_leaves_time_to_renew(name: str, hours: str) -> None:
    """A new CA has to be published and to settle before a certificate of the old one ends."""
    with pytest.raises(SettingsError, match=r"must be from 0\.0"):
        settings.load({}, {name: hours})

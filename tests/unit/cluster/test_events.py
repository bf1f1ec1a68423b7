"""Events as the API server takes them."""

import datetime

from sidecar_injector.cluster.events import event, shortened

NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)


def test_an_event_about_a_cluster_scoped_object_lives_in_the_namespace_default() -> None:
    about = {"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "n", "uid": "u", "labels": {}}}
    made = event(about, "Accepted", "all is well", NOW, warning=False)
    assert made["metadata"]["namespace"] == "default"
    assert made["regarding"] == {"apiVersion": "g/v1", "kind": "K", "name": "n", "uid": "u"}
    assert made["type"] == "Normal"
    assert made["eventTime"] == "2030-01-01T00:00:00.000000Z"


def test_an_event_about_another_object_lives_with_it() -> None:
    about = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "n", "namespace": "mesh", "uid": "u"}}
    made = event(about, "Repaired", "broken", NOW, warning=True)
    assert (made["metadata"]["namespace"], made["type"]) == ("mesh", "Warning")


def test_two_events_about_one_object_have_different_names() -> None:
    about = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "n" * 253}}
    first, second = (event(about, "R", "", NOW, warning=False)["metadata"]["name"] for _ in range(2))
    assert first != second
    assert len(first) <= 253


def test_a_note_is_cut_to_what_the_api_server_takes() -> None:
    assert shortened("x" * 1024) == "x" * 1024
    assert len(shortened("x" * 1025).encode()) == 1024
    assert len(shortened("ü" * 1000).encode()) <= 1024
    assert shortened("ü" * 1000).endswith("ü…")

"""What a Pod's author is told, and that it stays short whatever the author wrote."""

import time

import pytest

from sidecar_injector.errors import PodRejected
from sidecar_injector.names import GROUP, TEMPLATES
from tests.unit.injection.support import config, outcome, pod


def test_a_misspelt_key_is_named_with_the_one_that_was_meant():
    result = outcome(pod(annotations={f"{GROUP}/templtes": "main"}), config())
    assert result.warnings == (f"unknown annotation '{GROUP}/templtes' is ignored; did you mean {TEMPLATES}?",)


def test_thousands_of_unknown_keys_cost_no_more_than_a_few():
    many = {f"{GROUP}/injekt{number}": "" for number in range(20_000)}
    compiled = config()
    started = time.process_time()
    assert len(outcome(pod(annotations=many), compiled).warnings) < 10
    assert time.process_time() - started < 1, "compared one by one, they took seconds"


def test_the_names_of_unknown_templates_are_cut_in_the_refusal():
    with pytest.raises(PodRejected, match=r"named a0, a1, .*…; there are: main") as caught:
        outcome(pod(annotations={TEMPLATES: ",".join(f"a{number}" for number in range(20_000))}), config())
    assert len(str(caught.value)) < 500

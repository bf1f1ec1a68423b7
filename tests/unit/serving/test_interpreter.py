"""What keeps the event loop moving: short turns for threads, and a garbage collector with little to look at."""

import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from sidecar_injector.config import compile as compilation
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.serving import interpreter
from tests.unit.serving.test_live import config

TEMPLATE = """\
{% macro greet(name) %}hello {{ name }}{% endmacro %}
spec:
  containers:
    - name: proxy
      image: example.org/proxy:1
      env:
{% for each in pod.spec.containers %}
        - {name: "N{{ loop.index }}", value: {{ greet(each.name) }}}
{% endfor %}
"""


@pytest.fixture
def collector_off() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def test_a_config_goes_with_its_last_reference_even_if_it_was_set_apart(collector_off: None) -> None:
    compiled = accept(config(1, TEMPLATE))
    template = weakref.ref(compiled.templates["t"].template)
    interpreter.settle()
    before = gc.get_freeze_count()
    assert template() is not None
    del compiled
    compilation._compile.cache_clear()
    assert template() is None
    assert before - gc.get_freeze_count() > 100


def test_nothing_of_a_config_that_is_served_no_more_is_left_to_the_collector(collector_off: None) -> None:
    compiled = accept(config(1, TEMPLATE))
    gc.collect()
    assert compiled.name
    del compiled
    compilation._compile.cache_clear()
    assert gc.collect() == 0


def test_threads_take_short_turns() -> None:
    before = sys.getswitchinterval()
    try:
        interpreter.take_short_turns()
        assert sys.getswitchinterval() == pytest.approx(interpreter.TURN_SECONDS)
    finally:
        sys.setswitchinterval(before)

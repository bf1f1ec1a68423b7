"""Ways out of Jinja's sandbox that were published, and their kin: each ends in an error, and nothing is executed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jinja2.debug  # noqa: F401 - Jinja imports it at the first syntax error
import pytest

from sidecar_injector.errors import TemplateError
from sidecar_injector.templating import compile_template
from tests.unit.templating.samples import CONTEXT

_POPEN = "__import__('os').popen('id').read()"
_MACRO = "{% macro m() %}{{ caller }}{% endmacro %}"
_SPACE = "{% set n = namespace(a=1) %}"

# what was published, or what it belongs to; template; what the message has to contain
ESCAPES: list[tuple[str, str, str]] = [
    # str.format and its relatives
    ("CVE-2016-10745", "a: {{ '{0.__class__.__base__.__subclasses__}'.format('') }}", "no method `format`"),
    ("CVE-2016-10745", "a: {{ '{a.__init__.__globals__}'.format(a=pod) }}", "no method `format`"),
    ("CVE-2016-10745", "a: {{ '{}'['format']('') }}", "text has no fields"),
    ("CVE-2019-10906", "a: {{ '{a.__class__}'.format_map({'a': 1}) }}", "no method `format_map`"),
    ("CVE-2019-10906", "a: {{ ('{a.__class__}'.format_map)({'a': 1}) }}", "no method `format_map`"),
    ("CVE-2019-10906", "{% set f = '{a.__class__}'.format_map %}a: {{ f({'a': 1}) }}", "is undefined"),
    ("CVE-2024-56326", "a: {{ ['{0.__class__}'.format] | map('call', '') | list }}", "there is no filter `call`"),
    ("CVE-2024-56326", "{% set f = '{0.__class__}'.format %}{% if f %}{% endif %}", "is undefined"),
    ("CVE-2024-56326", "{% macro m(f) %}{{ f('') }}{% endmacro %}a: {{ m('{0.__class__}'.format) }}", "is undefined"),
    (
        "CVE-2024-56326",
        _SPACE + "{% set n.f = '{0.__class__}'.format %}a: {{ n.f('') }}",
        "a namespace has no method `f`",
    ),
    ("CVE-2025-27516", "a: {{ '' | attr('format') }}", "there is no filter `attr`"),
    ("CVE-2025-27516", "a: {{ ('{0.__class__}' | attr('format'))('') }}", "there is no filter `attr`"),
    ("CVE-2025-27516", "a: {{ ['x'] | map('attr', 'format') | list }}", "there is no filter `attr`"),
    ("CVE-2025-27516", "a: {{ [''] | map(attribute='format') | first }}", "text has no fields"),
    ("format strings", "a: {{ '%(a)s' % {'a': 1} }}", "text is formatted with `%`"),
    ("format strings", "a: {{ '%(__class__)s' | format(pod) }}", "is no format"),
    ("format strings", "a: {{ '%c%r' | format(1, pod) }}", "is no format"),
    ("format strings", "a: {{ '%*d' | format(9) }}", "is no format"),
    ("format strings", "a: {{ '%s' | format(**{'a': 1}) }}", "unexpected keyword"),
    # names of templates and blocks that reach the generated code
    ("CVE-2024-56201", "{% block x %}{% endblock %}", "`block` is not supported"),
    ("CVE-2024-56201", "{% extends 'x' %}", "`extends` is not supported"),
    ("CVE-2024-56201", "{% import 'x' as y %}", "`import` is not supported"),
    ("CVE-2024-56201", '{% include "a\\nimport os" %}', "`include` is not supported"),
    ("CVE-2024-34064", "a: {{ {'a onclick=x': 1} | xmlattr }}", "there is no filter `xmlattr`"),
    ("CVE-2024-22195", "a: {{ {'a b': 1} | xmlattr }}", "there is no filter `xmlattr`"),
    ("CVE-2020-28493", "a: {{ 'a.' * 9 | urlize }}", "there is no filter `urlize`"),
    # Python's object model
    ("class walk", "a: {{ ''.__class__.__mro__[1].__subclasses__() }}", "text has no fields"),
    ("class walk", "a: {{ ()['__class__']['__base__'] }}", "a list has no fields"),
    ("class walk", "a: {{ {}.__class__.__bases__[0] }}", "is undefined"),
    ("class walk", "a: {{ [].__class__ }}", "a list has no fields"),
    ("class walk", "a: {{ 1.0.__class__ }}", "a number has no fields"),
    ("class walk", "a: {{ true.__class__ }}", "true or false has no fields"),
    ("class walk", "a: {{ none.__class__ }}", "null has no fields"),
    ("class walk", "a: {{ omit['__class__'] }}", "`omit` has no fields"),
    ("class walk", "a: {{ ''['__cla' ~ 'ss__'] }}", "text has no fields"),
    ("class walk", "a: {{ ''['__cla' 'ss__'] }}", "text has no fields"),
    ("class walk", "a: {{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}", "text has no fields"),
    ("class walk", "a: {{ ''[('ssalc' | reverse)] }}", "text has no fields"),
    ("class walk", "{% set u = '_' * 2 %}a: {{ ''[u ~ 'class' ~ u] }}", "text has no fields"),
    ("class walk", "{% set c %}__class__{% endset %}a: {{ ''[c] }}", "text has no fields"),
    ("class walk", "a: {{ [pod] | map(attribute='__class__.__init__') | list }}", "`__class__` is undefined"),
    ("class walk", "a: {{ [pod] | selectattr('__class__.x') | first }}", "list is empty"),
    ("class walk", "a: {{ [pod] | sum(attribute='__class__') }}", "`__class__` is undefined"),
    ("class walk", "a: {{ [''] | join(attribute='__class__') }}", "text has no fields"),
    ("class walk", "a: {{ [''] | unique(attribute='__doc__') }}", "text has no fields"),
    ("class walk", "a: {{ [''] | groupby('__class__') }}", "there is no filter `groupby`"),
    ("unicode names", "a: {{ ''.__ｃlass__ }}", "text has no fields"),
    ("unicode names", "a: {{ pod.ｇet('x', ''.__class__) }}", "a map has no method"),
    ("unicode names", "a: {{ ''['__ｃlass__'] }}", "text has no fields"),
    ("unicode names", "{% set ｓelf = 1 %}a: {{ self._TemplateReference__context }}", "`self` is not supported"),
    # functions and globals of Jinja
    ("globals", "a: {{ lipsum.__globals__['os'].popen('id').read() }}", "is undefined"),
    ("globals", "a: {{ lipsum() }}", "there is no function `lipsum`"),
    ("globals", "a: {{ cycler.__init__.__globals__.os }}", "is undefined"),
    ("globals", "a: {{ cycler('a').__init__ }}", "there is no function `cycler`"),
    ("globals", "a: {{ joiner(',').__call__ }}", "there is no function `joiner`"),
    ("globals", "a: {{ joiner.__init__.__globals__ }}", "is undefined"),
    ("globals", "a: {{ namespace.__init__.__globals__ }}", "is undefined"),
    ("globals", "a: {{ range.__self__ }}", "is undefined"),
    ("globals", "a: {{ dict.mro() }}", "is undefined"),
    ("globals", "a: {{ dict.fromkeys('ab') }}", "is undefined"),
    ("globals", "a: {{ fail.__globals__ }}", "is undefined"),
    ("globals", "a: {{ config.from_object }}", "is undefined"),
    ("globals", "a: {{ request.application.__globals__ }}", "is undefined"),
    ("globals", "a: {{ get_flashed_messages.__globals__ }}", "is undefined"),
    ("globals", "a: {{ url_for.__globals__ }}", "is undefined"),
    ("globals", "a: {{ g.pop }}", "is undefined"),
    ("globals", "a: {{ __builtins__ }}", "is undefined"),
    ("globals", f"a: {{{{ {_POPEN} }}}}", "there is no function `__import__`"),
    ("globals", "a: {{ open('/etc/passwd').read() }}", "there is no function `open`"),
    ("globals", "a: {{ eval('1') }}", "there is no function `eval`"),
    ("globals", "a: {{ resolve('os') }}{{ environment }}{{ context }}", "there is no function `resolve`"),
    ("globals", "a: {{ environment.from_string('x') }}", "is undefined"),
    ("globals", "a: {{ missing }}", "is undefined"),
    ("globals", "a: {{ undefined(name='x') }}", "there is no function `undefined`"),
    # objects of the running template
    ("internals", "a: {{ self }}", "`self` is not supported"),
    ("internals", "a: {{ self.__init__.__globals__ }}", "`self` is not supported"),
    ("internals", "a: {{ self._TemplateReference__context.environment }}", "`self` is not supported"),
    ("internals", "a: {{ super() }}", "there is no function `super`"),
    ("internals", _MACRO + "a: {{ m.__globals__ }}", "a macro has no fields"),
    ("internals", _MACRO + "a: {{ m._func }}", "a macro has no fields"),
    ("internals", _MACRO + "a: {{ m['_environment'] }}", "a macro has no fields"),
    ("internals", _MACRO + "a: {{ m }}", "a macro cannot be used as a value"),
    ("internals", "{% macro m() %}{{ caller._environment }}{% endmacro %}{% call m() %}{% endcall %}", "has no fields"),
    ("internals", "{% macro m() %}{{ caller.__class__ }}{% endmacro %}{% call m() %}{% endcall %}", "has no fields"),
    ("internals", "{% macro m() %}{{ varargs.__class__ }}{% endmacro %}{{ m(1) }}", "has no fields"),
    ("internals", "{% macro m() %}{{ kwargs.__class__ }}{% endmacro %}{{ m(a=1) }}", "is undefined"),
    ("internals", "{% for x in [1] %}{{ loop._iterable }}{% endfor %}", "`loop` has no fields"),
    ("internals", "{% for x in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}", "`loop` has no fields"),
    ("internals", "{% for x in [1] %}{{ loop['_recurse'] }}{% endfor %}", "`loop` has no fields"),
    ("internals", "{% for x in [1] %}{{ loop.cycle.__self__ }}{% endfor %}", "`loop` has no fields"),
    ("internals", "{% for x in [1] recursive %}{{ loop.__call__([2]) }}{% endfor %}", "has no method `__call__`"),
    ("internals", _SPACE + "a: {{ n.__init__ }}", "a namespace has no fields"),
    ("internals", _SPACE + "a: {{ n._Namespace__attrs }}", "a namespace has no fields"),
    ("internals", _SPACE + "{% set n.__class__ = 1 %}a: {{ n.__class__ }}", "a namespace has no fields"),
    ("internals", "{% set n = namespace(__class__=1) %}a: {{ n.__class__ }}", "a namespace has no fields"),
    ("internals", "{% set n = namespace(**{'__init__': 1}) %}a: {{ n['__init__'] }}", "a namespace has no fields"),
    ("internals", "{% set pod.spec = 1 %}", "namespace() %}"),
    ("internals", "a: {{ nope.__class__.__init__ }}", "is undefined"),
    ("internals", "a: {{ nope._undefined_exception }}", "is undefined"),
    ("internals", "a: {{ nope._fail_with_undefined_error() }}", "is undefined"),
    # generators, coroutines, frames, tracebacks
    ("frames", "a: {{ (x for x in []).gi_frame }}", "stands where"),
    ("frames", "a: {{ ([1] | map('upper')).gi_frame.f_back }}", "a list has no fields"),
    ("frames", "a: {{ ([1] | select('odd')).gi_frame }}", "a list has no fields"),
    ("frames", "a: {{ pod.items().gi_code }}", "a list has no fields"),
    ("frames", "a: {{ (1 // 0).__traceback__ }}", "divided by zero"),
    ("frames", "a: {{ lambda: 1 }}", "`:` cannot follow"),
    ("frames", "a: {{ [x for x in pod] }}", "stands where"),
    ("frames", "{% for x in [1] | async %}{% endfor %}", "there is no filter `async`"),
    ("frames", "a: {{ await(1) }}", "there is no function `await`"),
    ("frames", "a: {{ (x := 1) }}", "stands where"),
    # extensions
    ("extensions", "{% do pod.update({}) %}", "there is no statement `do`"),
    ("extensions", "{% debug %}", "there is no statement `debug`"),
    ("extensions", "{% trans %}x{% endtrans %}", "there is no statement `trans`"),
    ("extensions", "{% break %}", "there is no statement `break`"),
    ("extensions", "{% autoescape false %}{% endautoescape %}", "`autoescape` is not supported"),
    ("extensions", "{% python import os %}", "there is no statement `python`"),
    ("extensions", "a: {{ _('x') }}", "there is no function `_`"),
    ("extensions", "a: {{ gettext('x') }}", "there is no function `gettext`"),
    # filters and tests that call, or that reach attributes
    ("filters", "a: {{ [1] | map('__class__') | list }}", "there is no filter `__class__`"),
    ("filters", "a: {{ [1] | map('FILTERS.get') | list }}", "there is no filter"),
    ("filters", "a: {{ [1] | map(' method', 'upper') | list }}", "there is no filter ` method`"),
    ("filters", "a: {{ ['x'] | map(' function') | list }}", "there is no filter ` function`"),
    ("filters", "a: {{ [1] | select('callable') | list }}", "there is no test `callable`"),
    ("filters", "a: {{ 1 is callable }}", "there is no test `callable`"),
    ("filters", "a: {{ 1 is sameas 1 }}", "there is no test `sameas`"),
    ("filters", "a: {{ 'upper' is filter }}", "there is no test `filter`"),
    ("filters", "a: {{ 'x' | safe }}", "there is no filter `safe`"),
    ("filters", "a: {{ 'x' | e }}", "there is no filter `e`"),
    ("filters", "a: {{ pod | pprint }}", "there is no filter `pprint`"),
    ("filters", "a: {{ pod | tojson(default=range) }}", "unexpected keyword"),
    ("filters", "a: {{ '[1]' | from_json(object_hook=dict) }}", "unexpected keyword"),
    ("filters", "a: {{ pod | urlencode | forceescape }}", "there is no filter"),
    ("filters", "{% filter attr('__class__') %}x{% endfilter %}", "there is no filter `attr`"),
    ("filters", "{% set x | attr('__class__') %}x{% endset %}", "there is no filter `attr`"),
    ("filters", "{% call ''.join([]) %}{% endcall %}", "calls something that is no macro"),
    ("filters", "{% call fail('x') %}{% endcall %}", "calls something that is no macro"),
    # YAML that makes objects
    ("YAML", "a: !!python/object/apply:os.system ['id']", "python/object/apply:os.system cannot be used"),
    ("YAML", "a: !!python/name:os.system x", "cannot be used here"),
    ("YAML", "a: {{ '!!python/object/apply:os.system [id]' | from_yaml }}", "cannot be used here"),
    ("YAML", "a: {{ '!!python/object/new:type [x]' | from_yaml }}", "cannot be used here"),
    ("YAML", "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.system [id]", "directives are not supported"),
    ("YAML", "a: !!binary aGk=", "cannot be used here"),
    ("YAML", "a: !!timestamp 2026-01-01", "cannot be used here"),
]

_ORDINARY = frozenset(("compile", "exec", "object.__getattr__", "sys._getframe", "builtins.id", "code.__new__"))
"""What compiling a template and running it takes; everything else would be an escape's doing."""
_watched: list[str] | None = None


def _note(event: str, _: tuple[Any, ...]) -> None:
    if _watched is not None and event not in _ORDINARY:
        _watched.append(event)


@pytest.fixture(scope="module", autouse=True)
def _hook() -> None:
    """Listen from now on: a hook cannot be taken away again, so it does nothing unless somebody listens."""
    sys.addaudithook(_note)


@contextmanager
def audited() -> Iterator[list[str]]:
    """Collect what Python reports of imports, files, processes, sockets and the like."""
    global _watched
    _watched = events = []
    try:
        yield events
    finally:
        _watched = None


@pytest.mark.parametrize(
    ("template", "phrase"),
    [case[1:] for case in ESCAPES],
    ids=[f"{number}-{name}" for number, (name, *_) in enumerate(ESCAPES)],
)
def test_a_published_escape_ends_in_an_error_and_executes_nothing(template: str, phrase: str) -> None:
    compile_template("warm/up", "a: {{ pod | to_json | from_json }}").render(CONTEXT)
    with audited() as events, pytest.raises(TemplateError) as caught:
        compile_template("config/template", template).render(CONTEXT)
    assert phrase in str(caught.value)
    assert caught.value.place.line >= 1
    assert events == []


def test_the_audit_would_notice() -> None:
    with audited() as events, open("/dev/null", encoding="ascii"):
        pass
    assert "open" in events

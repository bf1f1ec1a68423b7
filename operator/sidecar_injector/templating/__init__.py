"""Templates render data, not text: Jinja2 whose printed values never become YAML syntax.

    source ──compile──► program ──run(context)──► shape + values ──plan──► data

A template is Jinja2 that prints the YAML of a partial Pod. Each printed value is kept in a slot and only a marker is
printed; the text with markers is the *shape*, which depends on control flow only. A shape is parsed as YAML once, into
a plan, and from then on filled with values. So a value keeps its type, can hold any character, and is never parsed.

In reading order:

    template     compile_template, Template.render, Rendered: the path of one rendering
    limits       what a template may cost
    markers      the words that stand for values
    program      source to code, code to shape, failures to errors with a place
    steady       variables that most contexts have in common
    specialised  what is left of a program when these are known
    places       from rendered text back to lines of the template
    language/    the template language: sandbox, operations, filters, tests, functions, methods
    shapes/      plans of shapes, data as it fits, and what leads back to template lines
    yaml12/      YAML 1.2 in and out, also for files given to the command line
    failures     problems before their place is known
    reference    writes docs/reference/templates.md
"""

from sidecar_injector.templating.language.values import OMIT
from sidecar_injector.templating.limits import Delimiters, Limits
from sidecar_injector.templating.shapes.fitted import ANYTHING, Convert, Spot, Unfit
from sidecar_injector.templating.steady import Steady, steady_between
from sidecar_injector.templating.template import Rendered, Template, compile_template
from sidecar_injector.templating.yaml12.documents import Document, load_all_yaml, load_yaml
from sidecar_injector.templating.yaml12.dump import dump_yaml

__all__ = [
    "ANYTHING",
    "OMIT",
    "Convert",
    "Delimiters",
    "Document",
    "Limits",
    "Rendered",
    "Spot",
    "Steady",
    "Template",
    "Unfit",
    "compile_template",
    "dump_yaml",
    "load_all_yaml",
    "load_yaml",
    "steady_between",
]

"""Everything that this project raises on purpose.

    SidecarInjectorError
    ├── ConfigError              a SidecarInjectorConfig is wrong; carries every problem found, with field paths
    ├── UnknownTemplateError     a name is neither a template nor an alias of the config; carries those that are
    ├── TemplateError            a template is wrong; carries template, line, column and excerpt
    │   ├── TemplateSyntaxError      it does not compile
    │   ├── TemplateRenderError      it compiles, but fails on some input, or yields something that is no partial Pod
    │   ├── TemplateLimitError       it takes more steps, memory or output than is allowed
    │   └── TemplateRefusal          the template itself refuses this input: `fail(…)` or `required(…)` in it
    ├── InjectionError           this Pod cannot be injected; carries the reason code
    │   ├── MergeError               an overlay does not fit the Pod; names the path
    │   ├── GuardrailError           the injection would give the Pod what its config is not allowed to give
    │   └── PodRejected              this Pod must be refused, whatever the failurePolicy
    ├── ReviewError              the AdmissionReview is malformed: the caller's fault, answered with a 4xx
    ├── InputFileError           a file given to the command line is wrong; names file, document and field
    ├── SettingsError            a flag or environment variable is wrong; names it
    ├── CertificateError         a certificate or key cannot be used
    └── ClusterError             the API server refused or did not answer

A message names the object, the field path, what was found and what is allowed. Nothing outside this tree is raised
deliberately; whatever else escapes is a defect and is treated as one (`Reason.INTERNAL_ERROR`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sidecar_injector.names import Reason


class SidecarInjectorError(Exception):
    """Root of the tree."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an object: the field's path, such as `spec.templates[0].name`, and what is wrong."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class ConfigError(SidecarInjectorError):
    """A SidecarInjectorConfig that cannot be accepted, with every problem that was found."""

    def __init__(self, config: str, problems: Sequence[Problem]) -> None:
        self.config = config
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


_NAMES_SHOWN = 256
"""Characters: an annotation may be a thousand times as long, and the message goes to a user and into a log."""


class UnknownTemplateError(SidecarInjectorError):
    """Names that are neither templates nor aliases of a config; `known` are those that are."""

    def __init__(self, names: Sequence[str], known: Sequence[str]) -> None:
        self.names = tuple(names)
        self.known = tuple(known)
        asked = ", ".join(names)
        shown = asked if len(asked) <= _NAMES_SHOWN else f"{asked[:_NAMES_SHOWN]}…"
        super().__init__(f"no template or alias is named {shown}; there are: {', '.join(known)}")


_EXCERPT_WIDTH = 160


@dataclass(frozen=True)
class Place:
    """A position in a template: 1-based line and column (0: the column is not known), and the line's text."""

    template: str
    line: int
    column: int = 0
    text: str = ""

    def __str__(self) -> str:
        return f"{self.template}:{self.line}" + (f":{self.column}" if self.column else "")

    def excerpt(self) -> str:
        """Return the line, or of a long one what is around the column, with a caret under the column.

        It is empty if the line's text is not known.
        """
        if not self.text:
            return ""
        gutter = f"{self.line:>5} | "
        start = max(0, self.column - _EXCERPT_WIDTH // 2) if len(self.text) > _EXCERPT_WIDTH else 0
        shown = ("…" if start else "") + self.text[start : start + _EXCERPT_WIDTH]
        ellipsis = "…" if start + _EXCERPT_WIDTH < len(self.text) else ""
        if not self.column:
            return f"{gutter}{shown}{ellipsis}"
        before = shown[: self.column - 1 - start + bool(start)]
        indent = "".join("\t" if character == "\t" else " " for character in before)
        return f"{gutter}{shown}{ellipsis}\n{' ' * (len(gutter) - 2)}| {indent}^"


class TemplateError(SidecarInjectorError):
    """A template that does not compile or render; `str()` gives place, problem, excerpt and remedy on several lines."""

    def __init__(self, place: Place, problem: str, remedy: str = "") -> None:
        self.place = place
        self.problem = problem
        self.remedy = remedy
        lines = [f"{place}: {problem}", place.excerpt(), remedy]
        super().__init__("\n".join(line for line in lines if line))


class TemplateSyntaxError(TemplateError):
    """The template does not compile."""


class TemplateRenderError(TemplateError):
    """The template fails on some input, or what it yields is no partial Pod."""


class TemplateLimitError(TemplateError):
    """The template takes more steps, memory, nesting or output than is allowed."""


class TemplateRefusal(TemplateError):  # noqa: N818 - it is no error of the template
    """The template's author refuses this Pod, by `fail(message)` or `required(value, message)`."""


class InjectionError(SidecarInjectorError):
    """A Pod that cannot be injected; the config's failurePolicy decides what becomes of it."""

    reason = Reason.INTERNAL_ERROR


class MergeError(InjectionError):
    """An overlay that does not fit the Pod; `path` is the field, such as `spec.containers[app].env`."""

    reason = Reason.MERGE_ERROR

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path}: {problem}")


class GuardrailError(InjectionError):
    """An injection that would give a Pod more than its config may; `needed` are the guardrails in the way."""

    reason = Reason.GUARDRAIL_BREACHED

    def __init__(self, message: str, needed: Sequence[str]) -> None:
        self.needed = tuple(needed)
        super().__init__(message)


class PodRejected(InjectionError):  # noqa: N818 - it is no error of the injector
    """A Pod that must be refused on its own account, whatever the failurePolicy.

    of_namespace -- on that of its Namespace, rather: the Pod's author cannot help it
    """

    def __init__(self, reason: Reason, message: str, *, of_namespace: bool = False) -> None:
        self.reason = reason
        self.of_namespace = of_namespace
        super().__init__(message)


class ReviewError(SidecarInjectorError):
    """A malformed AdmissionReview; `status` is the HTTP status of the answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


class InputFileError(SidecarInjectorError):
    """A file given to the command line that cannot be used."""

    def __init__(self, file: str, message: str, document: int | None = None) -> None:
        self.file = file
        self.document = document
        where = file if document is None else f"{file}: document {document}"
        super().__init__(f"{where}: {message}")


class SettingsError(SidecarInjectorError):
    """A flag or an environment variable of the operator that cannot be used."""


class CertificateError(SidecarInjectorError):
    """A certificate or private key that is broken, expired, or does not fit its counterpart."""


class ClusterError(SidecarInjectorError):
    """The API server refused a request or did not answer; `status` is its HTTP status, 0 without an answer.

    `fields` are pairs of a field's path and what is wrong with it, where the API server says so.
    """

    def __init__(self, message: str, status: int = 0, fields: Sequence[tuple[str, str]] = ()) -> None:
        self.status = status
        self.fields = tuple(fields)
        super().__init__(message)

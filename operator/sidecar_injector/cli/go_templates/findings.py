"""What keeps a Go template from being translated: said where it is noticed, collected for the user."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One construct: its 1-based line in the Go template, what it is, and what to write in its place."""

    line: int
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.problem}; {self.remedy}"


class Refused(Exception):  # noqa: N818 - it becomes a finding, and never leaves this package
    """A construct that has no exact translation. The line is 0 until it is known."""

    def __init__(self, problem: str, remedy: str, line: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.line = line

    def at(self, line: int) -> Finding:
        """Return the finding; the line is used unless the refusal has its own."""
        return Finding(self.line or line, self.problem, self.remedy)


class Untranslatable(Exception):  # noqa: N818 - it is the template's property, no error
    """A template that is not translated, with everything that stands in the way, by line."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = tuple(sorted(set(findings)))
        super().__init__("\n".join(str(finding) for finding in self.findings))

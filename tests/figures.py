"""Figures that tests have measured, printed at the end of a run."""

from typing import Protocol

import pytest

FIGURES = pytest.StashKey[list[str]]()


class Figures(Protocol):
    """Takes what a test has measured; it is printed at the end of the run."""

    def __call__(self, **measured: object) -> None: ...


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """What a test reports its figures to."""
    lines = request.config.stash.setdefault(FIGURES, [])

    def report(**measured: object) -> None:
        lines.append(f"{request.node.name}")
        lines.extend(f"    {name.replace('_', ' ')}: {_shown(value)}" for name, value in measured.items())

    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(FIGURES, [])
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.write_line(line)


def _shown(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)

"""The demo's output: plain where it is read by a program, modest colour on a terminal."""

import io

import pytest

from demo.narrator import WIDTH, Narrator


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO) -> str:
    narrator = Narrator(stream)
    narrator.chapter("Begin")
    narrator.command("kubectl", "get", "sic", "-o", "jsonpath={.a b}", pipe=" | wc")
    narrator.output("one\ntwo\nthree\n", keep=1)
    narrator.table(("A", "B"), [("long\ncell", "x"), ("y", "z")])
    narrator.proved("it works")
    return stream.getvalue()


def test_without_a_terminal_the_output_is_plain_text() -> None:
    assert told(io.StringIO()).splitlines() == [
        "",
        "1. Begin",
        "   $ kubectl get sic -o 'jsonpath={.a b}' | wc",
        "    … 2 lines",
        "    three",
        "    A     B",
        "    long  x",
        "    cell",
        "    y     z",
        "   ok it works",
    ]


def test_on_a_terminal_there_is_colour_unless_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32mok\x1b[0m" in told(Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert told(Terminal()) == told(io.StringIO())


def test_long_lines_are_cut_visibly() -> None:
    stream = io.StringIO()
    Narrator(stream).output("x" * 300)
    assert stream.getvalue() == f"    {'x' * WIDTH} …\n"

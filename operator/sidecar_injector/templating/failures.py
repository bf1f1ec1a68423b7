"""What goes wrong inside a template, before its place is known: `program` turns it into a TemplateError."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

_MOST_CANDIDATES = 300
_LONGEST_CANDIDATE = 80
_LONGEST_PROBLEM = 2000


class Failure(Exception):  # noqa: N818 - a problem, not yet an error of ours
    """A problem in the user's words, with a remedy; `line` is set only where the traceback cannot tell it."""

    def __init__(self, problem: str, remedy: str = "", line: int = 0) -> None:
        if len(problem) > _LONGEST_PROBLEM:  # it may quote values
            problem = f"{problem[:_LONGEST_PROBLEM]}…"
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.line = line


class LimitReached(Failure):
    """The template takes more than it may."""


class Refused(Failure):
    """The template refuses its input, with a message of its author's."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "this message comes from the template")


def did_you_mean(name: str, known: Iterable[object], most: int = 1) -> str:
    """Return ` (did you mean …?)` with up to `most` known names that are close to this one, or nothing.

    Only a bounded number of candidates is looked at: they may come from a Pod.
    """
    words = [word for word in islice(known, _MOST_CANDIDATES) if isinstance(word, str)]
    short = [word for word in words if len(word) <= _LONGEST_CANDIDATE]
    close = get_close_matches(name[:_LONGEST_CANDIDATE], short, n=most)
    return f" (did you mean {' or '.join(f'`{word}`' for word in close)}?)" if close else ""

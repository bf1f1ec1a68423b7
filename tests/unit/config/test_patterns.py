"""Patterns agree with Python's own engine, and take linear time where that one takes for ever."""

import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar_injector.config.pattern_syntax import PatternError
from sidecar_injector.config.patterns import MOST_POSITIONS, Pattern

LETTERS = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", "[a-c]", "[-a]", "[a-]", r"\d", r"\w", r"\W", r"\s", r"\.", r"[\d_]", r"\-", "é"]
)
TIMES = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "{0,}"])
PATTERNS = st.recursive(
    LETTERS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda both: f"({both[0]}|{both[1]})"),
        st.tuples(inner, TIMES).map(lambda both: f"(?:{both[0]}){both[1]}"),
    ),
    max_leaves=8,
)
TEXTS = st.text(st.sampled_from("abc.1_-\n é"), max_size=8)


@given(PATTERNS, st.booleans(), TEXTS)
def test_a_pattern_is_about_the_whole_text_as_python_has_it(pattern: str, anchored: bool, text: str) -> None:
    written = f"^{pattern}$" if anchored else pattern
    assert Pattern(written).matches(text) == bool(re.fullmatch(pattern, text, re.ASCII))


@given(PATTERNS)
def test_the_shortest_text_matches_and_none_is_shorter(pattern: str) -> None:
    compiled = Pattern(pattern)
    shortest = compiled.shortest()
    if shortest is None:
        return
    assert re.fullmatch(pattern, shortest, re.ASCII)
    assert not shortest or not compiled.matches(shortest[:-1])


def test_a_pattern_may_allow_nothing_at_all() -> None:
    assert Pattern(r"a[^\w\W]").shortest() is None


RANDOM = random.Random(5)
HANZI = "".join(chr(RANDOM.randrange(0x4E00, 0x9FFF)) for _ in range(1024))
COSTLY = [
    ("(a|a)*b", "a" * 1024),
    ("(a*)*b", "a" * 1024),
    ("((a?){22}){22}b", "a" * 1024),
    ("(.?){511}z", HANZI),
    (".*[ab].{508}", "".join(RANDOM.choice("abcd") for _ in range(1024))),
    ("(" + "|".join(f"[^{chr(0x4E00 + i)}]" for i in range(48)) + ")*", HANZI),
    ("([a-z]+.?)*([0-9]+.?)*(.*x){30}", "x1" * 512),
]


@pytest.mark.parametrize(("pattern", "text"), COSTLY, ids=[pattern[:20] for pattern, _ in COSTLY])
def test_no_pattern_takes_more_than_100_ms_of_cpu_for_the_longest_text(pattern: str, text: str) -> None:
    started = time.process_time()
    Pattern(pattern).matches(text)
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("a{1000}", f"has more than {MOST_POSITIONS} letters and classes"),
        ("(((((a{1000}){1000}){1000}){1000}){1000}){1000}", f"has more than {MOST_POSITIONS}"),
        ("((((){1000}){1000}){1000}){1000}", f"has more than {MOST_POSITIONS}"),
        ("a" * 257, "has 257 characters; at most 256"),
        ("(" * 17 + ")" * 17, "at most 16 groups"),
        ("a**", "a repetition is repeated"),
        ("a{1,", "a repetition is {m}, {m,} or {m,n}"),
        ("a{2,1}", "is no range of at most 1000 times"),
        ("*a", r"'*' has no meaning here; \* is the sign itself"),
        ("(a", "')' is missing"),
        ("a)", "')' closes nothing"),
        ("[a", "']' is missing"),
        ("[]", "a class is empty"),
        ("[[:alpha:]]", r"'[' within a class is written \["),
        ("[z-a]", "a range within a class goes from a character to a later one"),
        ("(?=a)", "there is (?:…) alone"),
        ("(?P<x>a)", "there is (?:…) alone"),
        (r"(a)\1", "may follow a backslash"),
        (r"\bx", "may follow a backslash"),
        ("a\\", "may follow a backslash"),
        ("a$b", "'$' stands before the end"),
        ("a^b", "'^' stands behind the start"),
        ("^a|b$", "put the alternatives in parentheses: ^(a|b)$"),
    ],
)
def test_what_is_no_pattern_is_refused_with_a_reason(pattern: str, message: str) -> None:
    started = time.process_time()
    with pytest.raises(PatternError) as caught:
        Pattern(pattern)
    assert message in str(caught.value)
    assert time.process_time() - started < 0.1

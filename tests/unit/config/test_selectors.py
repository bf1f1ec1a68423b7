"""LabelSelector: matching, and the way back to the API's form."""

import pytest

from sidecar_injector.config.selectors import LabelSelector, Operator, Requirement

WEB = {"app": "web", "tier": ""}


def selector(key: str, operator: Operator, *values: str) -> LabelSelector:
    return LabelSelector(match_expressions=(Requirement(key, operator, values),))


@pytest.mark.parametrize(
    ("given", "labels", "expected"),
    [
        (LabelSelector(), {}, True),
        (LabelSelector((("app", "web"),)), WEB, True),
        (LabelSelector((("app", "db"),)), WEB, False),
        (LabelSelector((("tier", ""),)), WEB, True),
        (LabelSelector((("tier", ""),)), {}, False),
        (selector("app", Operator.IN, "db", "web"), WEB, True),
        (selector("app", Operator.IN, "db"), WEB, False),
        (selector("other", Operator.IN, "db"), WEB, False),
        (selector("app", Operator.NOT_IN, "web"), WEB, False),
        (selector("app", Operator.NOT_IN, "db"), WEB, True),
        (selector("other", Operator.NOT_IN, "db"), WEB, True),
        (selector("tier", Operator.EXISTS), WEB, True),
        (selector("other", Operator.EXISTS), WEB, False),
        (selector("other", Operator.DOES_NOT_EXIST), WEB, True),
        (selector("tier", Operator.DOES_NOT_EXIST), WEB, False),
        (LabelSelector((("app", "web"),), (Requirement("tier", Operator.DOES_NOT_EXIST),)), WEB, False),
    ],
)
def test_labels_match_as_the_api_server_matches_them(
    given: LabelSelector, labels: dict[str, str], expected: bool
) -> None:
    assert given.matches(labels) is expected


def test_only_a_selector_that_says_nothing_is_empty() -> None:
    assert LabelSelector().empty
    assert not selector("a", Operator.EXISTS).empty
    assert not LabelSelector((("a", ""),)).empty


def test_a_selector_goes_back_to_the_form_of_the_api_without_empty_members() -> None:
    assert LabelSelector().to_dict() == {}
    both = LabelSelector((("a", "b"),), (Requirement("c", Operator.EXISTS), Requirement("d", Operator.IN, ("e",))))
    assert both.to_dict() == {
        "matchLabels": {"a": "b"},
        "matchExpressions": [
            {"key": "c", "operator": "Exists"},
            {"key": "d", "operator": "In", "values": ["e"]},
        ],
    }


def test_a_selector_can_be_narrowed_and_keeps_what_it_says() -> None:
    given = LabelSelector((("a", "b"),), (Requirement("c", Operator.EXISTS),))
    narrowed = given.narrowed(Requirement("d", Operator.DOES_NOT_EXIST), Requirement("a", Operator.IN, ("b", "c")))
    assert narrowed.matches({"a": "b", "c": ""})
    for labels in ({"a": "b", "c": "", "d": ""}, {"a": "c", "c": ""}, {"a": "b"}):
        assert not narrowed.matches(labels)
    assert given.narrowed() == given


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (LabelSelector(), ""),
        (LabelSelector((("a", "b"), ("c", ""))), "a=b,c="),
        (selector("a", Operator.IN, "b", "c"), "a in (b,c)"),
        (selector("a", Operator.NOT_IN, "b"), "a notin (b)"),
        (selector("a", Operator.EXISTS), "a"),
        (LabelSelector((("a", "b"),), (Requirement("c", Operator.DOES_NOT_EXIST),)), "a=b,!c"),
    ],
)
def test_a_selector_is_shown_as_kubectl_takes_it(given: LabelSelector, text: str) -> None:
    assert str(given) == text

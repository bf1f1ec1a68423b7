"""What is taken out of a review before it is read, and put back into the answer."""

import pytest

from sidecar_injector.serving.anonymous import NOBODYS, anonymous, restored

NAME = b"kube-api-access-x2b4z"
OTHER = b"kube-api-access-x2b4w"


@pytest.mark.parametrize("body", [b'{"name":"%s"}', b'{"name":"%s","mounts":["%s"]}', b'{"a":"\\u003c %s"}'])
def test_the_volume_gets_another_name_wherever_it_is_named_and_its_own_back(body: bytes) -> None:
    given = body.replace(b"%s", NAME)
    changed, name = anonymous(given)
    assert changed == body.replace(b"%s", NOBODYS)
    assert name == NAME
    assert restored(changed, name) == given


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"name":"kube-api-access-"}',
        b'{"name":"kube-api-access-mine"}',
        b'{"name":"kube-api-access-aeiou"}',  # no vowels are drawn
        NAME + OTHER,
        NAME + NOBODYS,
        NAME + b"kube-api-access-",
        NAME + b' "kube\\u002dapi-access-x2b4z"',
        NAME + b' "kube-api-access-\\u0078"',
        NAME + b' "kube-api-access-\\u0032"',
        NOBODYS,
    ],
)
def test_a_review_in_which_that_could_mean_something_else_stays_as_it_is(body: bytes) -> None:
    assert anonymous(body) == (body, b"")
    assert restored(body, b"") == body

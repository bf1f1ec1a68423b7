"""Which configs are judged, and which are known already."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from sidecar_injector.config import CompiledConfig
from sidecar_injector.errors import ConfigError, Problem
from sidecar_injector.serving import judging
from sidecar_injector.serving.judging import KNOWN_SECONDS, MOST_KNOWN, Judge
from tests.unit.serving.test_live import BROKEN, GOOD, config, image, no_objection

Judged = list[str]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Judged:
    """The templates that were judged, in order."""
    found: Judged = []
    accept = judging.accept

    def counting(resource: Any) -> CompiledConfig:
        found.append(resource["spec"]["templates"][0]["template"])
        return accept(resource)

    monkeypatch.setattr(judging, "accept", counting)
    return found


def run(scenario: Callable[[Judge], Awaitable[Any]], check: judging.Check = no_objection) -> Any:
    async def play() -> Any:
        return await scenario(Judge(check))

    return asyncio.run(play())


def test_what_was_good_for_review_is_known_when_it_is_there_under_its_own_identity(judged: Judged) -> None:
    async def scenario(judge: Judge) -> CompiledConfig:
        reviewed = config(1)
        del reviewed["metadata"]["uid"], reviewed["metadata"]["generation"]
        assert (await judge.for_review(reviewed)).config.uid == ""
        return await judge.for_service(config(7, uid="mine"))

    found = run(scenario)
    assert judged == [GOOD]
    assert (found.config.name, found.config.uid, found.config.generation) == ("mesh", "mine", 7)


@pytest.mark.parametrize(
    "other",
    [config(1, image(2)), config(1, name="other"), {**config(1), "spec": {**config(1)["spec"], "revision": "r"}}],
    ids=["another template", "another name", "another field"],
)
def test_another_config_is_judged(judged: Judged, other: Any) -> None:
    async def scenario(judge: Judge) -> None:
        await judge.for_review(config(1))
        await judge.for_service(other)

    run(scenario)
    assert len(judged) == 2


def test_a_broken_config_is_judged_each_time_and_says_why(judged: Judged) -> None:
    async def scenario(judge: Judge) -> None:
        for ask in (judge.for_review, judge.for_service):
            with pytest.raises(ConfigError, match="nothing"):
                await ask(config(1, BROKEN))

    run(scenario)
    assert judged == [BROKEN, BROKEN]


def test_what_the_api_server_objects_to_is_not_known_to_be_good(judged: Judged) -> None:
    async def objection(_: CompiledConfig) -> Sequence[Problem]:
        return (Problem("spec", "no"),)

    async def scenario(judge: Judge) -> None:
        for ask in (judge.for_review, judge.for_service):
            with pytest.raises(ConfigError, match="no"):
                await ask(config(1))

    run(scenario, objection)
    assert len(judged) == 2


def test_it_is_known_for_a_while_only(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(judge: Judge) -> None:
        await judge.for_review(config(1))
        now = judging.monotonic() + KNOWN_SECONDS
        monkeypatch.setattr(judging, "monotonic", lambda: now)
        await judge.for_service(config(1))

    run(scenario)
    assert len(judged) == 2


def test_only_the_last_few_are_known(judged: Judged) -> None:
    async def scenario(judge: Judge) -> None:
        for version in range(MOST_KNOWN + 1):
            await judge.for_review(config(1, image(version)))
        await judge.for_service(config(1, image(MOST_KNOWN)))
        assert len(judged) == MOST_KNOWN + 1
        await judge.for_service(config(1, image(0)))

    run(scenario)
    assert len(judged) == MOST_KNOWN + 2


@pytest.mark.parametrize(
    "metadata",
    [None, [], {}, {"name": 1}, {"name": "mesh", "uid": ["u"]}, {"name": "mesh", "generation": [1]}],
)
def test_what_is_no_config_is_refused_in_the_same_words_as_ever(metadata: object) -> None:
    async def scenario(judge: Judge) -> None:
        await judge.for_review(config(1))
        with pytest.raises(ConfigError, match="metadata"):
            await judge.for_review({**config(1), "metadata": metadata})

    run(scenario)

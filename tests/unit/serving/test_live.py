"""Reports about configs, in any order, and what is being served after them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from sidecar_injector import names
from sidecar_injector.cluster.api import Listing
from sidecar_injector.config import CompiledConfig
from sidecar_injector.errors import Problem
from sidecar_injector.serving import judging as module
from sidecar_injector.serving.live import Live
from sidecar_injector.serving.metrics import Metrics

GOOD, BROKEN = "spec: {containers: [{name: proxy, image: example.org/proxy:1}]}", "spec: {{ nothing }}"


def config(version: int, template: str = GOOD, *, name: str = "mesh", generation: int = 0, uid: str = "u") -> Any:
    metadata = {"name": name, "uid": uid, "resourceVersion": str(version), "generation": generation or version}
    spec = {"profile": "Generic", "templates": [{"name": "t", "template": template}]}
    return {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": metadata, "spec": spec}


def image(version: int) -> str:
    """Return a template that is good, and another one for each version."""
    return GOOD.replace(":1}", f":{version}}}")


async def no_objection(_: CompiledConfig) -> Sequence[Problem]:
    return ()


def run(scenario: Callable[[Live], Awaitable[None]]) -> Live:
    async def play() -> Live:
        live = Live(Metrics(), no_objection)
        await scenario(live)
        return live

    return asyncio.run(play())


def served(live: Live) -> int | None:
    compiled = live.snapshot.compiled("mesh")
    return compiled.config.generation if compiled else None


def test_a_good_config_is_served() -> None:
    async def scenario(live: Live) -> None:
        flags.extend([live.changes.subscribe(), live.changes.subscribe()])
        await live.offer(config(1))

    flags: list[asyncio.Event] = []
    assert served(run(scenario)) == 1
    assert all(flag.is_set() for flag in flags)


def test_a_broken_edit_keeps_the_last_good_version() -> None:
    async def scenario(live: Live) -> None:
        await live.offer(config(1))
        await live.offer(config(2, BROKEN))

    live = run(scenario)
    assert served(live) == 1
    entry = live.snapshot.entries["mesh"]
    assert entry.generation == 2
    assert "nothing" in entry.problems[0].message


def test_a_config_that_was_broken_from_the_start_is_known_but_not_served() -> None:
    live = run(lambda live: live.offer(config(1, BROKEN)))
    assert served(live) is None
    assert live.snapshot.knows("mesh")


def test_an_older_report_changes_nothing() -> None:
    async def scenario(live: Live) -> None:
        await live.offer(config(5))
        await live.offer(config(4))
        live.remove(config(3))

    assert served(run(scenario)) == 5


def test_reports_that_come_while_one_is_judged_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []

    def accept(resource: Any) -> CompiledConfig:
        judged.append(resource["metadata"]["generation"])
        return module_accept(resource)

    module_accept = module.accept
    monkeypatch.setattr(module, "accept", accept)

    async def scenario(live: Live) -> None:
        await asyncio.gather(*(live.offer(config(version, image(version))) for version in range(1, 30)))

    assert served(run(scenario)) == 29
    assert judged[-1] == 29
    assert len(judged) <= 2, "versions that are outdated before their turn need not be judged"


def test_an_edit_is_judged_though_our_own_write_replaces_its_report_while_it_waits() -> None:
    async def scenario(live: Live) -> None:
        await live.offer(config(1))
        await asyncio.gather(
            live.offer(config(2, name="other")),
            live.offer(config(3)),
            noted(live, config(3)),
        )

    async def noted(live: Live, resource: Any) -> None:
        live.note(resource)

    assert served(run(scenario)) == 3


def test_a_report_of_a_new_status_does_not_judge_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(live: Live) -> None:
        await live.offer(config(1))
        monkeypatch.setattr(live.judge, "for_service", lambda _: pytest.fail("judged again"))
        await live.offer({**config(2, generation=1), "status": {"observedGeneration": 1}})

    live = run(scenario)
    assert live.resources["mesh"]["status"] == {"observedGeneration": 1}


def test_a_deleted_config_is_not_served_but_remembered() -> None:
    async def scenario(live: Live) -> None:
        await live.offer(config(1))
        live.remove(config(2))

    live = run(scenario)
    assert served(live) is None
    assert live.snapshot.knows("mesh")
    assert live.resources == {}


def test_a_config_that_is_deleted_while_it_is_judged_does_not_come_back() -> None:
    async def scenario(live: Live) -> None:
        offering = asyncio.create_task(live.offer(config(1)))
        await asyncio.sleep(0)
        live.remove(config(2))
        await offering

    assert served(run(scenario)) is None


def test_a_config_made_again_after_deletion_is_served_whatever_comes_first() -> None:
    async def scenario(live: Live) -> None:
        await live.offer(config(1, uid="first", generation=4))
        await live.offer(config(9, uid="second", generation=1))
        live.remove(config(8, uid="first"))

    assert served(run(scenario)) == 1


def test_a_broken_config_does_not_inherit_from_a_deleted_one_of_its_name() -> None:
    async def scenario(live: Live) -> None:
        await live.offer(config(1, uid="first"))
        await live.offer(config(2, BROKEN, uid="second", generation=1))

    live = run(scenario)
    assert served(live) is None
    assert live.accepted == {}


def test_a_complete_list_catches_up_with_what_a_dead_watch_missed() -> None:
    async def scenario(live: Live) -> None:
        await live.offer(config(1))
        await live.offer(config(2, name="gone"))
        await live.compare(Listing([config(3), config(4, name="new")], "5"))

    live = run(scenario)
    assert sorted(live.snapshot.entries) == ["mesh", "new"]
    assert served(live) == 3
    assert live.snapshot.knows("gone")


def test_a_list_does_not_remove_what_was_made_after_it() -> None:
    async def scenario(live: Live) -> None:
        await live.offer(config(9))
        await live.compare(Listing([], "5"))

    assert served(run(scenario)) == 9


def test_an_earlier_version_serves_until_the_newest_is_good() -> None:
    async def scenario(live: Live) -> None:
        await live.restore(config(1))
        await live.offer(config(2, BROKEN))

    live = run(scenario)
    assert served(live) == 1
    assert live.snapshot.entries["mesh"].generation == 2


def test_an_earlier_version_gives_way_to_a_good_one() -> None:
    async def scenario(live: Live) -> None:
        await live.restore(config(1))
        await live.offer(config(2))

    assert served(run(scenario)) == 2


def test_what_the_api_server_objects_to_is_a_problem_of_the_config() -> None:
    async def objection(_: CompiledConfig) -> Sequence[Problem]:
        return (Problem("spec.match.conditions[0].expression", "no such field"),)

    async def scenario() -> Live:
        live = Live(Metrics(), objection)
        await live.offer(config(1))
        return live

    live = asyncio.run(scenario())
    assert served(live) is None
    assert live.snapshot.entries["mesh"].problems[0].path == "spec.match.conditions[0].expression"


def test_a_defect_while_judging_is_a_problem_of_that_config_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def accept(_: Any) -> CompiledConfig:
        raise ZeroDivisionError("oops")

    async def scenario(live: Live) -> None:
        await live.offer(config(1))
        monkeypatch.setattr(module, "accept", accept)
        await live.offer(config(2, image(2)))

    live = run(scenario)
    assert served(live) == 1
    assert live.snapshot.entries["mesh"].problems[0].message == "internal error: ZeroDivisionError: oops"

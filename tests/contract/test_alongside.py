"""While hostile configs are being judged, Pods are admitted."""

import threading
import time
from statistics import median

from tests.contract.harness import config, service
from tests.unit.templating.test_bombs import BOMBS

AUTHORS = 4
"""Clients that send bombs, all at once."""
MEDIAN_SECONDS, MOST_SECONDS = 0.5, 3.0
"""A bomb takes a tenth of a second of CPU; one that ran on, or held the interpreter, would take all of the time."""


def test_admissions_are_served_while_bombs_are_judged() -> None:
    replies: list[bool] = []
    with service() as running:

        def attack(bombs: list[str]) -> None:
            replies.extend(running.validate(config("bomb", template=bomb)).response["allowed"] for bomb in bombs)

        bombs = list(BOMBS.values())
        authors = [threading.Thread(target=attack, args=(bombs[start::AUTHORS],)) for start in range(AUTHORS)]
        for author in authors:
            author.start()
        seconds = []
        while any(author.is_alive() for author in authors):
            start = time.perf_counter()
            assert running.admit().reason == "Injected"
            seconds.append(time.perf_counter() - start)
        for author in authors:
            author.join()
    assert replies == [False] * len(BOMBS)
    assert median(seconds) < MEDIAN_SECONDS
    assert max(seconds) < MOST_SECONDS

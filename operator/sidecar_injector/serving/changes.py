"""News for several loops: each subscriber has a flag of its own, and lowers it when it acts."""

import asyncio


class Changes:
    """Wakes every subscriber; what happens while one is busy wakes it again."""

    def __init__(self) -> None:
        self._flags: list[asyncio.Event] = []

    def subscribe(self) -> asyncio.Event:
        """Return a flag that every `announce` raises; who waits for it clears it."""
        flag = asyncio.Event()
        self._flags.append(flag)
        return flag

    def announce(self) -> None:
        """Raise every flag."""
        for flag in self._flags:
            flag.set()

"""Parts of a rendering that are the same in all renderings of a shape, and what was found out about them.

They are ordinary maps and lists, which nobody may change; what has once been worked out for one holds for all Pods.
"""

from typing import Any


class SharedMap(dict[str, Any]):
    """A map without printed values in it, or one that is the same whenever it is printed.

    plain    -- whether it was seen to have neither directives nor nulls in it
    size     -- about how many characters it takes as JSON, where that was found out; else 0
    harmless -- the judge of a guardrail that is known to find nothing in it, in whatever Pod it stands; None if none is
    """

    __slots__ = ("harmless", "plain", "size")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.harmless: object = None
        self.plain = False
        self.size = 0


class SharedList(list[Any]):
    """A list without printed values in it; its notes are those of a SharedMap."""

    __slots__ = ("harmless", "plain")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.harmless: object = None
        self.plain = False

"""Parts of a rendering that are the same in all renderings of a shape, and what was found out about them.

They are ordinary maps and lists, which nobody may change; what has once been worked out for one holds for all Pods.
"""

from typing import Any


class SharedMap(dict[str, Any]):
    """A map without printed values in it.

    conforming -- a schema that it was held against, and what it is in that schema
    plain      -- whether it was seen to have neither directives nor nulls in it
    """

    __slots__ = ("conforming", "plain")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.conforming: tuple[object, Any] | None = None
        self.plain = False


class SharedList(list[Any]):
    """A list without printed values in it; its notes are those of a SharedMap."""

    __slots__ = ("conforming", "plain")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.conforming: tuple[object, Any] | None = None
        self.plain = False

"""Patterns for values that strangers write: matched in time linear in the text, whatever the pattern.

Python's own engine goes back and forth, and there are short patterns on which it takes years for a short text. Here a
pattern becomes an automaton of positions (Glushkov's construction), and a text is read once.

Source: V. M. Glushkov, "The abstract theory of automata", 1961
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from sidecar_injector.config.pattern_syntax import Chain, Choice, Letter, Node, PatternError, Repeat, parse_pattern

MOST_POSITIONS = 512
"""Letters and classes of a pattern, repetitions written out."""
_MOST_PARTS = 4096
"""Parts of a pattern, repetitions written out: what is empty has no positions."""
_MOST_REMEMBERED = 2048

_Key = TypeVar("_Key")


class Pattern:
    """A compiled pattern. A set of positions is a number that has a bit for each."""

    def __init__(self, text: str) -> None:
        """Raises PatternError."""
        builder = _Builder()
        self._whole = builder.build(parse_pattern(text))
        self._letters = builder.letters
        self._follow = builder.follow
        self._positions_of: dict[Letter, int] = {}
        for position, letter in enumerate(self._letters):
            self._positions_of[letter] = self._positions_of.get(letter, 0) | 1 << position
        self._taking: dict[str, int] = {}
        self._behind: dict[int, int] = {}

    def matches(self, text: str) -> bool:
        """Tell whether the whole text is as the pattern says."""
        reached, expected = 0, self._whole.first
        for character in text:
            reached = expected & self._taken_by(character)
            if not reached:
                return False
            expected = self._expected_behind(reached)
        return bool(reached & self._whole.last) if text else self._whole.empty

    def shortest(self) -> str | None:
        """Return a text that matches, as short as can be; None if there is none."""
        if self._whole.empty:
            return ""
        texts: dict[int, str] = {}
        front = [(position, "") for position in _members(self._whole.first)]
        while front:
            behind: list[tuple[int, str]] = []
            for position, text in front:
                letter = _example(self._letters[position])
                if position in texts or letter is None:
                    continue
                texts[position] = text + letter
                if self._whole.last >> position & 1:
                    return texts[position]
                behind += [(following, texts[position]) for following in _members(self._follow[position])]
            front = behind
        return None

    def _taken_by(self, character: str) -> int:
        found = self._taking.get(character)
        if found is None:
            code = ord(character)
            found = sum(positions for letter, positions in self._positions_of.items() if letter.takes(code))
            _remember(self._taking, character, found)
        return found

    def _expected_behind(self, reached: int) -> int:
        found = self._behind.get(reached)
        if found is None:
            found = 0
            for position in _members(reached):
                found |= self._follow[position]
            _remember(self._behind, reached, found)
        return found


class _Part(NamedTuple):
    """Where a part of a pattern begins and ends, and whether it may be empty."""

    first: int = 0
    last: int = 0
    empty: bool = True


class _Builder:
    """Numbers the letters of a pattern, and notes which may follow which."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.follow: list[int] = []
        self._parts = 0

    def build(self, node: Node) -> _Part:
        self._parts += 1
        if len(self.letters) >= MOST_POSITIONS or self._parts > _MOST_PARTS:
            raise PatternError(
                f"has more than {MOST_POSITIONS} letters and classes when its repetitions are written out"
            )
        match node:
            case Letter():
                self.letters.append(node)
                self.follow.append(0)
                return _Part(1 << len(self.letters) - 1, 1 << len(self.letters) - 1, False)
            case Chain(parts):
                return self._chain(self.build(part) for part in parts)
            case Choice(options):
                built = [self.build(option) for option in options]
                return _Part(_union(p.first for p in built), _union(p.last for p in built), any(p.empty for p in built))
            case Repeat():
                return self._repeat(node)

    def _chain(self, parts: Iterator[_Part]) -> _Part:
        whole = _Part()
        for part in parts:
            self._join(whole.last, part.first)
            whole = _Part(
                whole.first | (part.first if whole.empty else 0),
                part.last | (whole.last if part.empty else 0),
                whole.empty and part.empty,
            )
        return whole

    def _repeat(self, node: Repeat) -> _Part:
        return self._chain(self._copies(node))

    def _copies(self, node: Repeat) -> Iterator[_Part]:
        """Yield the part as often as it is needed, as often again as it may be there, and once round for ever."""
        endless = node.most is None
        for _ in range(node.least - (endless and node.least > 0)):
            yield self.build(node.part)
        if node.most is None:
            part = self.build(node.part)
            self._join(part.last, part.first)
            yield part._replace(empty=part.empty or node.least == 0)
        else:
            for _ in range(node.most - node.least):
                yield self.build(node.part)._replace(empty=True)

    def _join(self, last: int, first: int) -> None:
        for position in _members(last):
            self.follow[position] |= first


def _union(sets: Iterator[int]) -> int:
    found = 0
    for positions in sets:
        found |= positions
    return found


def _members(positions: int) -> Iterator[int]:
    while positions:
        lowest = positions & -positions
        yield lowest.bit_length() - 1
        positions ^= lowest


def _example(letter: Letter) -> str | None:
    """Return a character that a letter takes, a plain one if it takes some."""
    plain = (*range(97, 123), *range(48, 58), *range(33, 127), 32, 0xE9)
    codes = (*plain, *(code for span in letter.ranges for code in (*span, span[1] + 1)))
    return next((chr(code) for code in codes if code <= 0x10FFFF and letter.takes(code)), None)


def _remember(memory: dict[_Key, int], key: _Key, value: int) -> None:
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    memory[key] = value

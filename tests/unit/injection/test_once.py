"""Properties that are worked out once."""

from dataclasses import dataclass, field

from sidecar_injector.injection.once import once


@dataclass(frozen=True)
class Sum:
    """An object that cannot be changed, with something to work out."""

    numbers: tuple[int, ...]
    asked: list[str] = field(default_factory=list)

    @once
    def total(self) -> int:
        """All of them."""
        self.asked.append("total")
        return sum(self.numbers)


def test_a_property_is_worked_out_when_it_is_asked_for_first_and_not_again():
    found = Sum((1, 2))
    assert found.asked == []
    assert [found.total, found.total] == [3, 3]
    assert found.asked == ["total"]


def test_each_object_has_its_own():
    assert [Sum((1,)).total, Sum((2,)).total] == [1, 2]

"""Which of two reports about an object is the newer one: a watch, a list and our own reads arrive in any order."""

from collections.abc import Collection


def number(version: str) -> int:
    """Return a resourceVersion as a number; 0 for one that is none, which then never counts as older than another.

    They may be compared since Kubernetes 1.35, and were numbers of etcd's before
    (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).
    """
    return int(version) if version.isdecimal() else 0


class Newest:
    """Remembers how new the newest report about each object of a collection is, deletions included."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def is_news(self, name: str, version: str) -> bool:
        """Note a report, and tell whether none that is newer came before."""
        current = number(version)
        if current and current < self._seen.get(name, 0):
            return False
        self._seen[name] = current
        return True

    def gone(self, listed: Collection[str], version: str) -> list[str]:
        """Return the names that a listing of this version proves to be deleted, and forget them."""
        limit = number(version)
        gone = [name for name, seen in self._seen.items() if name not in listed and seen <= limit]
        for name in gone:
            del self._seen[name]
        return gone

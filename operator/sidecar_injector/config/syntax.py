"""What a text in a SidecarInjectorConfig may look like: names, label keys and label values, as Kubernetes has them.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and …/labels/#syntax-and-character-set
"""

import re
from dataclasses import dataclass

_DNS_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_MAX_PREFIX = 253


@dataclass(frozen=True)
class Syntax:
    """A kind of text: what it is called in messages, its pattern (of the whole text; None for any), its lengths."""

    what: str
    pattern: re.Pattern[str] | None = None
    longest: int | None = None
    shortest: int = 0

    def fault(self, text: str) -> str | None:
        """Return what is wrong with the text, as the end of a sentence that begins with the field's path, or None."""
        if len(text) < self.shortest:
            return f"is empty; {self.what} is needed"
        if self.longest is not None and len(text) > self.longest:
            return f"has {len(text)} characters; at most {self.longest} are allowed"
        if self.pattern is not None and not self.pattern.fullmatch(text):
            return f"is {text!r}, which is not {self.what}"
        return None


class _QualifiedName(Syntax):
    """A name with an optional prefix, whose length is bounded on its own."""

    def fault(self, text: str) -> str | None:
        if text.find("/") > _MAX_PREFIX:
            return f"has a prefix of {text.find('/')} characters; at most {_MAX_PREFIX} are allowed"
        return super().fault(text)


DNS_LABEL = Syntax(
    "a DNS label (lower-case letters, digits and '-'; the first and the last a letter or digit)",
    re.compile(_DNS_LABEL),
    longest=63,
)
"""RFC 1123 label."""

QUALIFIED_NAME = _QualifiedName(
    "a label key (letters, digits, '-', '_' and '.', at most 63, the first and the last a letter or digit; "
    "optionally a DNS name and '/' in front)",
    re.compile(rf"(?:{_DNS_LABEL}(?:\.{_DNS_LABEL})*/)?{_NAME}"),
    longest=_MAX_PREFIX + 1 + 63,
)
"""Key of a label; also the name of a match condition."""

LABEL_VALUE = Syntax(
    "a label value (letters, digits, '-', '_' and '.', the first and the last a letter or digit, or nothing)",
    re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"),
    longest=63,
)

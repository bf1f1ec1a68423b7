"""What a template may cost, and which marks it is written with."""

from dataclasses import dataclass
from enum import StrEnum


class Delimiters(StrEnum):
    """The marks around expressions, statements and comments."""

    CURLY = "Curly"
    """`{{ … }}`, `{% … %}`, `{# … #}`."""
    SQUARE = "Square"
    """`[[ … ]]`, `[% … %]`, `[# … #]`: for templates that travel through another template engine."""

    @property
    def marks(self) -> dict[str, str]:
        """Return the six marks under Jinja's own names for them."""
        opening, closing = ("{", "}") if self is Delimiters.CURLY else ("[", "]")
        return {
            "variable_start_string": opening * 2,
            "variable_end_string": closing * 2,
            "block_start_string": f"{opening}%",
            "block_end_string": f"%{closing}",
            "comment_start_string": f"{opening}#",
            "comment_end_string": f"#{closing}",
        }


@dataclass(frozen=True)
class Limits:
    """What a template may cost; a breach is a TemplateLimitError that names the line.

    The defaults are many times what a large sidecar template needs; a template that reaches one takes about a tenth of
    a second.
    """

    source: int = 128 * 1024
    """Characters of the template."""
    tokens: int = 8_000
    """Names, literals and signs in all expressions and statements, and the pieces of text between them."""
    nesting: int = 25
    """Levels of brackets in an expression, and of statements inside each other."""
    chain: int = 60
    """Operators, filters and dots in a row."""
    steps: int = 100_000
    """Steps of evaluation: one for each part of a loop's or macro's body when it runs, and by size for long values."""
    calls: int = 25
    """Macros and recursive loops inside each other."""
    text: int = 1024 * 1024
    """Characters of a text that an expression makes."""
    output: int = 256 * 1024
    """Characters of YAML that the template prints, printed values counted as a word each."""
    result: int = 4 * 1024 * 1024
    """Characters of all printed values together."""
    nodes: int = 10_000
    """Scalars, lists and maps in the YAML that the template prints."""
    depth: int = 50
    """Levels of lists and maps in the YAML, and in a printed value."""


DEFAULT_LIMITS = Limits()

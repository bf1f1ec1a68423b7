"""What the two YAML parsers say, in the words of somebody who writes YAML: one table, first match wins."""

_INDENT = "every entry of a map or list starts in the same column as the entry before it"

_EXPLANATIONS: tuple[tuple[str, str, str], ...] = (
    # part of the parser's context or problem, what is wrong, remedy
    ("duplicate anchor", "an anchor is defined twice", "give it another name"),
    (
        "mapping values are not allowed",
        "a second `: ` in this line, or a line that is indented too far",
        "put text that holds `: ` in quotes",
    ),
    ("sequence entries are not allowed", "a list entry (`- `) cannot stand here", _INDENT),
    ("mapping keys are not allowed", "a key cannot stand here", _INDENT),
    (
        "could not find expected ':'",
        "a key without `:`, or text that continues on the next line",
        "write `key: value`, and indent what belongs to it",
    ),
    ("tab character", "a tab is used for indentation", "indent with spaces"),
    ("'\\t' that cannot start", "a tab is used for indentation", "indent with spaces"),
    ("cannot start any token", "text cannot start with this character", "put the text in quotes"),
    ("escape", "a `\\` in double quotes that starts no escape sequence", "write `\\\\`, or use single quotes"),
    (
        "expected hexdecimal",
        "a `\\` in double quotes that starts no escape sequence",
        "write `\\\\`, or use single quotes",
    ),
    ("document separator", "quotes are not closed", "close the quotes before the line `---`"),
    ("document indicator", "quotes are not closed", "close the quotes before the line `---`"),
    ("quoted scalar", "quotes are not closed", "close the quotes; inside single quotes a quote is written twice"),
    ("',' or ']'", "`[` is not closed, or a comma is missing", "close it with `]` and put commas between items"),
    ("',' or '}'", "`{` is not closed, or a comma is missing", "close it with `}` and put commas between entries"),
    ("block scalar", "the block marks `|` or `>` are followed by something else", "start the text on the next line"),
    ("block end", "the indentation does not fit the lines above", _INDENT),
    ("expected key", "the indentation does not fit the lines above", _INDENT),
    ("'-' indicator", "the indentation does not fit the lines above", _INDENT),
    ("unexpected ':'", "a `:` cannot stand here", "put text that holds `:` in quotes"),
    ("undefined tag handle", "an unknown tag", "put text that starts with `!` in quotes"),
    ("tag", "a tag that cannot be read", "put text that starts with `!` in quotes"),
    ("anchor", "an anchor without a proper name", "put text that starts with `&` in quotes"),
    ("alias", "an alias without a proper name", "put text that starts with `*` in quotes"),
    ("directive", "a YAML directive that cannot be read", "delete this line"),
    ("incompatible YAML document", "a YAML version that is not supported", "delete this line"),
    ("document start", "text that belongs to nothing above it", _INDENT),
    ("node content", "a value is missing or cannot stand here", 'write the value, or `""` for empty text'),
    ("end of stream", "the text ends too early", "close quotes and brackets"),
)


def explain(context: str, problem: str) -> tuple[str, str]:
    """Turn a parser's context and problem into what is wrong and a remedy."""
    said = f"{context} {problem}"
    for needle, words, remedy in _EXPLANATIONS:
        if needle in said:
            return words, remedy
    return "this is not YAML", "check quotes, brackets and indentation"

"""YAML and JSON files given to the command line: read as kubectl reads them, with messages that name the place."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from sidecar_injector.errors import InputFileError
from sidecar_injector.templating.strict_json import RepeatedKey, decoder
from sidecar_injector.templating.yaml12.compose import FILE_LIMITS, YamlProblem, compose
from sidecar_injector.templating.yaml12.construct import construct


@dataclass(frozen=True)
class Document:
    """One document of a file: its number and the line where it starts, both from 1, and its value (plain JSON)."""

    number: int
    line: int
    value: object


def load_yaml(text: str, name: str) -> object:
    """Read one YAML document by the core schema of YAML 1.2; no document, or an empty one, gives None.

    Raises:
        InputFileError: the text is not YAML, holds more than one document, duplicate keys, keys that are not text,
            merge keys, unknown tags, or numbers that JSON cannot hold. The message has line, column and remedy.
    """
    documents = list(_read(text, name, manifest=False))
    if len(documents) > 1:
        raise InputFileError(name, f"line {documents[1].line}: a second document starts here; one is expected", 2)
    return documents[0].value if documents else None


def load_all_yaml(text: str, name: str) -> list[Document]:
    """Read every document of a file of manifests, YAML or JSON, as kubectl does; empty documents are left out.

    Numbers count every document of the file, the empty ones too. `yes`, `on` and `0644` mean what they mean to kubectl.

    Raises:
        InputFileError: as `load_yaml`, apart from several documents and merge keys, which are allowed; the message has
            the document's number, too.
    """
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        documents = _json_documents(text, name)
        if documents is not None:
            return documents
    return list(_read(text, name, manifest=True))


def _read(text: str, name: str, *, manifest: bool) -> Iterator[Document]:
    stream = compose(text, FILE_LIMITS)
    for number in count(1):
        try:
            composed = next(stream, None)
            if composed is None:
                return
            if composed.root is not None:
                yield Document(number, composed.line, construct(composed.root, manifest=manifest))
        except YamlProblem as problem:
            at = f"line {problem.line}, column {problem.column}" if problem.column else f"line {problem.line}"
            raise InputFileError(name, f"{at}: {problem.problem}; {problem.remedy}", number) from problem


def _json_documents(text: str, name: str) -> list[Document] | None:
    """Read a stream of JSON values; None means that this is no JSON and may be YAML in flow style."""
    reader = decoder(unique=True)
    documents: list[Document] = []
    position = 0
    while (position := _skip_space(text, position)) < len(text):
        line = text.count("\n", 0, position) + 1
        try:
            value, position = reader.raw_decode(text, position)
        except RepeatedKey as repeated:
            message = (
                f"line {line}: the key {json.dumps(repeated.key)} is there twice in one object; delete one of the two"
            )
            raise InputFileError(name, message, len(documents) + 1) from None
        except (ValueError, RecursionError):
            return None
        documents.append(Document(len(documents) + 1, line, value))
    return documents


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in "\ufeff \t\r\n":
        position += 1
    return position

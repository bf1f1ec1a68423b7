"""Objects from files, directories and standard input, and back to text."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from sidecar_injector.config.fields import describe
from sidecar_injector.errors import InputFileError
from sidecar_injector.names import GROUP, KIND
from sidecar_injector.templating import Document as LoadedDocument
from sidecar_injector.templating import dump_yaml, load_all_yaml

STDIN = "-"
SUFFIXES = (".yaml", ".yml", ".json")
_STDIN_SHOWN = "standard input"

Object = Mapping[str, object]


@dataclass(frozen=True)
class Document:
    """One object of a file: the file's name, the document's 1-based number in it, and the object."""

    file: str
    number: int
    value: Object

    def refuse(self, path: str, message: str) -> InputFileError:
        """Return the error that a field of this object is wrong."""
        return InputFileError(self.file, f"{path}: {message}", self.number)


def read_objects(names: Sequence[str]) -> list[Document]:
    """Return the objects in these files and directories, in order, and at least one. Raises InputFileError.

    A directory stands for its own *.yaml, *.yml and *.json, sorted by name; `-` for standard input. Lists stay lists.
    """
    if list(names).count(STDIN) > 1:
        raise InputFileError(_STDIN_SHOWN, "can be read only once")
    documents = [document for name in names for file in expand(name) for document in read_file(file)]
    if not documents:
        raise InputFileError(", ".join(_shown(name) for name in names), "holds no object")
    return documents


def expand(name: str) -> list[str]:
    """Return the files that a name on the command line stands for. Raises InputFileError."""
    if not name:
        raise InputFileError("''", "is no name of a file")  # Path("") would be the current directory
    path = Path(name)
    try:
        if name == STDIN or not path.is_dir():
            return [name]
        files = sorted(str(file) for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
    except OSError as error:
        raise InputFileError(name, f"cannot be read: {error.strerror}") from None
    if not files:
        raise InputFileError(name, f"is a directory without any {', '.join('*' + suffix for suffix in SUFFIXES)}")
    return files


def read_file(name: str) -> list[Document]:
    """Return the objects in a file. Raises InputFileError if one of its documents is none."""
    shown = _shown(name)
    return [Document(shown, found.number, _as_object(found, shown)) for found in read_documents(name)]


def read_documents(name: str) -> list[LoadedDocument]:
    """Return the documents in a file, whatever they are. Raises InputFileError."""
    shown = _shown(name)
    if name == STDIN and sys.stdin is None:  # as Python has it when the shell says <&-
        raise InputFileError(shown, "cannot be read: it is closed")
    try:
        content = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
        return load_all_yaml(content.decode("utf-8-sig"), shown)
    except (OSError, ValueError) as error:
        raise InputFileError(shown, f"cannot be read: {_why(error)}") from None


def _shown(name: str) -> str:
    return _STDIN_SHOWN if name == STDIN else name


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1} is not UTF-8"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _as_object(found: LoadedDocument, file: str) -> Object:
    if not isinstance(found.value, Mapping):
        raise InputFileError(file, f"is {describe(found.value)}; a Kubernetes object is expected", found.number)
    check_object(found.value, "", Document(file, found.number, found.value))
    return found.value


def check_object(value: Object, path: str, document: Document) -> None:
    """Raise InputFileError for what has no apiVersion and kind, without which nothing is a Kubernetes object."""
    for field in ("apiVersion", "kind"):
        found = value.get(field)
        if not found:
            raise document.refuse(join(path, field), "is missing")
        if not isinstance(found, str):
            raise document.refuse(join(path, field), f"is {describe(found)}; text is expected")
    metadata = value.get("metadata")
    if metadata is not None and not isinstance(metadata, Mapping):
        raise document.refuse(join(path, "metadata"), f"is {describe(metadata)}; an object is expected")


def join(path: str, field: str) -> str:
    """Return the path of a field of the object at `path`, which is empty for a document itself."""
    return f"{path}.{field}" if path else field


def is_list(value: Object) -> bool:
    """Tell whether the object is a List of the core API."""
    return value.get("apiVersion") == "v1" and value.get("kind") == "List"


def list_items(value: Object, path: str, document: Document) -> list[tuple[str, Object]]:
    """Return the items of a List with their paths. Raises InputFileError."""
    at = join(path, "items")
    items = value.get("items")
    if items is None:
        return []
    if not isinstance(items, list):
        raise document.refuse(at, f"is {describe(items)}; a list is expected")
    found: list[tuple[str, Object]] = []
    for i, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise document.refuse(f"{at}[{i}]", f"is {describe(item)}; a Kubernetes object is expected")
        check_object(item, f"{at}[{i}]", document)
        found.append((f"{at}[{i}]", item))
    return found


def flatten(document: Document) -> Iterator[tuple[str, Object]]:
    """Yield the objects of a document with their paths in it: the object itself (""), or what its Lists hold."""

    def walk(value: Object, path: str) -> Iterator[tuple[str, Object]]:
        if not is_list(value):
            yield path, value
            return
        for at, item in list_items(value, path, document):
            yield from walk(item, at)

    return walk(document.value, "")


def is_config(value: Object) -> bool:
    """Tell whether the object is, or was meant to be, a SidecarInjectorConfig."""
    return value.get("kind") == KIND or str(value.get("apiVersion")).startswith(f"{GROUP}/")


def write_objects(values: Sequence[object], form: str) -> None:
    """Print objects on standard output: YAML documents, or one JSON object (a List if there are several)."""
    if form == "yaml":
        text = "---\n".join(dump_yaml(value) for value in values)
    else:
        whole = values[0] if len(values) == 1 else {"apiVersion": "v1", "kind": "List", "items": list(values)}
        text = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    # Bytes, because manifests are UTF-8 whatever the locale is. Half a surrogate pair becomes its escape again.
    click.echo(text.encode("utf-8", "backslashreplace"), nl=False)

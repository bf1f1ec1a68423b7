"""`sidecar-injector validate`: would the cluster accept these SidecarInjectorConfigs?"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from sidecar_injector.cli.files import Document, Object, expand, flatten, is_config, read_file
from sidecar_injector.errors import ConfigError, InputFileError, Problem
from sidecar_injector.names import KIND
from sidecar_injector.profiles.acceptance import accept
from sidecar_injector.templating import dump_yaml

EPILOG = """
\b
Exit codes:
  0  all configs are accepted
  1  a config is refused
  2  wrong usage, a file that cannot be read, or no SidecarInjectorConfig at all
"""


@dataclass(frozen=True)
class Verdict:
    """What is to be said about one object; `path` is its place in a List, `revision` is empty unless accepted."""

    file: str
    document: int
    path: str
    kind: str
    name: str
    result: str
    revision: str = ""
    problems: tuple[Problem, ...] = field(default=())

    def as_data(self) -> dict[str, object]:
        """Return the verdict for scripts."""
        data: dict[str, object] = {"file": self.file, "document": self.document}
        data |= {"path": self.path} if self.path else {}
        data |= {"kind": self.kind, "name": self.name, "result": self.result}
        data |= {"revision": self.revision} if self.revision else {}
        problems = [{"path": problem.path, "message": problem.message} for problem in self.problems]
        return data | ({"problems": problems} if problems else {})

    def as_text(self) -> str:
        """Return the verdict for people, one problem to a paragraph."""
        place = f"{self.file}: document {self.document}" + (f": {self.path}" if self.path else "")
        result = f"accepted (revision {self.revision})" if self.revision else self.result
        problems = [str(problem).replace("\n", "\n    ") for problem in self.problems]
        return "\n  ".join([f"{place}: {self.kind}/{self.name}: {result}", *problems])


@click.command(epilog=EPILOG)
@click.option(
    "-f", "--filename", "filenames", multiple=True, required=True, metavar="FILE",
    help="File or directory (*.yaml, *.yml, *.json); - is standard input. May be given again.",
)  # fmt: skip
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="Form of the output.",
)
def validate(filenames: Sequence[str], output: str) -> None:
    """Check SidecarInjectorConfigs as the cluster would: fields, templates, and a trial on sample Pods.

    Every problem is reported, with the path of its field and the line of the template. Objects of other kinds are
    skipped. Conditions in CEL are checked by the API server only.
    """
    verdicts: list[Verdict] = []
    unreadable = False
    for name in filenames:
        try:
            for file in expand(name):
                unreadable |= not _read_into(verdicts, file)
        except InputFileError as error:
            click.echo(f"Error: {error}", err=True)
            unreadable = True
    _print(verdicts, output)
    sys.exit(_exit_code(verdicts, unreadable))


def _read_into(verdicts: list[Verdict], file: str) -> bool:
    """Judge the objects of a file; tell whether it could be read."""
    try:
        for document in read_file(file):
            verdicts.extend(_judge(path, value, document) for path, value in flatten(document))
    except InputFileError as error:
        click.echo(f"Error: {error}", err=True)
        return False
    return True


def _judge(path: str, value: Object, document: Document) -> Verdict:
    metadata = value.get("metadata")
    name = str(metadata.get("name") or "?") if isinstance(metadata, dict) else "?"
    place = (document.file, document.number, path, str(value["kind"]), name)
    if not is_config(value):
        return Verdict(*place, "skipped")
    try:
        return Verdict(*place, "accepted", revision=accept(value).digest)
    except ConfigError as error:
        return Verdict(*place, "refused", problems=error.problems)


def _print(verdicts: Sequence[Verdict], output: str) -> None:
    data = [verdict.as_data() for verdict in verdicts]
    if output == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
    elif output == "yaml":
        click.echo(dump_yaml(data), nl=False)
    else:
        for verdict in verdicts:
            click.echo(verdict.as_text())


def _exit_code(verdicts: Sequence[Verdict], unreadable: bool) -> int:
    judged = [verdict for verdict in verdicts if verdict.result != "skipped"]
    if unreadable:
        return 2
    if not judged:
        click.echo(f"Error: there is no {KIND} in these files", err=True)
        return 2
    return int(any(verdict.result == "refused" for verdict in judged))

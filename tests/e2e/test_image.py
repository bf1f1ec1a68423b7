"""The operator's image as it runs: it writes nothing, compiles nothing, and knows nothing of where it was built."""

import pytest

from tests.e2e.conftest import InstalledOperator

pytestmark = pytest.mark.e2e

PYTHON = "/opt/sidecar-injector/bin/python"
IMPORT = "import sidecar_injector.cli, sidecar_injector.handlers"
GENERATED = "/kubernetes/client/models/"
"""Classes of the client, of which Kopf wants the one or other; all of them would double the bytecode."""
LEFTOVERS = "import pathlib; print(*filter(lambda path: path.exists(), map(pathlib.Path, {!r})))"
FROM_THE_BUILD = ["/src", "/dist", "/added", "/bytecode", "/opt/build", "/etc/pip.conf", "/etc/xdg/pip"]


def run(operator: InstalledOperator, *command: str) -> str:
    """Run a command in one of the operator's Pods and return all that it printed."""
    done = operator.kubectl("exec", operator.pod_names()[0], "--", *command)
    return str(done.stdout + done.stderr)


def test_nothing_is_compiled_at_start(operator: InstalledOperator) -> None:
    said = run(operator, PYTHON, "-v", "-c", IMPORT).splitlines()
    read = [line for line in said if line.startswith("# code object from '")]
    compiled = [line.removeprefix("# code object from ") for line in said if line.startswith("# code object from /")]
    assert len(read) > 500, "Python tells where it takes code from"
    assert [path for path in compiled if GENERATED not in path] == []


def test_nothing_is_left_of_the_build(operator: InstalledOperator) -> None:
    assert run(operator, PYTHON, "-c", LEFTOVERS.format(FROM_THE_BUILD)).strip() == ""

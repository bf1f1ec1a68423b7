"""The command line of the benchmarks."""

import argparse
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import bars, counting, page, picture, report, results, suite
from benchmarks.context import QUICK, Bench, Plan, Progress
from benchmarks.load import LoadError, Target
from benchmarks.load.orders import target_of
from benchmarks.servers.operators import start_cluster
from benchmarks.servers.running import ServerError
from tests.kubernetes.cluster import ClusterError

INTERRUPTED = 130
ROOT = Path(__file__).resolve().parents[1]
DEFAULT_FILE = ROOT / "build" / "benchmarks.json"
COMMANDS = ("run", "counts", "picture", "page", "publish")
DESCRIPTION = """\
How fast the injector is, beside servers that do next to nothing, and what grows with what. Ratios within one run are
what counts: absolute figures are this machine's, and stand beside its noise.

commands:
  run                measure (the default), print tables, write the figures to a file
  counts             count calls and opcodes of fixed admissions, and compare them with the expected ones
  publish [FILE]     measure, or take FILE, and rewrite docs/performance.json, its picture and the tables of its page
  picture FILE       print the picture of such figures, as SVG
  page FILE          print their tables, as Markdown

sections (--only):
"""
EPILOG = """\
examples:
  python -m benchmarks --only pipeline,http --seconds 2 --rounds 5
  python -m benchmarks --quick -o json
  python -m benchmarks --only http --against https://127.0.0.1:15017/inject --ca root-cert.pem --pid 4711
  python -m benchmarks counts --update        # after a change that was meant to take more, or has made it less

Exit codes: 0 measured, 1 it did not work, or (--check, counts) a bar is missed, 2 wrong usage, 130 interrupted.
"""


def main(argv: Sequence[str]) -> int:
    """Run one command and return the exit code."""
    arguments = parsed(argv)
    try:
        return HANDLERS[arguments.command](arguments)
    except KeyboardInterrupt:
        print("Interrupted. Everything that was started is stopped and removed.", file=sys.stderr)
        return INTERRUPTED
    except (ClusterError, LoadError, ServerError, AssertionError, OSError, ValueError) as error:
        print(f"The benchmark failed: {error}", file=sys.stderr)
        return 1


def parsed(argv: Sequence[str]) -> argparse.Namespace:
    """Return the arguments; ends the process with code 2 and a message if they are wrong."""
    parser = _parser()
    found = parser.parse_args(argv)
    if found.command in ("picture", "page") and not found.file:
        parser.error(f"{found.command} needs a FILE")
    if found.command in ("run", "counts") and found.file:
        parser.error(f"{found.command} takes no FILE (--json names the one that is written)")
    if found.command == "publish" and (found.quick or found.only != tuple(suite.SECTIONS)):
        parser.error("publish measures everything, and not quickly")
    if not found.against and (found.ca or found.insecure or found.pid):
        parser.error("--ca, --insecure and --pid belong to --against")
    try:
        found.other = _other(found)
    except (OSError, ValueError, ssl.SSLError) as error:
        parser.error(f"--against: {error}")
    return found


def plan_of(arguments: argparse.Namespace) -> Plan:
    """Return how much is to be measured."""
    wishes = {name: getattr(arguments, name) for name in ("seconds", "rounds", "connections")}
    return replace(QUICK if arguments.quick else Plan(), **{name: wish for name, wish in wishes.items() if wish})


def _parser() -> argparse.ArgumentParser:
    sections = "".join(f"  {name:18} {section.title}\n" for name, section in suite.SECTIONS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        usage="%(prog)s [COMMAND] [FILE] [OPTION…]",
        description=DESCRIPTION + sections,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", choices=COMMANDS, default="run", help=argparse.SUPPRESS)
    parser.add_argument("file", nargs="?", type=Path, help=argparse.SUPPRESS)
    parser.add_argument(
        "--only", type=_sections, default=tuple(suite.SECTIONS), metavar="SECTION,…", help="what to measure"
    )
    parser.add_argument("--seconds", type=_positive, metavar="S", help="each measurement in each round (default: 2)")
    parser.add_argument("--rounds", type=_count, metavar="N", help="how many rounds (default: 5)")
    parser.add_argument("--connections", type=_counts_of, metavar="N,…", help="at the same time (default: 1,8,64)")
    parser.add_argument("--quick", action="store_true", help="half a minute, to see that everything works: no figures")
    parser.add_argument("--json", type=Path, default=DEFAULT_FILE, metavar="FILE", help="the file that is written")
    parser.add_argument("-o", "--output", choices=("table", "json"), default="table", help="what is printed")
    parser.add_argument("--check", action="store_true", help="exit with code 1 if a bar is missed")
    parser.add_argument("--update", action="store_true", help="counts: make what is counted now the expected figures")
    against = parser.add_argument_group("another injector, in turns with ours")
    against.add_argument("--against", metavar="URL", help="its webhook, such as https://127.0.0.1:15017/inject")
    against.add_argument("--ca", type=Path, metavar="FILE", help="whom to trust for it, as PEM")
    against.add_argument("--insecure", action="store_true", help="do not check its certificate")
    against.add_argument("--pid", type=_count, help="its process, if it runs here: its processor time is measured then")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    found = _measured(arguments)
    results.write(found, arguments.json)
    _print(found, arguments.output)
    print(f"Figures: {arguments.json}", file=sys.stderr)
    if broken := results.failed(found):
        print(f"The benchmark failed: {', '.join(broken)}; the reason is above.", file=sys.stderr)
        return 1
    missed = [each.bar.what for each in bars.judged(found) if each.holds is False]
    return 1 if missed and arguments.check else 0


def _measured(arguments: argparse.Namespace) -> results.Results:
    plan = plan_of(arguments)
    with Bench(plan, Progress(), start_cluster, arguments.other) as bench:
        return results.results(plan, suite.measure(bench, arguments.only))


def _print(found: results.Results, output: str) -> None:
    if output == "json":
        print(results.as_text(found), end="")
    else:
        print("\n\n".join([report.heading(found), *(table.text() for table in report.tables(found))]))


def _counts(arguments: argparse.Namespace) -> int:
    found, before = counting.counted(), counting.expected()
    for name, counts in found.items():
        print(f"{name:12} {counts.calls:8,} calls {counts.opcodes:9,} opcodes")
    if arguments.update:
        counting.update(found)
        print(f"Written to {counting.EXPECTED.relative_to(ROOT)} for {counting.version()}.")
        return 0
    if before is None:
        print(f"There are no figures for {counting.version()} to compare with; to make some: {counting.REFRESH}")
        return 0
    if grown := counting.grown(before, found):
        print("\n".join(["More than expected:", *(f"  {each}" for each in grown)]))
        return 1
    if counting.shrunk(before, found):
        print(f"Less than expected. Well done; keep it: {counting.REFRESH}")
    return 0


def _picture(arguments: argparse.Namespace) -> int:
    print(picture.svg(results.read(arguments.file)), end="")
    return 0


def _page(arguments: argparse.Namespace) -> int:
    print(page.generated(results.read(arguments.file)))
    return 0


def _publish(arguments: argparse.Namespace) -> int:
    found = results.read(arguments.file) if arguments.file else _measured(arguments)
    if broken := results.failed(found):
        results.write(found, arguments.json)
        raise ValueError(f"{', '.join(broken)}; nothing is published, and what was measured is in {arguments.json}")
    for file in page.publish(found):
        print(f"Written: {file.relative_to(ROOT)}")
    return 0


def _other(arguments: argparse.Namespace) -> Target | None:
    if not arguments.against:
        return None
    ca = arguments.ca.read_text() if arguments.ca else ""
    if ca:
        ssl.create_default_context(cadata=ca)
    return target_of(
        arguments.against, name="the other injector", ca=ca, insecure=arguments.insecure, pid=arguments.pid
    )


def _sections(text: str) -> tuple[str, ...]:
    found = tuple(text.split(","))
    if unknown := [name for name in found if name not in suite.SECTIONS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: there are {', '.join(suite.SECTIONS)}")
    return found


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _counts_of(text: str) -> tuple[int, ...]:
    return tuple(_count(part) for part in text.split(","))


def _positive(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return found


HANDLERS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "counts": _counts,
    "picture": _picture,
    "page": _page,
    "publish": _publish,
}

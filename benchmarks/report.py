"""The tables of each section, made from results and from nothing else."""

from typing import Any

from benchmarks import bars
from benchmarks.bars import CONNECTIONS, cpu_ratio
from benchmarks.http import OPERATOR, OTHER, PLAIN, TITLES
from benchmarks.results import Results, reason, section
from benchmarks.stages import REST, STAGES
from benchmarks.tables import Table, number, percent

ORDER = (OPERATOR, PLAIN, "own", "kopf", "bare", "aiohttp", OTHER)


def tables(found: Results) -> list[Table]:
    """Return every table that these results can fill."""
    made: list[Table] = []
    for name, make in MAKERS.items():
        figures = section(found, name)
        if figures:
            made += make(figures)
        elif why := reason(found, name):
            made.append(Table(f"{name}: {why}", ("",), []))
        if figures and name == "http":
            made += [table for table in (_ratios(found), _layers(figures)) if table.rows]
    return [*made, bars.table(found)]


def heading(found: Results) -> str:
    """Say in a line what the results are of."""
    machine, plan = found["machine"], found["plan"]
    versions = ", ".join(f"{name} {version}" for name, version in found["software"].items())
    what = f"{machine['processor']}, {machine['processors']} processors, {machine['system']}"
    return f"{found['taken']}, {what}; {versions}; {plan['rounds']} rounds of {plan['seconds']:g} s"


def _pipeline(figures: dict[str, Any]) -> list[Table]:
    two, every = figures["two"]["micros"], figures["all"]["micros"]
    names = ["decode the review", "read the review", "pipeline", *STAGES, REST, "answer"]
    inside = {*STAGES, REST}
    rows = [
        (f"· {name}" if name in inside else name, *(_best(each[name]) for each in (two, every)), _noise(every[name]))
        for name in names
        if name in two
    ]
    counts = figures["counts"]
    calls, opcodes = (number(counts[what]) for what in ("calls", "opcodes"))
    note = f"From the review to the answer, two containers take {calls} calls and {opcodes} opcodes"
    title = "The pipeline alone: µs of processor time, lowest round"
    workloads = f"{figures['all']['requests']} workloads"
    return [Table(title, ("", "two containers", workloads, "noise"), rows, f"{note}.")]


def _instructions(figures: dict[str, Any]) -> list[Table]:
    row = ("pipeline, two containers", number(figures["each"]))
    return [Table("Instructions of the processor", ("", "each"), [row])]


def _http(figures: dict[str, Any]) -> list[Table]:
    made = []
    servers = {key: figures["servers"][key] for key in ORDER if key in figures["servers"]}
    for connections in next(iter(servers.values())):
        rows = [_server(TITLES[key], server[connections]) for key, server in servers.items()]
        header = ("", "admissions/s", "µs CPU each", "noise", "p50 ms", "p99 ms", "p99.9 ms", "errors")
        plural = "s" if connections != "1" else ""
        made.append(Table(f"HTTPS, {connections} connection{plural}", header, rows))
    noise = figures["noise"]
    notes = [f"The same work in each round took {_noise(noise['micros'])} more at most" if noise else ""]
    notes.append(f"of its time by the clock, up to {percent(noise['stolen'])} went to others." if noise else "")
    if looked := sum(figures["remembered"].values()):
        notes.append(f"{percent(figures['remembered'].get('Hit', 0) / looked)} of the Pods were found remembered.")
    if "skipped" in figures:
        notes.append(f"Without the operator: {figures['skipped']}")
    made[-1] = Table(made[-1].title, made[-1].header, made[-1].rows, "; ".join(filter(None, notes)))
    return made


def _server(title: str, figures: dict[str, Any]) -> tuple[str, ...]:
    cpu, millis = figures["cpu_micros"], figures["millis"]
    return (
        title,
        number(figures["rate"]["median"]),
        number(cpu["median"]) if cpu else "–",
        _noise(cpu) if cpu else "–",
        *(number(millis[level], 1) for level in ("p50", "p99", "p999")),
        number(sum(figures["errors"].values())),
    )


def _ratios(found: Results) -> Table:
    """Return the processor time of the operator by that of each other server, both of the same round."""
    others = ("kopf", "own", "bare", "aiohttp", OTHER)
    rows = []
    for theirs in others:
        cells = [cpu_ratio(ours, theirs)(found) for ours in (OPERATOR, PLAIN)]
        if any(cells):
            rows.append((TITLES[theirs], *("–" if each is None else number(each, 2) for each in cells)))
    title = f"Processor time at {CONNECTIONS} connections, divided by that of"
    return Table(title, ("", TITLES[OPERATOR], TITLES[PLAIN]), rows)


def _layers(figures: dict[str, Any]) -> Table:
    """Return what an admission consists of: differences between servers of which each does more than the one before."""
    names = {
        "aiohttp": "sockets, TLS and HTTP: aiohttp, which decodes the review and answers nothing",
        "bare": "our server around it: checks, bounds, metrics",
        PLAIN: "the injection: pipeline, and the answer with the patch",
    }
    before, rows = 0.0, []
    for key, title in names.items():
        cpu = figures["servers"].get(key, {}).get(CONNECTIONS, {}).get("cpu_micros")
        if not cpu:
            return Table("", ("",), [])
        rows.append((title, number(cpu["median"] - before), number(cpu["median"])))
        before = cpu["median"]
    title = f"Where the time goes: µs of processor time at {CONNECTIONS} connections, nothing remembered"
    return Table(title, ("", "more", "in all"), rows)


def _growth(figures: dict[str, Any]) -> list[Table]:
    rows = []
    for what, points in figures.items():
        first = next(iter(points.values()))["lowest"]
        for size, point in points.items():
            rows.append((what, number(int(size)), _best(point), number(point["lowest"] / first, 2), _noise(point)))
    return [Table("What grows with what", ("", "how many", "µs of processor time", "by the first", "noise"), rows)]


def _accept(figures: dict[str, Any]) -> list[Table]:
    rows = [
        (title, *(number(each[what]["lowest"], 1) for what in ("compile_millis", "accept_millis")))
        for title, each in figures.items()
    ]
    title = "Judging a config: ms of processor time"
    return [Table(title, ("", "parse and compile", "the same, with trial renders"), rows)]


def _start(figures: dict[str, Any]) -> list[Table]:
    levels = ("lowest", "median", "highest")
    row = ("seconds", *(number(figures["seconds"][level], 2) for level in levels))
    return [Table("Start of the process until it is ready", ("", *levels), [row])]


def _live(figures: dict[str, Any]) -> list[Table]:
    names = {
        "answered_millis": "the API server has answered the edit",
        "live_millis": "the first Pod is served with it",
    }
    rows = [
        (title, *(number(figures[key][level]) for level in ("lowest", "median", "highest")))
        for key, title in names.items()
    ]
    title = f"From an edit of a config, over {figures['live_millis']['rounds']} edits, until … in ms"
    return [Table(title, ("", "lowest", "median", "highest"), rows)]


def _memory(figures: dict[str, Any]) -> list[Table]:
    rows = [(f"started, {configs} configs", number(mib, 1)) for configs, mib in figures["configs"].items()]
    rows += [
        (f"after {number(int(times))} admissions", number(mib, 1))
        for times, mib in figures["admissions"].items()
        if times != "0"
    ]
    return [Table("Resident memory", ("", "MiB"), rows)]


def _best(figures: dict[str, float]) -> str:
    return number(figures["lowest"], 0 if figures["lowest"] >= 100 else 1)


def _noise(figures: dict[str, float]) -> str:
    return percent(figures["highest"] / figures["lowest"] - 1) if figures["lowest"] > 0 else "–"


MAKERS = {
    "pipeline": _pipeline,
    "instructions": _instructions,
    "http": _http,
    "growth": _growth,
    "accept": _accept,
    "start": _start,
    "live": _live,
    "memory": _memory,
}

"""The picture of docs/performance.md, drawn from results: what an admission takes, and where the time goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from benchmarks.bars import CONNECTIONS
from benchmarks.http import OPERATOR, OTHER, PLAIN, TITLES
from benchmarks.results import Results, section
from benchmarks.stages import REST, STAGES
from benchmarks.tables import number

WIDTH, LABELS, ROW, TOP = 820, 340, 26, 44
INK, FAINT, PAPER = "#24292f", "#8c959f", "#ffffff"
OURS, FLOOR, STEP = "#0969da", "#afb8c1", "#54aeff"
SERVERS = (
    ("aiohttp", FLOOR),
    ("bare", FLOOR),
    ("own", FLOOR),
    ("kopf", FLOOR),
    (PLAIN, OURS),
    (OPERATOR, OURS),
    (OTHER, FLOOR),
)


@dataclass(frozen=True)
class Bar:
    """One bar, of so many microseconds."""

    label: str
    micros: float
    colour: str


def svg(found: Results) -> str:
    """Return the picture; without the sections it shows, it is empty but for its frame."""
    panels = [
        (f"Processor time of an admission, µs (HTTPS, {CONNECTIONS} connections, median round)", list(_servers(found))),
        ("Of that the pipeline, step by step (Pod of two containers, lowest round)", list(_steps(found))),
    ]
    body: list[str] = []
    top = 0
    for title, bars in panels:
        body += _panel(title, bars, top)
        top += TOP + ROW * len(bars) + 12
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img" '
            f'font-family="system-ui, sans-serif" font-size="13">',
            f"<title>{escape('What an admission takes')}</title>",
            f'<rect width="{WIDTH}" height="{top}" fill="{PAPER}"/>',
            *body,
            "</svg>",
            "",
        ]
    )


def _servers(found: Results) -> Iterator[Bar]:
    servers = (section(found, "http") or {}).get("servers", {})
    for key, colour in SERVERS:
        cpu = servers.get(key, {}).get(CONNECTIONS, {}).get("cpu_micros")
        if cpu:
            yield Bar(TITLES[key], cpu["median"], colour)


def _steps(found: Results) -> Iterator[Bar]:
    figures = section(found, "pipeline")
    micros = figures["two"]["micros"] if figures else {}
    for name in (*STAGES, REST):
        if name in micros:
            yield Bar(name, max(micros[name]["lowest"], 0.0), STEP)


def _panel(title: str, bars: Sequence[Bar], top: int) -> list[str]:
    longest = max((bar.micros for bar in bars), default=0) or 1
    room = WIDTH - LABELS - 90
    lines = [_text(16, top + 28, title, INK, weight="600")]
    for count, bar in enumerate(bars):
        y = top + TOP + ROW * count
        width = max(room * bar.micros / longest, 1)
        lines += [
            _text(LABELS - 10, y + 14, bar.label, INK, anchor="end"),
            f'<rect x="{LABELS}" y="{y}" width="{width:.1f}" height="{ROW - 8}" rx="2" fill="{bar.colour}"/>',
            _text(LABELS + width + 8, y + 14, number(bar.micros, 0 if bar.micros >= 10 else 1), FAINT),
        ]
    return lines


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", weight: str = "400") -> str:
    place = f'x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"'
    return f'<text {place} font-weight="{weight}" fill="{colour}">{escape(text)}</text>'

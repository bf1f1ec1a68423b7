"""How log lines look, and what is not worth one."""

import datetime
import json
import logging

from sidecar_injector.settings import Settings

QUIET = ("kopf.objects",)
"""Loggers that say one or two lines for every request and every event; their warnings are of interest."""
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every log record has; the rest are the fields of ours, and those that Kopf adds for itself."""
IGNORED = frozenset({"settings", "k8s_skip", "k8s_ref"})


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, the fields of the message, and the traceback if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        time = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        fields = {key: value for key, value in vars(record).items() if key not in STANDARD and key not in IGNORED}
        line = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields,
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(settings: Settings) -> None:
    """Log to standard error, as the settings say."""
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s")
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else plain)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())


def hush() -> None:
    """Keep Kopf and its libraries from logging each request and each event."""
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)

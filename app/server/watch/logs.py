"""The format of log lines: text for people or JSON for programs, both with the request's id."""

import logging

from pythonjsonlogger.json import JsonFormatter

from app.server.watch.requests import request_id
from app.settings import LogFormat

TEXT = "%(levelname)s %(name)s%(request)s: %(message)s"

FIELDS = "%(asctime)s %(levelname)s %(name)s %(message)s"


class NameRequest(logging.Filter):
    """Adds the request's id to each line."""

    def filter(self, record: logging.LogRecord) -> bool:
        name = request_id.get()
        record.request_id = name
        record.request = "" if name is None else f" [{name}]"
        return True


def set_up_logging(level: str, form: LogFormat) -> None:
    """Write this process's log lines to stderr."""
    handler = logging.StreamHandler()
    handler.addFilter(NameRequest())
    if form is LogFormat.JSON:
        renamed = {"asctime": "time", "levelname": "level", "name": "logger"}
        # `request` is only for the text format.
        handler.setFormatter(JsonFormatter(FIELDS, rename_fields=renamed, reserved_attrs=(*RESERVED, "request")))
    else:
        handler.setFormatter(logging.Formatter(TEXT))
    # It writes a line for every broken form, which its client gets as an answer anyway.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


RESERVED = tuple(vars(logging.makeLogRecord({})).keys() | {"asctime", "message", "taskName"})

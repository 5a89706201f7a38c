"""How log lines look: for people, or as one JSON object a line; and an access log without queries."""

import logging
import time

import msgspec


class TextLine(logging.Formatter):
    """A line for people: time, level, logger, words."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")


class JsonLine(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


class WithoutQuery(logging.Filter):
    """Cuts the query off the path in uvicorn's access log: it may carry codes and tokens."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place; every line stays."""
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, version, status = record.args
            record.args = (client, method, str(path).partition("?")[0], version, status)
        return True

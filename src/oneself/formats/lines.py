"""Rows out of a file of lines: JSON lines and CSV, one at a time, whatever stands in the lines between."""

import csv
from collections.abc import Iterator
from typing import BinaryIO

from oneself.faults import RowRefused
from oneself.formats.fields import CORRECT

# The longest row: a user with metadata and tokens stays far below, and a file without line ends must not fill the
# memory.
LONGEST_ROW = 4_194_304
_PIECE = 65_536
_BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")

Rows = Iterator[tuple[int, bytes | RowRefused]]


def too_long() -> RowRefused:
    """The refusal of a row that is longer than any."""
    return RowRefused(f"it is longer than {LONGEST_ROW // 1_048_576} MiB", "Leave out what makes it so long.")


def encoding_refusal(first: bytes) -> RowRefused | None:
    """Why a file that begins so cannot be read at all, if it cannot."""
    if first.startswith(_OTHER_ENCODINGS):
        return RowRefused("the file is UTF-16", "Save it as UTF-8.")
    return None


def without_mark(line: bytes) -> bytes:
    """The first line without the byte order mark that some programs put in front of UTF-8."""
    return line.removeprefix(_BOM)


def lines_of(file: BinaryIO) -> Rows:
    """Every line that is not empty, with its number; one that is too long is read over and refused."""
    number = 0
    while line := file.readline(LONGEST_ROW + 1):
        number += 1
        if len(line) > LONGEST_ROW and not line.endswith(b"\n"):
            while (rest := file.readline(_PIECE)) and not rest.endswith(b"\n"):
                pass
            yield number, too_long()
            continue
        if number == 1:
            line = without_mark(line)
        if line.strip():
            yield number, line


def cells_of(file: BinaryIO) -> Iterator[tuple[int, list[str] | RowRefused, int]]:
    """The cells of every row of a CSV file (RFC 4180), with the line where it begins and its length in bytes.

    A quote that is never closed takes the lines behind it along until the row is too long; nothing in the file could
    tell where it should have ended.
    """
    csv.field_size_limit(LONGEST_ROW)
    lines = _Lines(file)
    reader = csv.reader(lines, strict=True)
    while True:
        first = lines.number + 1
        lines.row_bytes = 0
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _TooLong:
            yield first, too_long(), 0
        except csv.Error:
            yield first, RowRefused("it is no valid CSV: a quote is out of place or never closed", CORRECT), 0
        else:
            if any(cells):
                yield first, cells, lines.row_bytes


class _TooLong(Exception):
    """The row is longer than any row may be."""


class _Lines:
    """The lines of a file as text, counted; bytes that are no UTF-8 stay recognisable."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.number = 0
        self.row_bytes = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_ROW + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self.row_bytes += len(line)
        if self.row_bytes > LONGEST_ROW:
            while line and not line.endswith(b"\n"):
                line = self._file.readline(_PIECE)
            raise _TooLong
        if self.number == 1:
            line = without_mark(line)
        return line.decode("utf-8", "surrogateescape")

"""Every row of a file of users, in whichever of the three formats and whatever container it comes."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from oneself.faults import RowRefused
from oneself.formats import documents, lines, stack, stytch, table
from oneself.formats.fields import Json, parsed
from oneself.model import TransferFormat, UserRecord

# As much of the beginning as tells what the file is.
_LOOK = 65_536

# The line where it begins, what it says or why it cannot be read, and how many bytes of the file it took.
Row = tuple[int, UserRecord | RowRefused, int]


def rows(file: BinaryIO, source: TransferFormat, environment: str = "") -> Iterator[Row]:
    """The rows of `file`, which must be able to seek, each with the line where it begins and its length in bytes.

    `environment` (`test`, `live`, or empty for both) is what Stytch's ids must belong to. A row that cannot be read is
    a RowRefused in its place; nothing is raised for what stands in the file.
    """
    first = file.read(_LOOK)
    file.seek(0)
    refusal = lines.encoding_refusal(first)
    if refusal is not None:
        yield 1, refusal, 0
    elif source == "csv":
        yield from _table(file)
    else:
        of_row: Callable[[Json], UserRecord] = stack.read
        if source == "stytch":
            of_row = lambda row: stytch.read(row, environment)  # noqa: E731 - the same reader with one thing known
        split = documents.rows_of if documents.is_document(first) else lines.lines_of
        for line, said in split(file):
            if isinstance(said, RowRefused):
                yield line, said, 0
            else:
                yield line, _object(of_row, said), len(said)


def _object(of_row: Callable[[Json], UserRecord], said: bytes) -> UserRecord | RowRefused:
    try:
        return of_row(parsed(said))
    except RowRefused as refusal:
        return refusal


def _table(file: BinaryIO) -> Iterator[Row]:
    columns: tuple[str, ...] = ()
    for line, cells, size in lines.cells_of(file):
        said: UserRecord | RowRefused
        try:
            if isinstance(cells, RowRefused):
                said = cells
            elif not columns:
                columns = table.header(cells)
                continue
            else:
                said = table.read(columns, cells)
        except RowRefused as refusal:
            said = refusal
        yield line, said, size
        if not columns:
            return  # without the names of its columns no row can be read

"""Rows out of one JSON document: an array of objects, or an object that holds such an array, read piece by piece."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from oneself.faults import RowRefused
from oneself.formats.lines import LONGEST_ROW, Rows, without_mark

# Where vendors' answers keep their users.
_HOLDERS = (b'"items"', b'"results"', b'"users"')
_PIECE = 65_536
_NEXT = re.compile(rb'["{}\[\],]')
_STRING_END = re.compile(rb'["\\]')


def is_document(first: bytes) -> bool:
    """Whether a file that begins so is one document, and not a line for each user."""
    start = without_mark(first).lstrip()
    if start.startswith(b"["):
        return True
    if not start.startswith(b"{"):
        return False
    line = start.split(b"\n", 1)[0].strip()
    # an object that goes on in the next line, or one whose array of users begins in this one
    return line in (b"{", b"") or _holder(start[: len(line)]) is not None


def rows_of(file: BinaryIO) -> Rows:
    """Every element of the array, with the number of the line where it begins.

    A broken element is refused alone as long as its brackets and quotes are closed.
    """
    scanner = _Scanner(file)
    if not scanner.enter_array():
        yield (
            1,
            RowRefused(
                "the file is a JSON object without a list of users",
                "Give an array, one object a line, or an object with `items` or `results`.",
            ),
        )
        return
    yield from scanner.elements()


def _holder(text: bytes) -> int | None:
    """Where the array of users begins in a text that begins an object, behind its bracket; None if not in it."""
    depth, place = 0, 0
    while match := _NEXT.search(text, place):
        mark, place = match[0], match.end()
        if mark == b'"':
            begin = match.start()
            end = _string_end(text, place)
            if end is None:
                return None
            place = end
            if depth == 1 and text[begin:end] in _HOLDERS:
                behind = re.compile(rb"\s*:\s*\[").match(text, end)
                if behind:
                    return behind.end()
        elif mark in b"{[":
            depth += 1
        elif mark in b"}]":
            depth -= 1
    return None


def _string_end(text: bytes, place: int) -> int | None:
    """Behind the quote that ends the string which began before `place`; None if it does not end in the text."""
    while match := _STRING_END.search(text, place):
        if match[0] == b'"':
            return match.end()
        place = match.end() + 1
    return None


class _Scanner:
    """The file as a text that is thrown away behind the reader."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._text = without_mark(file.read(_PIECE))
        self._place = 0
        self._line = 1

    def _more(self) -> bool:
        """Read on, and forget what lies behind; False at the end of the file."""
        piece = self._file.read(_PIECE)
        self._line += self._text.count(b"\n", 0, self._place)
        self._text = self._text[self._place :] + piece
        self._place = 0
        return bool(piece)

    def enter_array(self) -> bool:
        """Go to behind the bracket of the array of users; False where there is none."""
        while not self._text.lstrip() and self._more():
            pass
        start = len(self._text) - len(self._text.lstrip())
        if self._text[start : start + 1] == b"[":
            self._place = start + 1
            return True
        while (found := _holder(self._text)) is None:
            if len(self._text) > LONGEST_ROW or not self._more():
                return False
        self._place = found
        return True

    def elements(self) -> Rows:
        """What stands between the commas of the array, up to its end, or to where no end can be found."""
        for begin, end, mark in self._spans():
            element = self._text[begin:end].strip()
            blank = len(self._text[begin:end]) - len(self._text[begin:end].lstrip())
            line = self._line + self._text.count(b"\n", 0, begin + blank)
            if not mark:
                yield line, _without_end(end - begin)
            elif element:
                yield line, element

    def _spans(self) -> Iterator[tuple[int, int, bytes]]:
        """Begin and end of each element in the text at hand, and the comma or bracket behind it.

        Nothing behind it: the file ends, or the element is longer than any.
        """
        depth, at = 0, self._place
        while True:
            match = _NEXT.search(self._text, at)
            if match is None:
                at = len(self._text)
            elif match[0] == b'"':
                end = _string_end(self._text, match.end())
                at = match.start() if end is None else end
                match = match if end is not None else None
            elif depth == 0 and match[0] in b",]":
                yield self._place, match.start(), match[0]
                self._place = at = match.end()
                if match[0] == b"]":
                    return
            else:
                depth += 1 if match[0] in b"{[" else -1 if match[0] in b"}]" else 0
                at = match.end()
            if match is None:
                behind = at - self._place
                if len(self._text) - self._place > LONGEST_ROW or not self._more():
                    yield self._place, len(self._text), b""
                    return
                at = self._place + behind


def _without_end(length: int) -> RowRefused:
    lines = "Write one object a line (`jq -c '.[]'`): then a broken row stands alone."
    if length > LONGEST_ROW:
        return RowRefused(f"it is longer than {LONGEST_ROW // 1_048_576} MiB; nothing behind it was read", lines)
    return RowRefused("the file ends inside of the list of users", "The file is cut off: fetch it anew.")

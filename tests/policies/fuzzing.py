# SPDX-License-Identifier: EUPL-1.2
"""Breaks a rule folder in the ways that people, spreadsheets, disks and enemies do.

Every case is made from a seed and its number alone, so that a finding can be made again:
`CUVAR_FUZZ_SEED`. `tests/policies/test_fuzz.py` relies on it.
"""

from random import Random

EDITS = 3
# What spreadsheets, editors and lookalikes put in place of what was meant.
CHARACTERS = (
    *("\ufeff", "\u200b", "\u00a0", "\u0000", "\r", "\t", "\u2028", "\u0085", "\u202e", "\u00ad"),
    *("\u0430", "\u0435", "\u043e", "\uff41", "\u0131", "\u0301", "\u2010", "\uff0c", "\u066b"),
    *('"', "'", ";", "#", "(", ")", "[", "]", "|", "&", "!", "=", "\\", "`", "<", "*", "+", "-"),
    *(",", " ", "\n", ".", "/", "%", "$", "^", "?", "0", "9" * 5000, "\U0001f600"),
)
WORDS = (
    *(
        "allow",
        "deny",
        "Deny",
        "deny # note",
        " deny",
        "DENY",
        "maybe",
        "*",
        "-",
        "",
        " ",
        "p",
        "g",
    ),
    *("* but ", "* but *", "* but -", "own", "here", "states", "offices", "EU", "NON", "INT"),
    *("personal", "case_bound", "common", "verified", "yes", "no", "record", "derived", "positive"),
    *("harmful", "2026-02-30", "2026-11-24", "0", "-1", "9" * 5000, "x" * 70000, "a + a", " + "),
)


def case(files, words, seed, number):
    """The files of one broken folder, and a sentence for each thing done to it."""
    made = Breaker(files, words, Random(f"{seed}/{number}"))  # noqa: S311  # repeatable, no secret
    for _ in range(made.dice.randint(1, EDITS)):
        made.edit()
    return made.files, made.done


def vocabulary_words(files):
    """Every cell and every word of a list in the folder."""
    found = set()
    for raw in files.values():
        for line in raw.decode().splitlines():
            for cell in line.split(","):
                found.update((cell, *cell.split(" + ")))
    return sorted(found)


class Breaker:
    """A folder and the dice that break it."""

    def __init__(self, files, words, dice):
        self.files = dict(files)
        self.words = words
        self.dice = dice
        self.done = []

    def edit(self):
        """One random edit of one random file."""
        name = self.dice.choice(sorted(self.files) or ["floor.csv"])
        edits = (
            *(self.cell_of_another_line, self.word, self.list_word, self.column, self.letter) * 4,
            *(self.drop_line, self.repeat_line, self.move_line, self.foreign_line) * 3,
            *(self.bit, self.cut, self.hole, self.insertion) * 2,
            *(self.drop_file, self.new_file, self.other_file),
        )
        edit = self.dice.choice(edits)
        edit(name)
        self.done.append(f"{edit.__name__} {name}")

    def _raw(self, name):
        return self.files.get(name, b"")

    def _lines(self, name):
        return self._raw(name).split(b"\n")

    def _place(self, name):
        lines = self._lines(name)
        return lines, self.dice.randrange(len(lines))

    def _cells(self, name):
        """All lines, one of them as cells, and a place in each."""
        lines, at = self._place(name)
        cells = lines[at].split(b",")
        return lines, at, cells, self.dice.randrange(len(cells))

    def _put(self, name, lines):
        self.files[name] = b"\n".join(lines)

    def _put_cells(self, name, lines, at, cells):
        lines[at] = b",".join(cells)
        self._put(name, lines)

    def cell_of_another_line(self, name):
        lines, at, cells, column = self._cells(name)
        other = self.dice.choice(lines).split(b",")
        cells[column] = other[min(column, len(other) - 1)]
        self._put_cells(name, lines, at, cells)

    def word(self, name):
        lines, at, cells, column = self._cells(name)
        cells[column] = self.dice.choice((self.dice.choice(WORDS), self.dice.choice(self.words)))
        cells[column] = cells[column].encode()
        self._put_cells(name, lines, at, cells)

    def list_word(self, name):
        lines, at, cells, column = self._cells(name)
        joint = self.dice.choice((" + ", " + ", " but ", "+", " +  "))
        cells[column] += (joint + self.dice.choice(self.words)).encode()
        self._put_cells(name, lines, at, cells)

    def column(self, name):
        lines, at, cells, column = self._cells(name)
        if self.dice.choice((True, False)):
            del cells[column]
        else:
            cells.insert(column, self.dice.choice((b"", b"-", b"*", b"p")))
        self._put_cells(name, lines, at, cells)

    def letter(self, name):
        lines, at, cells, column = self._cells(name)
        cell = cells[column]
        where = self.dice.randrange(len(cell) + 1)
        change = self.dice.choice((bytes.upper, bytes.lower, bytes.title, bytes.swapcase, None))
        if change is not None:
            cells[column] = change(cell)
        else:
            cells[column] = cell[:where] + self.dice.choice(CHARACTERS).encode() + cell[where + 1 :]
        self._put_cells(name, lines, at, cells)

    def drop_line(self, name):
        lines, at = self._place(name)
        self._put(name, lines[:at] + lines[at + 1 :])

    def repeat_line(self, name):
        lines, at = self._place(name)
        lines.insert(self.dice.randrange(len(lines)), lines[at])
        self._put(name, lines)

    def move_line(self, name):
        lines, at = self._place(name)
        line = lines.pop(at)
        lines.insert(self.dice.randrange(len(lines) + 1), line)
        self._put(name, lines)

    def foreign_line(self, name):
        lines, at = self._place(name)
        lines.insert(at, self.dice.choice(self._lines(self.dice.choice(sorted(self.files)))))
        self._put(name, lines)

    def bit(self, name):
        raw = bytearray(self._raw(name) or b"\n")
        raw[self.dice.randrange(len(raw))] ^= 1 << self.dice.randrange(8)
        self.files[name] = bytes(raw)

    def cut(self, name):
        raw = self._raw(name)
        self.files[name] = raw[: self.dice.randrange(len(raw) + 1)]

    def hole(self, name):
        raw = self._raw(name)
        at = self.dice.randrange(len(raw) + 1)
        self.files[name] = raw[:at] + raw[at + self.dice.randint(1, 40) :]

    def insertion(self, name):
        raw = self._raw(name)
        at = self.dice.randrange(len(raw) + 1)
        some = self.dice.choice((self.dice.choice(CHARACTERS).encode(), self.dice.randbytes(3)))
        self.files[name] = raw[:at] + some + raw[at:]

    def drop_file(self, name):
        self.files.pop(name, None)

    def new_file(self, name):
        stem = self.dice.choice(("old-", "XX/", "INT/", "../", "vocabulary/", "\u0430", " "))
        self.files[stem + name] = self._raw(name)

    def other_file(self, name):
        self.files[name] = self._raw(self.dice.choice(sorted(self.files) or [name]))

"""The table of docs/differences.md: each row says in its last column what it accounts for, in a form that tests read.

A pattern is `TRACES/SIGN KIND:WHAT#PART@RUNS` without the space. Without TRACES it is about any of them, without RUNS about every
one; in the rest `*` stands for anything. SIGN is that of `Deviation`. So `main,lean/-key:analyzer.stale@6-8` accounts for a key that Skyline
has after the runs 6 to 8 of two recordings, and Ridgeline not.
"""

import re
from dataclasses import dataclass

FORM = re.compile(r"(?:(?P<traces>[a-z_,]+)/)?(?P<name>[-+~][a-z]+:.*?)(?:@(?P<runs>\d[\d,-]*))?")


@dataclass(frozen=True)
class Pattern:
    """What one code span of the last column covers."""

    text: str
    row: str
    traces: frozenset
    runs: frozenset
    name: re.Pattern

    @classmethod
    def read(cls, text, row):
        found = FORM.fullmatch(text)
        assert found, f"docs/differences.md: {text!r} has not the form [TRACES/]SIGN KIND:WHAT[#PART][@RUNS]"
        traces = frozenset((found["traces"] or "").split(",")) - {""}
        name = ".*".join(re.escape(part) for part in found["name"].split("*"))
        return cls(text, row, traces, frozenset(_runs(found["runs"] or "")), re.compile(name, re.DOTALL))

    def covers(self, deviation):
        """Whether it accounts for it."""
        return (
            (not self.traces or deviation.trace in self.traces)
            and (not self.runs or deviation.run in self.runs)
            and self.name.fullmatch(deviation.name) is not None
        )


def _runs(text):
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def read_table(text):
    """Every pattern of the table; its rows are those with four cells before the patterns, none of them empty."""
    patterns = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or len(cells) != 5 or cells[0] == "where" or set(line) <= set("|- "):
            continue
        assert all(cells), f"docs/differences.md: a row lacks a cell: {line}"
        found = re.findall("`([^`]+)`", cells[4])
        assert found, f"docs/differences.md: a row covers nothing that a test can see: {line}"
        patterns += [Pattern.read(one, cells[0]) for one in found]
    assert patterns, "docs/differences.md has no table"
    return patterns

"""A table of differences in docs/: each row says in its last column what it accounts for, in a form that tests read.

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
    def read(cls, text, row, page):
        found = FORM.fullmatch(text)
        assert found, f"{page}: {text!r} has not the form [TRACES/]SIGN KIND:WHAT[#PART][@RUNS]"
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


def read_table(path):
    """Every pattern of the page's table; its rows are those with four cells before the patterns, none of them empty."""
    patterns = []
    for line in path.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or len(cells) != 5 or cells[0] == "where" or set(line) <= set("|- "):
            continue
        assert all(cells), f"{path}: a row lacks a cell: {line}"
        found = re.findall("`([^`]+)`", cells[4])
        assert found, f"{path}: a row covers nothing that a test can see: {line}"
        patterns += [Pattern.read(one, cells[0], path) for one in found]
    assert patterns, f"{path} has no table"
    return patterns


def unexplained(deviations, table):
    """What no row accounts for."""
    return [str(found) for found in deviations if not any(row.covers(found) for row in table)]


def untrue(deviations, table, runs):
    """What rows say of other runs than there are such deviations in; `runs`: by recording, all that it has."""
    wrong = []
    for row in table:
        covered = {found.run for found in deviations if row.covers(found)}
        said = row.runs or {run for name in row.traces or runs for run in runs[name]}
        if covered != said:
            wrong.append(f"{row.row}: {row.text} holds in the runs {sorted(covered)}")
    return wrong

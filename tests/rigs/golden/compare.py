"""Every deviation of what Ridgeline did from what Skyline did, for one run."""

from dataclasses import dataclass

from rigs.golden import flat, told


@dataclass(frozen=True, order=True)
class Deviation:
    """What differs, as `SIGN KIND:WHAT#PART`: `-` Skyline has it and we do not, `+` we have it alone, `~` it differs."""

    trace: str
    run: int
    name: str
    expected: object
    got: object

    def __str__(self):
        return f"{self.trace}@{self.run} {self.name}: expected {_short(self.expected)}, got {_short(self.got)}"


def deviations(trace, seen):
    """All of a run's; a part of what is missing as a whole is not told of."""
    run = seen.run
    recorded = {
        **flat.recorded_verdicts(trace.verdicts(run)),
        **flat.keys(trace.keys(run)),
        **{f"series:{metric}": "rewritten" for metric in trace.rewritten(run)},
        **flat.recorded_files(trace.files(run)),
        **told.posts(trace.posts(run)),
        **told.syslog(trace.syslog(run)),
        **told.recorded_mails(trace.mails(run)),
        **told.points(trace.points[trace.clock(run)]),
    }
    ours = {
        **flat.seen_verdicts(seen.verdicts, seen.report.algorithms, trace.verdicts(run)),
        **flat.keys(seen.keys),
        **{f"series:{metric}": "rewritten" for metric in seen.rewritten},
        **flat.seen_files(seen.files),
        **told.posts(seen.posts),
        **told.syslog(told.frames(seen.syslog)),
        **told.seen_mails(seen.mails),
        **told.points(told.lines(seen.lines)),
    }
    return [Deviation(trace.name, run, name, *pair) for name, pair in sorted(unlike(recorded, ours).items())]


def unlike(recorded, ours):
    """By `SIGN KIND:WHAT#PART` what was recorded and what is ours; nothing is said of parts of what is missing as a whole."""
    found = {}
    for name in recorded.keys() | ours.keys():
        whole = name.partition("#")[0]
        if whole != name and _says_it_all(recorded.get(whole), ours.get(whole), whole):
            continue
        expected, got = recorded.get(name), ours.get(name)
        if name not in ours:
            found[f"-{name}"] = (expected, None)
        elif name not in recorded:
            found[f"+{name}"] = (None, got)
        elif expected != got and not (name.startswith("verdict:") and None in {expected, got}):  # a vote not needed
            found[f"~{name}"] = (expected, got)
    return found


def _says_it_all(expected, got, whole):
    """Whether a thing differs as a whole: it is missing on one side, or is another verdict."""
    return expected is None or got is None or (whole.startswith("verdict:") and expected != got)


def _short(value):
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}..."

"""Whether a run could judge too little to be called a success."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ridgeline.engine.run.turn import Request, Turn
from ridgeline.engine.units import spoken
from ridgeline.io.errors import NoData

JUDGED: Final = ("analysed", "boring")
NOT_DUE: Final = ("skipped", "shed")


def judge_no_data(turn: Turn) -> None:
    """Find that there is no data where nothing is listed, or under half of what was due could be judged.

    Judged means `analysed` or `boring`. Due is what is listed, less what was skipped or shed. A source that was not read
    to its end is not known to be empty, and one that lists other hosts' metrics only is not.
    """
    if turn.lacking is not None or turn.scan is None:
        return
    counts, metrics = turn.report.outcomes, turn.report.metrics
    due = metrics - sum(counts[outcome] for outcome in NOT_DUE)
    judged = sum(counts[outcome] for outcome in JUDGED)
    if not metrics and turn.whole and not turn.share.others:
        lack(turn, f"the source lists {_which(turn.request)}: is it the right one, and is anything writing to it?")
    elif 2 * judged < due and not turn.request.check_airgaps_only:
        lack(turn, f"only {judged:,} of {due:,} metrics could be judged ({_rest(counts)}): {_why(turn, due)}")


def _which(request: Request) -> str:
    """What was asked for, and is not there."""
    if request.match is not None:
        return f'no metric that matches "{request.match}"'
    return "no metrics at all" if request.only is None else f"none of the {len(request.only):,} metrics asked for"


def lack(turn: Turn, sentence: str) -> None:
    """There is no data, for the reason that the sentence gives."""
    turn.lacking = NoData(sentence)
    turn.find(NoData.exit_code, sentence)


def _why(turn: Turn, due: int) -> str:
    """What may have happened: where most are stale, how old the newest of all points is."""
    leads = [int(lead.max()) for lead in turn.scan.leads if len(lead)] if turn.scan is not None else []
    if 2 * turn.report.outcomes["stale"] <= due or not leads:
        return "the source has lost data, nothing usable is written to it, or it is not the right one"
    clock = "this machine's clock is ahead" if turn.request.as_of is None else "`--as-of` is too late"
    return f"the newest point of all is {spoken(max(leads))} old: nothing writes to the source, or {clock}"


def _rest(counts: Mapping[str, int]) -> str:
    """The outcomes that left the others unjudged, the most frequent first."""
    rest = [(count, outcome) for outcome, count in counts.items() if outcome not in {*JUDGED, *NOT_DUE} and count]
    return ", ".join(f"{count:,} {outcome}" for count, outcome in sorted(rest, key=lambda pair: (-pair[0], pair[1])))

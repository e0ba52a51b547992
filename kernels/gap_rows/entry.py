"""The native entry `gap_rows`: series, whole ones or their new points, into rows about their airgaps."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, Floats, Int, IntRows, Ints, signature_of
from ridgeline.kernels.gap_rows.decide import decide
from ridgeline.kernels.gap_rows.layout import CHECK, NEWEST, READ, STEP
from ridgeline.kernels.gap_rows.row import check_of
from ridgeline.kernels.gap_rows.tail import add_point
from ridgeline.kernels.gap_rows.whole import take_whole


@exact_kernel
def run(
    offsets: Ints,
    timestamps: Ints,
    rows: Ints,
    whole: Int,
    as_of: Int,
    period: Int,
    windows: Ints,
    points: Ints,
    table: IntRows,
    changed: Bytes,
    facts: IntRows,
    scratch: Floats,
) -> Int:
    """Bring the row of each series up to date; return 0.

    offsets int64[m+1], timestamps int64[N]: series, ascending; whole: not 0 where they are all that is stored, and rows are
        written anew; else they are what is new, each later than all that its row knows
    rows int64[m]: the row of each, below 0: none; windows int64[m]: the seconds that are judged of each
    as_of: epoch seconds; period: seconds before it in which gaps are looked for
    points int64[m]: of new points: those that the window then has
    table int64[n, GAP_WORDS]: the rows, changed in place; changed uint8[n]: set to 1 where they are
    facts int64[m, FACTS]: results, of new points alone (`layout`)
    scratch float64[>= gaps_room(longest whole one)]
    """
    for one in range(rows.size):
        facts[one, :] = 0
        row = rows[one]
        if row < 0:
            continue
        w = table[row]
        t = timestamps[offsets[one] : offsets[one + 1]]
        if whole != 0:
            take_whole(w, t, as_of, period, windows[one], scratch)
        elif w[CHECK] != check_of(w):
            facts[one, STEP] = READ
            continue
        else:
            for i in range(t.size):
                if t[i] > w[NEWEST]:
                    add_point(w, t[i])
            decide(w, as_of, period, points[one], t.size, facts[one])
        check = check_of(w)
        if check != w[CHECK]:
            w[CHECK] = check
            changed[row] = 1
    return 0


SIGNATURE: Final = signature_of(run)

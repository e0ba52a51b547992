"""One metric's pieces in a memory: whether each is what was written, and what is forgotten where it is not."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.memory.seal import ODD_FACTOR
from ridgeline.kernels.paging.layout import CHECK, EXTRAPOLATION, NOVELTY, OUTAGE, SEASONAL, VERSIONS
from ridgeline.kernels.walks.layout import (
    CELLS,
    LATE_VALUES,
    LEVEL_PROFILE,
    LONG_MEAN,
    N_LEADERS,
    NEWEST_SCORES,
    RECENT,
    SHORT_LOW,
    SHORT_MEAN,
    SLOT_POINTS,
    SLOT_SUM,
    SLOT_VISIT,
    SPREAD_FLOOR_STEPS,
    T_MEAN,
    T_STEPS,
    VISIT_SUM,
    WIDTH,
    Z_MEAN,
    Z_RING,
    Z_STEPS,
)

EVERY: Final = 15  # a bit of each walk


@exact_kernel
def check_of(words: np.ndarray, place: int) -> int:
    """Return the check of a piece, words int64[m], that stands at its place; never 0.

    Four sums, of every fourth word each, and the sums of these as they grow, which tell words that changed places (Fletcher,
    IEEE Transactions on Communications 30, 1982).
    """
    always_inline()
    a = b = c = d = 0
    e = f = g = h = 0
    whole = place & ~3
    for i in range(0, whole, 4):
        a += words[i]
        b += words[i + 1]
        c += words[i + 2]
        d += words[i + 3]
        e += a
        f += b
        g += c
        h += d
    for i in range(whole, place):
        a += words[i]
        e += a
    total = mixed(mixed(mixed(mixed(a) + b) + c) + d)
    total = mixed(mixed(mixed(mixed(total + e) + f) + g) + h)
    return total if total != 0 else 1


@exact_kernel
def mixed(word: int) -> int:
    """Return 64 bits that every bit of a word has changed, or those above it."""
    always_inline()
    word *= ODD_FACTOR
    return word ^ ((word >> 29) & 0x7_FFFF_FFFF)


@exact_kernel
def is_whole(words: np.ndarray, place: int) -> bool:
    """Return whether a piece is as it was sealed, or was never written: zeros alone."""
    if words[place] == check_of(words, place):
        return True
    used = 0
    for i in range(place + 1):
        used |= words[i]
    return used == 0


@exact_kernel
def outdated(versions: int, today: int) -> int:
    """Return a bit of each walk whose version is another one today."""
    found = 0
    for place in range(4):
        found |= (((versions ^ today) >> (16 * place)) & 0xFFFF != 0) << place
    return found


@exact_kernel
def forget_cells(profile: np.ndarray, row: int, stripe: int, cells: np.ndarray) -> None:
    """Empty all cells of a row, and note in cells uint8[CELLS / 8] those that were not empty."""
    never_inline()
    for slot in range(CELLS):
        bits = profile[slot * stripe + row].view(np.int32)
        used = 0
        for i in range(bits.size):
            used |= bits[i]
        if used != 0:
            bits[:] = 0
            cells[slot >> 3] |= 1 << (slot & 7)


@exact_kernel
def forget(
    walks: int,
    hot: np.ndarray,
    slots: np.ndarray,
    leaders: np.ndarray,
    profile: np.ndarray,
    row: int,
    stripe: int,
    cells: np.ndarray,
) -> None:
    """Let some walks, a bit each, know nothing of a metric any more: its pieces, and cells as `forget_cells`."""
    never_inline()
    narrow = hot.view(np.float32)
    if walks & (1 << SEASONAL) != 0:
        slots[:] = 0.0
        hot[SLOT_SUM] = 0.0
        narrow[SLOT_VISIT : SLOT_POINTS + 1] = 0.0
        narrow[Z_MEAN : Z_STEPS + 1] = 0.0
        narrow[Z_RING : Z_RING + RECENT] = 0.0
    if walks & (1 << NOVELTY) != 0:
        leaders[:] = 0.0
        hot[SHORT_MEAN : LONG_MEAN + 1] = 0.0
        narrow[SHORT_LOW : N_LEADERS + 1] = 0.0
    if walks & (1 << EXTRAPOLATION) != 0:
        narrow[T_MEAN : T_STEPS + 1] = 0.0
    if walks & (1 << OUTAGE) != 0:
        hot[VISIT_SUM : LEVEL_PROFILE + 1] = 0.0
        narrow[WIDTH : SPREAD_FLOOR_STEPS + 1] = 0.0
        narrow[LATE_VALUES:NEWEST_SCORES] = 0.0
        forget_cells(profile, row, stripe, cells)


@exact_kernel
def open_row(
    hot: np.ndarray,
    slots: np.ndarray,
    leaders: np.ndarray,
    profile: np.ndarray,
    row: int,
    stripe: int,
    today: int,
    cells: np.ndarray,
) -> tuple[int, int]:
    """Make a metric's pieces fit to go on with: what is damaged or of another version begins anew.

    Returns how many pieces were damaged, and a bit of each walk that begins anew.
    hot float64[ROW], whole or of zeros; slots float32[SLOTS_ROW], leaders float32[LEADERS_ROW]; cells as in `forget_cells`.
    """
    words = hot.view(np.int64)
    patterns = leaders.view(np.int64)
    hours = slots.view(np.int64)
    damaged = 0
    if words[CHECK] == 0:
        forget(EVERY, hot, slots, leaders, profile, row, stripe, cells)
        words[VERSIONS] = today
        return damaged, EVERY
    lost = outdated(words[VERSIONS], today)
    if not is_whole(hours, hours.size - 1):
        damaged += 1
        lost |= 1 << SEASONAL
    if not is_whole(patterns, patterns.size - 1):
        damaged += 1
        lost |= 1 << NOVELTY
    if lost != 0:
        forget(lost, hot, slots, leaders, profile, row, stripe, cells)
    words[VERSIONS] = today
    return damaged, lost


@exact_kernel
def seal(words: np.ndarray, place: int) -> bool:
    """Write the check of a piece; return whether it is another than before."""
    check = check_of(words, place)
    if words[place] == check:
        return False  # and nothing is written: a page that is mapped stays the file's
    words[place] = check
    return True

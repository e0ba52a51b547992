"""What the kernels of this folder agree on: lags, shapes, limits, and how much scratch they need."""

from __future__ import annotations

from typing import Final

MAX_LAG: Final = 10
"""Lagged differences offered to the regression (`maxlag`); lags 0..10 are compared by AIC."""

MIN_POINTS: Final = 24
"""Fewer points cannot carry `MAX_LAG` lags and a constant: `n // 2 - 2 < MAX_LAG`."""

CRITICAL: Final = -2.861592763096975
"""The statistic at which MacKinnon's (1994) approximate p-value, one unit root, constant only, is 0.05."""

COLUMNS: Final = MAX_LAG + 3
"""Constant, level, ten lagged differences and the difference to explain."""

BLOCK: Final = 32
"""Rows that one step of the blockwise QR takes in."""

SQUARE: Final = COLUMNS * COLUMNS
"""One small matrix in scratch, rows (or columns) of `COLUMNS` apart."""

SCRATCH_FIXED: Final = 4 * SQUARE + BLOCK * COLUMNS + 2 * COLUMNS
"""Scratch beyond `2 n` float64 that `adf_statistic` needs: four squares, a block, two rows."""

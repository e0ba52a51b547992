"""What can be chosen where scores are evaluated, and what is taken unless told; light, for the command's help."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from ridgeline.io.errors import InputError

EXPIRES: Final = {"nab": 12 * 3600, "events": 3600, "fleet": 3600, "ranges": 0, "vus": 0}  # seconds, by metric
THRESHOLD: Final = 0.5
ABOVE_ONE: Final = math.nextafter(1.0, 2.0)  # the least score that a backtest's columns call anomalous
GRADED: Final = ("rule_score", "consensus_score")  # of a backtest: how anomalous each step is, the rule in force first
CARDINALITIES: Final = ("reciprocal", "one")
BIASES: Final = ("flat", "front", "middle", "back")
BUFFER: Final = 100  # the longest, in median steps, as TSB-AD has it


@dataclass(frozen=True, slots=True)
class Weighing:
    """How a labelled range that was found in part is weighed (`overlaps` has the formulas)."""

    alpha: float = 0.2
    cardinality: str = "reciprocal"
    bias: str = "flat"

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0:
            raise InputError(f"alpha is {self.alpha!r}: give a number from 0 to 1")
        if self.cardinality not in CARDINALITIES:
            raise InputError(f"cardinality is {self.cardinality!r}: choose {' or '.join(CARDINALITIES)}")
        if self.bias not in BIASES:
            raise InputError(f"bias is {self.bias!r}: choose {', '.join(BIASES)}")

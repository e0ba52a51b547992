"""What scipy, statsmodels and exact fractions say: the readable twins of ks_test and of its ADF statistic."""

import math
import warnings
from fractions import Fraction
from itertools import pairwise

import numpy as np

MAX_LAG = 10
TIE = 1e-9  # between two AICs: relative, the last digits of both


def adf(x: np.ndarray) -> tuple[float, float]:
    """Statistic and p-value of `adfuller(x, maxlag=10, regression="c", autolag="AIC")`; NaN where it refuses."""
    from statsmodels.tsa.stattools import adfuller

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            statistic, p, *_ = adfuller(x, maxlag=MAX_LAG, regression="c", autolag="AIC")
        except (ValueError, np.linalg.LinAlgError):
            return math.nan, math.nan
    return float(statistic), float(p)


def adf_vote(x: np.ndarray) -> bool:
    """Whether statsmodels calls the sample stationary at 5 %."""
    return adf(x)[1] < 0.05


def adf_is_noise(x: np.ndarray, times: int = 15) -> bool:
    """Whether statsmodels votes otherwise on one of `times` copies of x that differ from it in the last digits.

    Or where it had chosen another lag whose AIC is as good, but for the last digits: as where the columns of further lags
    are none of their own.
    """
    rng = np.random.default_rng(0)
    vote = adf_vote(x)
    if any(tied != vote for tied in _tied_votes(x)):
        return True
    sizes = [x.size if i % 2 else 1 for i in range(times)]
    return any(adf_vote(x * (1.0 + 2.0**-52 * rng.integers(-3, 4, size))) != vote for size in sizes)


def _tied_votes(x: np.ndarray) -> list[bool]:
    """How statsmodels votes by each lag whose AIC is the best one's but for rounding."""
    from statsmodels.tsa.stattools import adfuller

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = adfuller(x, maxlag=MAX_LAG, regression="c", autolag="AIC", store=True, regresults=True)[-1]
        aics = {lag: found.aic for lag, found in enumerate(results.autolag_results.values())}
        best = min(aics.values())
        tied = [lag for lag, aic in aics.items() if abs(aic - best) <= TIE * abs(best)]
        return [adfuller(x, maxlag=lag, regression="c", autolag=None)[1] < 0.05 for lag in tied]


def adf_exact(x: np.ndarray) -> float | None:
    """The same statistic in exact arithmetic; None where the level's coefficient or its error has no value."""
    fractions = [Fraction(float(v)) for v in x]
    # Denominators are powers of two: whole numbers in a finer unit, which the statistic does not depend on.
    unit = max(v.denominator for v in fractions)
    values = [int(v * unit) for v in fractions]
    steps = [b - a for a, b in pairwise(values)]
    regressors, target = _columns(values, steps, MAX_LAG)
    first = len(regressors) - MAX_LAG - 1
    scores = []
    for lag, (left, rank, _, _) in enumerate(_project(regressors, target)[first:]):
        scores.append((-math.inf if left == 0 else len(target) * _log(left / len(target)) + 2 * rank, lag))
    lag = min(scores)[1]
    (level, *others), target = _columns(values, steps, lag, ones_last=True)
    left, rank, pivot, along = _project([*others, level], target)[-1]
    if left == 0 or pivot == 0:
        return None
    # t = b / sqrt(ssr / df / pivot), b = along / pivot.
    square = along * along / pivot / (left / (len(target) - rank))
    return math.copysign(math.sqrt(square), along)


def _columns(
    values: list[int], steps: list[int], lags: int, *, ones_last: bool = False
) -> tuple[list[list[int]], list[int]]:
    """Level, lags and ones as statsmodels has them (no ones beside another constant column), and the target."""
    rows = range(lags, len(steps))
    columns = [[values[i] for i in rows]] + [[steps[i - j] for i in rows] for j in range(1, lags + 1)]
    if not any(c[0] != 0 and len(set(c)) == 1 for c in columns):
        columns.insert(len(columns) if ones_last else 0, [1 for _ in rows])
    return columns, [steps[i] for i in rows]


def _project(regressors: list[list[int]], target: list[int]) -> list[tuple[Fraction, int, Fraction, Fraction]]:
    """After each regressor: residual square sum, rank, the regressor's own pivot and its product with the target."""
    everything = [*regressors, target]
    gram = [[Fraction(sum(p * q for p, q in zip(a, b, strict=True))) for b in everything] for a in everything]
    out, rank = [], 0
    for k in range(len(regressors)):
        pivot, row = gram[k][k], gram[k]
        rank += pivot != 0
        for i in range(k + 1, len(everything)):
            factor = gram[i][k] / pivot if pivot != 0 else 0
            if factor != 0:
                gram[i] = [a - factor * b for a, b in zip(gram[i], row, strict=True)]
        out.append((gram[-1][-1], rank, pivot, row[-1]))
    return out


def _log(v: Fraction) -> float:
    return math.log(v.numerator) - math.log(v.denominator)


def ks_test(t: np.ndarray, x: np.ndarray, anchor: int, *, daily: bool) -> bool:
    """Skyline's rule on one series: probe, reference, two-sample KS, then ADF of the reference."""
    from scipy.stats import ks_2samp

    probe_span, reference_span = 600, 3600
    if daily and len(t) > 1 and 80000 < t[-1] - t[-2] < 90000:
        probe_span, reference_span = 30 * 86400, 90 * 86400
    probe = x[t >= anchor - probe_span]
    reference = x[(t >= anchor - reference_span) & (t < anchor - probe_span)]
    if len(probe) < 20 or len(reference) < 20 or len(set(reference)) == 1:
        return False
    result = ks_2samp(reference, probe)
    return bool(result.pvalue < 0.05 and result.statistic > 0.5 and adf_vote(reference))

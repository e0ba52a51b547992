"""Agreement with the reference implementation's own answers: zero differing votes and outcomes outside `fragile`."""

import pytest

from ridgeline.engine.verify import FLAVOURS, sets_in, verify


@pytest.fixture(scope="module")
def report(shared):
    return verify(shared / "parity")


@pytest.mark.parametrize("name", ["mix", "edge", "nab", "10s", "30s"])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_no_vote_and_no_outcome_differs(report, name, flavour):
    compared = report.compared(name, flavour.profile)
    assert compared.series > 50
    assert compared.differences == ()


def test_every_set_is_compared(report, shared):
    assert {one.name for one in report.comparisons} == set(sets_in(shared / "parity"))
    assert report.ok


def test_noise_is_listed_but_is_no_difference(report):
    noise = {(one.metric, one.field) for compared in report.comparisons for one in compared.noise}
    assert ("edge.offset_1e+15_quiet", "mean_subtraction_cumulation") in noise
    assert len(noise) < 10


def test_the_one_failure_of_the_reference_is_a_failure_here(report):
    assert ("edge.denormal", "histogram_bins") in report.failures

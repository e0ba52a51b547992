"""Signatures, and the checks of what an entry is given."""

import numpy as np
import pytest
from rigs.native import arguments, environment, results

from ridgeline.kernels.native.loader import Loader
from ridgeline.kernels.native.signature import Packer, Slot, parse


def test_signatures_are_parsed():
    assert parse("i8(i8[::1], f8[:, ::1],u1[::1], f4[:,::1], i4[::1], i8, f8)") == [
        Slot("i8", 1), Slot("f8", 2), Slot("u1", 1), Slot("f4", 2), Slot("i4", 1), Slot("i8", 0), Slot("f8", 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "signature", ["f8(f8)", "i8(f8[:])", "i8(u1)", "i8(f8[:, :, ::1])", "i8(c16[::1])", "i8()", "f8[::1]", "i8(f8,)"]
)
def test_other_signatures_are_refused(signature):
    with pytest.raises(ValueError, match="signature"):
        parse(signature)


WRONG = {
    "number of arguments": (lambda given: given.pop(), r"takes 8 arguments, not 7"),
    "dtype": (lambda given: given.__setitem__(0, given[0].astype("i4")), r"argument 1 .* int64 .* not int32"),
    "dimensions": (lambda given: given.__setitem__(1, given[1][0]), r"argument 2 .* 2 dimension.* not float64 of 1"),
    "strides": (lambda given: given.__setitem__(5, np.zeros(74)[::2]), r"argument 6 .* strided"),
    "order": (lambda given: given.__setitem__(1, np.asfortranarray(given[1])), r"argument 2 .* strided"),
    "byte order": (lambda given: given.__setitem__(5, given[5].astype(">f8")), r"argument 6 .* not >f8"),
    "a list": (lambda given: given.__setitem__(5, [0.0]), r"argument 6 .* not list"),
    "None": (lambda given: given.__setitem__(6, None), r"argument 7 .* must be a number, not NoneType"),
    "a float for an integer": (lambda given: given.__setitem__(6, 1.5), r"does not fit"),
    "a huge integer": (lambda given: given.__setitem__(6, 2**70), r"does not fit"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_arguments_are_named(recipe, built, plain, wrong):
    for entry in (Loader(recipe, environment(built)).entry("fake"), plain):
        given = arguments()
        WRONG[wrong][0](given)
        with pytest.raises(TypeError, match=f"entry fake|{WRONG[wrong][1]}") as caught:
            entry(*given)
        assert caught.match(WRONG[wrong][1])


def test_an_unaligned_array_is_refused():
    unaligned = np.frombuffer(b"x" * 33, dtype="u1")[1:].view("f8")
    with pytest.raises(TypeError, match="unaligned"):
        Packer("fake", "i8(f8[::1])")((unaligned,))


def test_numpy_scalars_are_taken(recipe, built):
    given = arguments()
    expected = results(Loader(recipe, environment(built)).entry("fake"), given)
    given[6:] = np.int64(7), np.float64(0.25)
    assert results(Loader(recipe, environment(built)).entry("fake"), given) == expected


def test_an_exception_in_native_code_is_an_error(recipe, built):
    given = arguments()
    given[6] = 99
    with pytest.raises(RuntimeError, match="kernel entry fake failed"):
        Loader(recipe, environment(built)).entry("fake")(*given)

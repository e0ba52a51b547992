"""numba's private calling convention: what another numba would do is found before its code is used."""

import json
import subprocess
import sys

import pytest
from rigs.native import answer, started

from ridgeline.kernels.native.signature import parse
from ridgeline.kernels.native.wrapper import UnbuildableError, wrapper


def run(change):
    """What the probe says in a process of its own, where numba or our picture of it is changed first."""
    code = (
        "from ridgeline.kernels.native import emit, probe\nfrom ridgeline.kernels.native.wrapper import UnbuildableError\n"
        f"{change}\n"
        "try:\n    probe.refuse_another_convention(emit.hurry())\n"
        "except UnbuildableError as error:\n    print('refused:', error)\nelse:\n    print('fine')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    return done.stdout.strip() or done.returncode


# As if numba passed them otherwise: the wrapper that we write then passes them wrongly.
CHANGES = {
    "rows and columns": ("i64 %v3, i64 %v4, i64 %stride1", "i64 %v4, i64 %v3, i64 %stride1"),
    "strides": ("i64 %stride1, i64 8", "i64 8, i64 %stride1"),
    "strides in items": ("i64 %stride1, i64 8", "i64 %v4, i64 1"),
    "items": ("i64 %items1", "i64 1"),
    "item size": ("i64 %items1, i64 8", "i64 %items1, i64 1"),
    "a length of one": ("i64 %v6, i64 1, ptr null", "i64 1, i64 %v6, ptr null"),
    "status": ("icmp eq i32", "icmp ne i32"),
    "an exception unseen": ("select i1 %fine", "select i1 true"),
    "a number": ("i64 %v14, double", "i64 %v13, double"),
    "two arrays": ("i64 8, ptr %v0", "i64 8, ptr %v12"),
}
CHANGE_EACH = """
import json, sys
real, apart = emit.wrapper, emit.hurry()
for old, new in json.loads(sys.argv[1]):
    def other(*given):
        text = real(*given)
        assert old in text or given[0] != "probe", (old, text)
        return text.replace(old, new)
    emit.wrapper = other
    try:
        probe.refuse_another_convention(apart)
    except UnbuildableError as error:
        print("refused:", error)
    else:
        print("fine")
"""


def test_another_meaning_of_the_same_types_is_found():
    code = "from ridgeline.kernels.native import emit, probe\nfrom ridgeline.kernels.native.wrapper import UnbuildableError\n"
    changes = json.dumps([("i64", "i64"), *CHANGES.values()])
    done = subprocess.run(
        [sys.executable, "-c", code + CHANGE_EACH, changes], capture_output=True, text=True, timeout=300, check=False
    )
    refused = "refused: this numba calls its functions in a way that ridgeline does not know"
    assert dict(zip(["none", *CHANGES], done.stdout.splitlines(), strict=True)) == {
        "none": "fine", **dict.fromkeys(CHANGES, refused)
    }, done.stderr  # fmt: skip


def test_other_types_are_found():
    with pytest.raises(UnbuildableError, match="in a way that ridgeline does not know"):
        wrapper("fake", "f", parse("i8(f8)"), ["ptr", "ptr", "i64"])


@pytest.mark.parametrize(
    "method",
    ["JITCPUCodegen.set_env", pytest.param("CPUCodeLibrary._get_module_for_linking", marks=pytest.mark.long)],
)
def test_a_private_part_that_is_gone_is_named(method):
    owner, name = method.split(".")
    found = run(
        f"from numba.core import codegen\nfor c in codegen.{owner}.__mro__:\n    c.__dict__.get('{name}') and delattr(c, '{name}')"
    )
    assert found == f"refused: this numba has no {method}, which ridgeline relies on"


def test_an_entry_that_needs_the_interpreter_is_refused():
    from ridgeline.kernels.native.emit import refuse_foreign

    refuse_foreign("fake", ["llvm.exp.f64", "exp"])
    for symbol in ("PyErr_SetString", "NRT_Allocate", "numba_unpickle", "no_such_symbol_anywhere"):
        with pytest.raises(UnbuildableError, match=f"needs {symbol}"):
            refuse_foreign("fake", ["exp", symbol])


UNKNOWN = """
def install():
    from ridgeline.kernels.native import emit
    def changed(*_): raise AttributeError("'CPUCodeLibrary' object has no attribute '_final_module'")
    emit.emit = changed
"""


@pytest.mark.long
def test_with_an_unknown_numba_the_plain_way_gives_the_same_bits(modules, built, tmp_path):
    """Found once, kept until the stamp (numba's version is in it) changes, and said at each start."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nif 'builder' in ' '.join(sys.orig_argv):\n    "
        + "\n    ".join(UNKNOWN.strip().splitlines())
        + "\n    install()\n"
    )
    cache = tmp_path / "cache"
    native = answer(started(modules, built))
    for compiled in (["fake"], []):
        found = answer(started(modules, cache, PYTHONPATH=str(tmp_path)))
        assert (found[1], found[4]) == ("numba", compiled)
        assert (found[0], found[2]) == (native[0], native[2])
        assert "AttributeError: 'CPUCodeLibrary' object has no attribute '_final_module'" in found[-1]

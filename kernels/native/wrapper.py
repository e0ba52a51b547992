"""The one function that a native object exports: it hides numba's calling convention behind a row of 8-byte slots.

numba's convention (0.68, private) is `i32 f(ret*, exc**, arguments...)`: zero is success, an array of d dimensions is
flattened to `meminfo, parent, items, item size, data, d lengths, d strides in bytes`. The wrapper
`i64 ridgeline_NAME(i64* slots)` hides it: the caller packs one slot per scalar and, per array, its address followed by
its d lengths; the rest follows from the dtype, as every array is C-contiguous. It returns what `run` returned, or
FAILED (see `ridgeline.kernels.native.entries`) where numba reports an exception.
"""

from __future__ import annotations

from ridgeline.kernels.native.entries import FAILED
from ridgeline.kernels.native.signature import Slot


class UnbuildableError(Exception):
    """An entry that cannot become a native object: it needs the interpreter, or numba's conventions have changed."""


def wrapper(name: str, native: str, slots: list[Slot], found: list[str]) -> str:
    """LLVM IR of `ridgeline_NAME`, which unpacks the slots and calls numba's function of the parameters `found`."""
    body = ["%ret = alloca i64", "%exc = alloca ptr", "store i64 0, ptr %ret"]
    passed = [("ptr", "%ret"), ("ptr", "%exc")]
    position = 0

    def load(kind: str) -> str:
        nonlocal position
        body.append(f"%p{position} = getelementptr i64, ptr %slots, i64 {position}")
        body.append(f"%v{position} = load {kind}, ptr %p{position}")
        position += 1
        return f"%v{position - 1}"

    for number, slot in enumerate(slots):
        if slot.dimensions == 0:
            kind = "double" if slot.code == "f8" else "i64"
            passed.append((kind, load(kind)))
            continue
        data = load("ptr")
        lengths = [load("i64") for _ in range(slot.dimensions)]
        items, stride = lengths[0], str(slot.item_size)
        strides = [stride]
        if slot.dimensions == 2:
            items, stride = f"%items{number}", f"%stride{number}"
            body.append(f"{items} = mul i64 {lengths[0]}, {lengths[1]}")
            body.append(f"{stride} = mul i64 {lengths[1]}, {slot.item_size}")
            strides = [stride, str(slot.item_size)]
        passed += [("ptr", "null"), ("ptr", "null"), ("i64", items), ("i64", str(slot.item_size)), ("ptr", data)]
        passed += [("i64", value) for value in (*lengths, *strides)]
    if [kind for kind, _ in passed] != found:
        raise UnbuildableError(f"entry {name}: this numba passes its arguments in a way that ridgeline does not know")
    types = ", ".join(kind for kind, _ in passed)
    call = ", ".join(f"{kind} {value}" for kind, value in passed)
    body += [
        f'%status = call i32 @"{native}"({call})',
        "%fine = icmp eq i32 %status, 0",
        "%value = load i64, ptr %ret",
        f"%result = select i1 %fine, i64 %value, i64 {FAILED}",
        "ret i64 %result",
    ]
    lines = "\n  ".join(body)
    return f'declare i32 @"{native}"({types})\n\ndefine i64 @ridgeline_{name}(ptr %slots) {{\n  {lines}\n}}\n'

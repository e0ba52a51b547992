"""The child process that compiles one entry to a native object: the only file that knows numba's private parts.

How: numba compiles the entry's `run` for its `SIGNATURE`; we take the final, optimised LLVM module of that library,
hide everything but one small wrapper, drop what is then dead (numba's Python wrappers), and emit a
position-independent object for this CPU. The machine code is made from the very IR that numba's own JIT would run,
so both give the same bits.

numba's calling convention (0.68, private) is `i32 f(ret*, exc**, arguments...)`: zero is success, an array of d
dimensions is flattened to `meminfo, parent, items, item size, data, d lengths, d strides in bytes`. The wrapper
`i64 ridgeline_NAME(i64* slots)` hides it: the caller packs one 8-byte slot per scalar and, per array, its address
followed by its d lengths; the rest follows from the dtype, as every array is C-contiguous. It returns what `run`
returned, or FAILED (see `ridgeline.kernels.native.call`) where numba reports an exception.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from ridgeline.kernels.native.cache import seal
from ridgeline.kernels.native.call import FAILED, Slot, parse

_DOUBLE: Final = "double"
# numba's own C helpers that are libm's functions under another name.
_LIBM: Final = {"numba_nextafter": "nextafter", "numba_nextafterf": "nextafterf"}
# Names that only a running numba or Python can supply: an entry that needs one raises, allocates or calls back.
_FOREIGN: Final = ("numba_", "NRT_", "Py", "_Py", "__svml", "_ZN")


class UnbuildableError(Exception):
    """An entry that cannot become a native object: it needs the interpreter, or numba's conventions have changed."""


def build(request: dict[str, Any]) -> None:
    """Write NAME.o, NAME.so (where a linker made one that loads) and NAME.json into `folder`, and facts.json if asked."""
    folder = Path(request["folder"])
    name, started = request["name"], time.perf_counter()
    apart = hurry()
    module = importlib.import_module(request["module"])
    found: dict[str, Any] = {"signature": module.SIGNATURE, "library": None}
    try:
        code = emit(name, module.run, module.SIGNATURE, apart)
    except UnbuildableError as error:
        found["unbuildable"] = str(error)
    else:
        (folder / f"{name}.o").write_bytes(code)
        found["object"] = hashlib.sha256(code).hexdigest()
        if link(name, folder):
            found["library"] = hashlib.sha256((folder / f"{name}.so").read_bytes()).hexdigest()
    found["seconds"] = round(time.perf_counter() - started, 2)
    if "facts" in request:
        (folder / "facts.json").write_text(seal(read_facts(request["facts"])))
    (folder / f"{name}.json").write_text(seal(found))


def hurry() -> list[Any]:
    """Make numba, in this process only, compile for `emit` alone; returns the libraries to be linked apart.

    Numba makes machine code and Python wrappers for every kernel, and optimises a kernel again in each of its callers,
    their callers and so on. Here nothing is run, so there is no machine code before `emit` and there are no wrappers;
    and a kernel marked by `never_inline` is optimised once, by itself: its callers see a declaration.
    That took the compile time of `score` from 49 s to 21 s on a busy machine, and makes such a kernel the very same
    code in every entry. Must come before any kernel is compiled; kernels compiled so cannot be called from Python.
    """
    import llvmlite.binding as llvm  # noqa: PLC0415 - the parent imports this module without numba
    from numba.core import codegen, cpu  # noqa: PLC0415

    apart: list[Any] = []
    whole = codegen.CPUCodeLibrary._get_module_for_linking  # noqa: SLF001

    def declared(library: Any) -> Any:
        full = whole(library)
        functions = library._final_module.functions  # noqa: SLF001
        own = [f for f in functions if f.linkage == llvm.Linkage.external and not f.is_declaration]
        if len(own) != 1 or not any(b"noinline" in attribute for attribute in own[0].attributes):
            return full
        if library not in apart:
            apart.append(library)
        types = ", ".join(str(argument.type) for argument in own[0].arguments)
        return llvm.parse_assembly(f'declare i32 @"{own[0].name}"({types})')

    changes: list[tuple[type, str, Any]] = [
        (codegen.CPUCodeLibrary, "_get_module_for_linking", declared),
        (codegen.JITCodeLibrary, "_finalize_specific", lambda _: None),
        (codegen.JITCodeLibrary, "get_pointer_to_function", lambda library, _: library._ensure_finalized() or 1),  # noqa: SLF001
        (codegen.JITCPUCodegen, "_add_module", lambda *_: None),
        (codegen.JITCPUCodegen, "set_env", lambda *_: None),
        (cpu.CPUContext, "create_cpython_wrapper", lambda *_, **__: None),
        (cpu.CPUContext, "create_cfunc_wrapper", lambda *_, **__: None),
    ]
    for owner, method, new in changes:
        setattr(owner, method, new)
    return apart


def read_facts(where: str) -> dict[str, dict[str, Any]]:
    """Facts per algorithm, in the registry's order; `where` is "module:function" returning name -> Algorithm."""
    module, function = where.split(":")
    wanted = ("summary", "min_points", "threshold", "cost")
    algorithms = getattr(importlib.import_module(module), function)()
    return {name: {fact: getattr(found, fact) for fact in wanted} for name, found in algorithms.items()}


def emit(name: str, run: Any, signature: str, apart: list[Any]) -> bytes:
    """Compile `run` for `signature` and return a relocatable object that exports only `ridgeline_NAME`."""
    import llvmlite.binding as llvm  # noqa: PLC0415 - the parent imports this module without numba
    from numba.core import sigutils  # noqa: PLC0415

    run.compile(signature)
    arguments, _ = sigutils.normalize_signature(signature)
    compiled = run.overloads[arguments]
    native = compiled.fndesc.llvm_func_name
    # A copy: the JIT owns the original.
    module = llvm.parse_bitcode(compiled.library._final_module.as_bitcode())  # noqa: SLF001
    found = [str(argument.type) for argument in module.get_function(native).arguments]
    for library in apart:
        module.link_in(llvm.parse_bitcode(library._final_module.as_bitcode()))  # noqa: SLF001
    module.link_in(llvm.parse_assembly(wrapper(name, native, parse(signature), found)))
    export = f"ridgeline_{name}"
    for symbol in (*module.functions, *module.global_variables):
        if not symbol.is_declaration and symbol.name != export:
            symbol.linkage = "internal"
        elif symbol.name in _LIBM:
            symbol.name = _LIBM[symbol.name]
    options: dict[str, Any] = {}
    codegen = compiled.library.codegen
    codegen._customize_tm_options(options)  # noqa: SLF001 - CPU and features exactly as the JIT has them
    options |= {"reloc": "pic", "codemodel": "default"}
    machine = llvm.Target.from_triple(module.triple).create_target_machine(opt=3, **options)
    with llvm.create_new_module_pass_manager() as passes:
        passes.add_global_dead_code_eliminate_pass()
        passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    module.verify()
    _refuse_foreign(name, [f.name for f in (*module.functions, *module.global_variables) if f.is_declaration])
    return bytes(machine.emit_object(module))


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
            kind = _DOUBLE if slot.code == "f8" else "i64"
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


def _refuse_foreign(name: str, declared: list[str]) -> None:
    process = ctypes.CDLL(None)
    for symbol in declared:
        if symbol.startswith("llvm."):
            continue
        if symbol.startswith(_FOREIGN) or not hasattr(process, symbol):
            raise UnbuildableError(f"entry {name} needs {symbol}: a kernel may not raise, allocate or call Python")


def link(name: str, folder: Path) -> bool:
    """Link NAME.o to NAME.so with whatever linker there is; False where none makes a library that loads here."""
    library = folder / f"{name}.so"
    # With libm named, `exp` binds to its current version, as in the JIT; without, to the oldest one.
    for extra in (["-l:libm.so.6"], []):
        for tool in ("ld", "cc"):
            linker = shutil.which(tool)
            if linker is None:
                continue
            command = [
                linker,
                "-shared",
                *(["-nostdlib"] if tool == "cc" else []),
                "-o",
                str(library),
                str(folder / f"{name}.o"),
            ]
            done = subprocess.run([*command, *extra], check=False, capture_output=True)  # noqa: S603 - a fixed command
            if done.returncode == 0 and _loads(library, f"ridgeline_{name}"):
                return True
    library.unlink(missing_ok=True)
    return False


def _loads(library: Path, symbol: str) -> bool:
    try:
        return hasattr(ctypes.CDLL(str(library)), symbol)
    except OSError:  # a folder mounted noexec, an undefined name
        return False

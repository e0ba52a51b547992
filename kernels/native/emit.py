"""From numba's compiled entry to a native object: the only file that reaches into numba's private parts.

How: numba compiles the entry's `run` for its signature; we take the final, optimised LLVM module of that library, hide
everything but one small wrapper (`ridgeline.kernels.native.wrapper`), drop what is then dead (numba's Python wrappers),
and emit a position-independent object for this CPU. The machine code is made from the very IR that numba's own JIT would
run, so both give the same bits. Imported by the process that compiles only: it brings numba in.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

import llvmlite.binding as llvm
from numba.core import codegen, cpu, sigutils
from numba.core.errors import NumbaError

from ridgeline.kernels.native.signature import parse
from ridgeline.kernels.native.wrapper import UnbuildableError, wrapper

# numba's own C helpers that are libm's functions under another name.
_LIBM: Final = {"numba_nextafter": "nextafter", "numba_nextafterf": "nextafterf"}
# Names that only a running numba or Python can supply: an entry that needs one raises, allocates or calls back.
_FOREIGN: Final = ("numba_", "NRT_", "Py", "_Py", "__svml", "_ZN")


def hurry() -> list[Any]:
    """Make numba, in this process only, compile for `emit` alone; returns the libraries to be linked apart.

    Numba makes machine code and Python wrappers for every kernel, and optimises a kernel again in each of its callers,
    their callers and so on. Here nothing is run, so there is no machine code before `emit` and there are no wrappers;
    and a kernel marked by `never_inline` is optimised once, by itself: its callers see a declaration.
    That took the compile time of `score` from 49 s to 21 s on a busy machine, and makes such a kernel the very same
    code in every entry. Must come before any kernel is compiled; kernels compiled so cannot be called from Python.
    """
    apart: list[Any] = []
    whole = getattr(codegen.CPUCodeLibrary, "_get_module_for_linking", None)

    def declared(library: Any) -> Any:
        assert whole is not None
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
        if not hasattr(owner, method):
            raise UnbuildableError(f"this numba has no {owner.__name__}.{method}, which ridgeline relies on")
        setattr(owner, method, new)
    return apart


def emit(name: str, run: Any, signature: str, apart: list[Any]) -> bytes:
    """Compile `run` for `signature` and return a relocatable object that exports only `ridgeline_NAME`."""
    try:
        run.compile(signature)
    except NumbaError as error:
        raise UnbuildableError(f"entry {name}: {error}") from error
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
    compiled.library.codegen._customize_tm_options(options)  # noqa: SLF001 - CPU and features exactly as the JIT has them
    options |= {"reloc": "pic", "codemodel": "default"}
    machine = llvm.Target.from_triple(module.triple).create_target_machine(opt=3, **options)
    with llvm.create_new_module_pass_manager() as passes:
        passes.add_global_dead_code_eliminate_pass()
        passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    module.verify()
    refuse_foreign(name, [f.name for f in (*module.functions, *module.global_variables) if f.is_declaration])
    return bytes(machine.emit_object(module))


def refuse_foreign(name: str, declared: list[str]) -> None:
    """UnbuildableError where an entry needs a symbol that only numba or Python has."""
    process = ctypes.CDLL(None)
    for symbol in declared:
        if symbol.startswith("llvm."):
            continue
        if symbol.startswith(_FOREIGN) or not hasattr(process, symbol):
            raise UnbuildableError(f"entry {name} needs {symbol}: a kernel may not raise, allocate or call Python")

"""Tell the processor which memory will be needed, so that nobody has to wait for it."""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

_READ, _KEEP, _DATA = 0, 3, 1  # for reading, in every level of the cache, not an instruction


def prefetch(array: Any, index: Any) -> None:
    """Ask the memory for an item of an array, or for the first one of a row.

    Where jitted functions run as plain Python, this does nothing.
    """


def _typed(_: Any, array: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, item = signature.args[0], arguments[1]
        place = [item, *[ir.Constant(item.type, 0)] * (kind.ndim - 1)]
        source = context.make_array(kind)(context, builder, arguments[0])
        pointer = cgutils.get_item_pointer(context, builder, kind, source, place)
        kinds = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, *[cgutils.int32_t] * 3])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [cgutils.voidptr_t], kinds)
        how = [cgutils.int32_t(number) for number in (_READ, _KEEP, _DATA)]
        builder.call(fetch, [builder.bitcast(pointer, cgutils.voidptr_t), *how])
        return context.get_dummy_value()

    return types.void(array, index), generate


_prefetch: Any = intrinsic(_typed)


@overload(prefetch, strict=False)  # strictly, the two would be told apart by their annotations
def _compiled(array: Any, index: Any) -> Any:
    return lambda array, index: _prefetch(array, index)

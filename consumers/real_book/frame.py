"""Reads a pickled table of plain columns without pandas, and runs nothing that a pickle may name.

Only the handful of constructors that such a table is made of are known, each as a small stand-in.
"""

import io
import lzma
import math
import pickle
from array import array
from collections.abc import Callable
from decimal import Decimal
from math import prod
from pathlib import Path
from typing import Any

Value = int | Decimal | str | None
"""A cell: a fraction comes as the shortest decimal that names it, a missing one as None."""

_ITEM_BYTES = 8  # of a double and of a long; other widths do not occur


_NOT_A_TABLE = (
    lzma.LZMAError,
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
)


class UnreadableTable(Exception):
    """The file is not a table of the layout that this reader knows."""


class _Object:
    """Stands for what keeps its state in `__dict__` or takes it in `__setstate__`."""

    state: Any = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Dtype(_Object):
    def __init__(self, code: str, *_: object) -> None:
        self.code = code


class _Array:
    """One block of equally typed columns, row after row of the block being one column."""

    def __init__(self, *_: object) -> None:
        self.items: list[Value] = []
        self.shape: tuple[int, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, _, _, items = state
        self.items = [_text_or_number(item) for item in items]

    def columns(self) -> list[list[Value]]:
        """Cut the block into its columns."""
        length = self.shape[-1]
        return [self.items[k : k + length] for k in range(0, len(self.items), length)]


def _text_or_number(item: Any) -> Value:  # noqa: ANN401 - whatever a cell holds
    if isinstance(item, float):
        return None if math.isnan(item) else Decimal(repr(item))
    return item


def _from_buffer(buffer: bytearray, dtype: _Dtype, shape: tuple[int, ...], _: str) -> _Array:
    if dtype.code not in {"f8", "i8"} or len(buffer) != prod(shape) * _ITEM_BYTES:
        raise UnreadableTable(f"a block of {dtype.code} is not known here")
    made = _Array()
    made.shape = shape
    made.items = [_text_or_number(x) for x in array("d" if dtype.code == "f8" else "q", buffer)]
    return made


def _tuple(*parts: object) -> tuple[object, ...]:
    return parts


_KNOWN: dict[tuple[str, str], Callable[..., Any]] = {
    ("pandas.core.frame", "DataFrame"): _Object,
    ("pandas.core.internals.managers", "BlockManager"): _tuple,
    ("pandas._libs.internals", "_unpickle_block"): _tuple,
    ("pandas.core.indexes.base", "_new_Index"): _tuple,
    ("pandas.core.indexes.base", "Index"): _Object,
    ("pandas.core.indexes.range", "RangeIndex"): _Object,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as in the library
        known = _KNOWN.get((module.replace("numpy._core", "numpy.core"), name))
        if known is None:
            raise UnreadableTable(f"{module}.{name} has no place in a table")
        return known


def read_frame(path: Path) -> list[dict[str, Value]]:
    """Read an xz-compressed pickled data frame as rows, in file order. Raises UnreadableTable."""
    try:
        frame = _Reader(io.BytesIO(lzma.decompress(path.read_bytes()))).load()
        blocks, axes = frame.state["_mgr"]
        names: list[str] = axes[0][1]["data"].items
        columns: list[list[Value]] = [[] for _ in names]
        for values, places, _ in blocks:
            for place, column in zip(places.items, values.columns(), strict=True):
                columns[place] = column
    except _NOT_A_TABLE as error:
        raise UnreadableTable(f"{path.name}: {error}") from error
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

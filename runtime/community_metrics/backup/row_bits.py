"""128 bits for each row, by which rows are looked for among others without a sort of the rows themselves.

Each value becomes 64 bits, each row two weighted sums of its values. They compare within one process: texts
are hashed by Python's own hash, which is another one in each process.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Bits = NDArray[np.uint64]

LANES: Final = 2
"""Independent sums of a row, so that two rows do not share them by chance."""
_SAMPLE: Final = 1_024
"""Values of which the others are taken to repeat as often."""
_NULL: Final = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def row_bits(batch: pa.RecordBatch) -> Bits:
    """Return the bits of each row, one column for each lane."""
    lanes = [np.zeros(batch.num_rows, np.uint64) for _ in range(LANES)]
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        values = _value_bits(column)
        for lane in range(LANES):
            lanes[lane] += values * _weight(f"{lane}:{name}")
    return np.stack([_mixed(sums) for sums in lanes], axis=1)


def _weight(name: str) -> np.uint64:
    """Return an odd number for a column, so that equal values of two columns count differently."""
    return np.uint64(int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) | 1)


def _value_bits(column: pa.Array) -> Bits:
    """Return 64 bits for each value; equal values have equal bits."""
    kind = column.type
    if pa.types.is_list(kind):
        return _hashed(None if one is None else tuple(one) for one in column.to_pylist())
    if column.null_count == len(column):
        return np.full(len(column), _NULL)
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        some = column.slice(0, _SAMPLE)
        if column.null_count == 0 and 2 * len(some.unique()) > len(some):
            return _hashed(column.to_pylist())
        encoded = column.dictionary_encode()  # words repeat: each is hashed once
        distinct = _hashed(encoded.dictionary.to_pylist())
        bits: Bits = np.append(distinct, _NULL)[encoded.indices.fill_null(len(distinct)).to_numpy()]
        return bits
    narrow = pa.types.is_date32(kind) or pa.types.is_boolean(kind)  # Arrow casts neither to 64 bits at once
    numbers = (column.cast(pa.int32()) if narrow else column).cast(pa.int64()).fill_null(0)
    bits = _mixed(numbers.to_numpy(zero_copy_only=False).astype(np.int64).view(np.uint64))
    if column.null_count:
        bits[pc.is_null(column).to_numpy(zero_copy_only=False)] = _NULL
    return bits


def _hashed(values: Iterable[Any]) -> Bits:
    numbers = np.fromiter(map(hash, values), np.int64)
    return _mixed(numbers.view(np.uint64))


def _mixed(bits: Bits) -> Bits:
    """Return the bits spread over all 64, by the finish of splitmix64."""
    mixed = (bits ^ (bits >> np.uint64(30))) * _MULTIPLIERS[0]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MULTIPLIERS[1]
    spread: Bits = mixed ^ (mixed >> np.uint64(31))
    return spread

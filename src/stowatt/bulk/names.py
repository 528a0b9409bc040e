"""Names of a column as numbers: 64-bit hashes of the names without the blanks around them, by numpy.

Two names that are equal have equal hashes. Two that differ collide by chance once in 2^64 pairs, which costs nothing
but time where one hash is used, and where a result could change two independent ones are. The key is drawn for each
run, so that nobody can choose names that collide.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_GOLDEN: Final = 0x9E3779B97F4A7C15
_BLANKS: Final = " \t"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WORD: Final = 8
_MASKS: Final = np.array([(1 << 8 * size) - 1 for size in range(_WORD + 1)], dtype=np.uint64)
"""The first bytes of a word, by how many there are."""


def mix(x: Words) -> Words:
    """SplitMix64's finalizer: every bit of the result hangs on every bit of x; one to one."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Different names of a column, as a dictionary of the file has them, without the blanks around them."""

    texts: Any
    """An Arrow array of strings without nulls."""

    @classmethod
    def of(cls, texts: Any) -> "Names | None":
        """None if one of them is no name: empty, a null, not UTF-8, or with a control character."""
        if texts.null_count:
            return None
        if texts.type != pa.string():
            texts = texts.cast(pa.string())
        data, _ = _bytes_of(texts)
        # Any byte that could be a blank, a control character or a part of one: look closer.
        if len(data) and (int(data.min()) <= ord(" ") or int(data.max()) >= 0x7F):
            try:
                stripped = [text.strip(_BLANKS) for text in texts.to_pylist()]
            except UnicodeDecodeError:
                return None
            if any(_CONTROL.search(text) for text in stripped):
                return None
            texts = pa.array(stripped, pa.string())
        if len(texts) and pc.min(pc.binary_length(texts)).as_py() == 0:
            return None
        return cls(texts)

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> str:
        return str(self.texts[index])

    def hashes(self, key: int) -> Words:
        """One for each name."""
        data, offsets = _bytes_of(self.texts)
        starts, lengths = offsets[:-1], np.diff(offsets)
        padded = np.zeros(len(data) + _WORD, dtype=np.uint8)
        padded[: len(data)] = data
        # The 8 bytes from each byte on, little-endian; no copy.
        words: Words = np.ndarray((len(data) + 1,), dtype="<u8", buffer=padded, strides=(1,))
        found = mix(lengths.astype(np.uint64) * np.uint64(_GOLDEN) + np.uint64(key))
        which = np.arange(len(starts))
        for place in range(0, int(lengths.max(initial=0)), _WORD):
            which = which[lengths[which] > place]
            word = words[starts[which] + place] & _MASKS[np.minimum(lengths[which] - place, _WORD)]
            found[which] = mix((found[which] ^ word) + np.uint64(_GOLDEN))
        return found


def _bytes_of(texts: Any) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of an Arrow array of strings, and where each begins and the last ends."""
    _, offsets, data = texts.buffers()
    if len(texts) == 0 or offsets is None:
        return np.zeros(0, np.uint8), np.zeros(1, np.int64)
    found = np.frombuffer(offsets, np.int32, len(texts) + 1, texts.offset * 4).astype(np.int64)
    held = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return held[found[0] : found[-1]], found - found[0]

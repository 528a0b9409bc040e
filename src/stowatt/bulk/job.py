"""What every pass over a large book needs to know, and the files in which it leaves what it found.

Each file appears whole, under its name: a run that was killed goes on with those that are there. Doing a part again
writes the same bytes.
"""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stowatt.bulk.memory import Memory
from stowatt.clearing.rules import Rules
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import OutputError

_WORD: Final = 8
_ALIGNED: Final = 64
_SMALL: Final = 2**16


@dataclass(frozen=True, slots=True)
class Job:
    """One clearing of one book. It is sent to every worker."""

    book: str
    """The path, as errors name it."""
    folder: str
    """Where the passes leave their files; all workers must see it."""
    unit: DecimalUnit
    rules: Rules
    key: int
    """Of the hashes of names."""
    memory: Memory
    fills: bool
    """Whether fills are written."""

    def path(self, kind: str, number: int = 0, end: str = "state") -> Path:
        """The file with what a pass found in a part. No task that outlives its run writes into those of another run."""
        return Path(self.folder) / f"{kind}-{number:06}-{self.key:016x}.{end}"

    def has(self, kind: str, number: int = 0, end: str = "state") -> bool:
        """Whether a file is there."""
        return self.path(kind, number, end).exists()

    def save(self, kind: str, number: int, value: Any = None, *, lasts: bool = False, **arrays: NDArray[Any]) -> None:
        """Keep a JSON value and arrays in one file. What `lasts` is found again by a run that goes on."""
        places, at = {}, 0
        for name, array in arrays.items():
            places[name] = (np.lib.format.dtype_to_descr(array.dtype), array.shape, at)
            at += -(-array.nbytes // _ALIGNED) * _ALIGNED
        header = json.dumps({"value": value, "arrays": places}).encode()
        start = -(-(len(header) + _WORD) // _ALIGNED) * _ALIGNED
        with self.appearing(self.path(kind, number), lasts) as draft, draft.open("wb") as file:
            file.write(start.to_bytes(_WORD, "little") + header.ljust(start - _WORD))
            for array in arrays.values():
                file.write(np.ascontiguousarray(array).data)
                file.write(bytes(-array.nbytes % _ALIGNED))

    def value(self, kind: str, number: int) -> Any:
        """A JSON value that was kept."""
        return self._header(kind, number)[0]["value"]

    def load(self, kind: str, number: int = 0, name: str = "rows") -> NDArray[Any]:
        """An array that was kept, not to be changed; of a long one, only what is used is read."""
        header, start = self._header(kind, number)
        descr, shape, at = header["arrays"][name]
        dtype = np.dtype([(field, kind) for field, kind in descr] if isinstance(descr, list) else descr)
        size = int(np.prod(shape))
        if self.path(kind, number).stat().st_size < start + at + size * dtype.itemsize:
            raise self.damaged(self.path(kind, number))
        if size * dtype.itemsize < _SMALL:
            return np.fromfile(self.path(kind, number), dtype, size, offset=start + at).reshape(shape)
        return np.memmap(self.path(kind, number), dtype, "r", start + at, tuple(shape)).view(np.ndarray)

    def _header(self, kind: str, number: int) -> tuple[dict[str, Any], int]:
        try:
            with self.path(kind, number).open("rb") as file:
                start = int.from_bytes(file.read(_WORD), "little")
                return json.loads(file.read(start - _WORD)), start
        except (OSError, ValueError):
            raise self.damaged(self.path(kind, number)) from None

    def damaged(self, path: Path) -> OutputError:
        """The error of a file that a pass cannot have left so."""
        return OutputError(f"{path} is damaged or gone", f"remove {self.folder} to begin again")

    @contextmanager
    def appearing(self, path: Path, lasts: bool = True) -> Iterator[Path]:
        """A draft that takes the file's place when the block ends well, and if it `lasts`, when it is on the disk."""
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            yield draft
            if lasts:
                with draft.open("rb") as file:
                    os.fsync(file.fileno())
            os.replace(draft, path)
        except OSError as error:
            reason = error.strerror or str(error)
            way_out = "make room, and run the same command again: it goes on from here"
            raise OutputError(f"{self.folder} cannot be written to: {reason}", way_out) from None
        finally:
            draft.unlink(missing_ok=True)

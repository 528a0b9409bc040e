"""Pedersen commitments beside py_ecc, signature recovery beside eth_keys: every participant and auditor does these."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.harness import PALETTE, Figures, figure, human, rounds, save_svg, table, timed
from stowatt import bn254
from stowatt.commitments import H, commit, compress, verify

CASES = 32


def run(quick: bool) -> Figures:
    """All calls in turns, over the same random inputs."""
    from py_ecc import bn128, optimized_bn128

    random = np.random.default_rng(4)
    openings = [(_scalar(random), _scalar(random)) for _ in range(CASES)]
    words = [commit(*opening) for opening in openings]
    built = tables_seconds()
    peers: dict[str, Callable[[int, int], int]] = {
        "stowatt": commit,
        "py_ecc_optimized": lambda m, r: _py_ecc(optimized_bn128, m, r),
        "py_ecc": lambda m, r: _py_ecc(bn128, m, r),
    }
    same = {name: [peer(*opening) for opening in openings[:4]] == words[:4] for name, peer in peers.items()}
    calls: dict[str, Callable[[], Any]] = {}
    for name, peer in peers.items():
        calls[f"commit {name}"] = partial(_next, peer, cycle(openings))
    checks = [(word, *opening) for word, opening in zip(words, openings, strict=True)]
    calls["verify stowatt"] = partial(_next, verify, cycle(checks))
    signing, right = _signatures(random)
    calls |= signing
    budget, most = (0.2, 20) if quick else (3.0, 200)
    spreads = rounds(calls, budget=budget, most=most)
    return {
        "seconds": {name: spread.to_json() for name, spread in spreads.items()},
        "tables": built, "same": same | right, "gmpy2": type(bn254._p) is not int,
    }  # fmt: skip


def _next(call: Callable[..., Any], turns: Iterator[tuple[Any, ...]]) -> Any:
    return call(*next(turns))


def tables_seconds() -> float:
    """Seconds to build the tables of both bases, once in a process."""
    return min(timed(lambda: (bn254.FixedBase(bn254.G), bn254.FixedBase(H)))[0] for _ in range(5))


def _scalar(random: np.random.Generator) -> int:
    return int.from_bytes(random.bytes(32)) % (bn254.N - 1) + 1


def _py_ecc(module: ModuleType, message: int, blinder: int) -> int:
    """m·G + r·H with py_ecc, as a word."""
    h = tuple(module.FQ(c) for c in H) if module.__name__ == "py_ecc.bn128" else (*map(module.FQ, H), module.FQ(1))
    point = module.add(module.multiply(module.G1, message), module.multiply(h, blinder))
    x, y = point if len(point) == 2 else module.normalize(point)
    return compress((int(x), int(y)))


def _signatures(random: np.random.Generator) -> tuple[dict[str, Callable[[], Any]], dict[str, bool]]:
    """The sender of a digest's signature, with each backend of eth_keys."""
    from eth_keys.backends.coincurve import CoinCurveECCBackend
    from eth_keys.backends.native import NativeECCBackend
    from eth_keys.main import KeyAPI

    apis = {"coincurve": KeyAPI(CoinCurveECCBackend()), "native": KeyAPI(NativeECCBackend())}
    digests = [random.bytes(32) for _ in range(CASES)]
    keys = [random.bytes(32) for _ in range(CASES)]
    signatures = [
        apis["coincurve"].ecdsa_sign(digest, apis["coincurve"].PrivateKey(key))
        for digest, key in zip(digests, keys, strict=True)
    ]
    calls: dict[str, Callable[[], Any]] = {}
    right = {}
    for name, api in apis.items():
        calls[f"recover {name}"] = partial(_next, partial(_recover, api), cycle(zip(digests, signatures, strict=True)))
        calls[f"sign {name}"] = partial(_next, partial(_sign, api), cycle(zip(digests, keys, strict=True)))
        owner = apis["coincurve"].PrivateKey(keys[0]).public_key.to_canonical_address()
        right[name] = api.ecdsa_recover(digests[0], signatures[0]).to_canonical_address() == owner
    return calls, right


def _recover(api: Any, digest: bytes, signature: Any) -> Any:
    return api.ecdsa_recover(digest, signature).to_canonical_address()


def _sign(api: Any, digest: bytes, key: bytes) -> Any:
    return api.ecdsa_sign(digest, api.PrivateKey(key))


LABELS = {
    "commit stowatt": ("Pedersen commitment", "**Stowatt** (tables for G and H)"),
    "commit py_ecc_optimized": ("", "py_ecc.optimized_bn128"),
    "commit py_ecc": ("", "py_ecc.bn128"),
    "verify stowatt": ("Verify an opening", "**Stowatt**"),
    "recover coincurve": ("Recover a signer", "coincurve (what **Stowatt** uses)"),
    "recover native": ("", "eth_keys native"),
    "sign coincurve": ("Sign", "coincurve (what **Stowatt** uses)"),
    "sign native": ("", "eth_keys native"),
}


def tables(figures: Figures) -> str:
    """One row a call; the factor is to Stowatt's row above it."""
    rows, best = [], 1.0
    for name, (what, label) in LABELS.items():
        row = figures["seconds"][name]
        best = row["median"] if what else best
        result = figures["same"].get(name.split()[1], True)
        rows.append(
            [
                what, label, f"{human(row['median'])} ({human(row['lower'])} – {human(row['upper'])})",
                f"{row['median'] / best:.1f} ×", "yes" if result else "**no**",
            ]
        )  # fmt: skip
    integers = "gmpy2" if figures["gmpy2"] else "Python"
    return (
        table(["operation", "with", "median (quartiles)", "factor", "same result"], rows, texts=2)
        + f"\n\nStowatt's tables take {human(figures['tables'])} to build, once in a process; its integers were "
        + f"{integers}'s. py_ecc would verify an opening by the same commitment."
    )


def plot(figures: Figures, path: Path) -> None:
    """All calls, logarithmic."""
    shown = list(reversed(LABELS))
    made, (axes,) = figure(height=3.2)
    ours = [PALETTE[0] if "Stowatt" in LABELS[name][1] else PALETTE[5] for name in shown]
    values = [figures["seconds"][name]["median"] * 1e3 for name in shown]
    bars = axes.barh([name.replace("_", " ") for name in shown], values, color=ours)
    axes.bar_label(bars, fmt="%.3g ms", padding=3, fontsize=9)
    axes.set(xscale="log", xlabel="milliseconds")
    axes.margins(x=0.15)
    save_svg(made, path)

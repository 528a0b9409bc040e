"""Writes tests/vectors/commitments/*.json; COMMITMENTS.md beside this file documents the format.

    python tests/vectors/generate_commitments.py

The same run always writes the same bytes. Tests compare the points with an independent implementation of BN254.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from eth_utils.address import to_checksum_address

from stowatt.bn254 import N, P
from stowatt.commitments import (
    DOMAIN,
    H_STRING,
    NO_TERMS,
    BidContext,
    H,
    Terms,
    accumulate,
    commit,
    commit_point,
    committed_word,
    decompress,
    final_seed,
    opened_word,
    resolved_word,
    verify,
)
from stowatt.curves import Curve, Side
from stowatt.errors import CommitmentError

FOLDER = Path(__file__).parent / "commitments"
Case = dict[str, Any]


def word(value: int) -> str:
    return f"0x{value:064x}"


def generator() -> Iterator[Case]:
    """The second generator H and the public string that it is hashed from; the counter that hits the curve is 1."""
    yield {"name": "H", "string": H_STRING.decode(), "counter": 1, "x": word(H[0]), "y": word(H[1])}


def points() -> Iterator[Case]:
    """C = m·G + r·H as a point and as a word."""
    random = Random(60)
    pairs = [(0, 1), (1, 1), (N - 1, 1), (0, N - 1), (N - 1, N - 1), (12345, 67890)]
    pairs += [(random.randrange(N), random.randrange(1, N)) for _ in range(26)]
    for number, (message, blinder) in enumerate(pairs):
        point = commit_point(message, blinder)
        assert point is not None
        yield {
            "name": f"point {number}",
            "m": word(message),
            "r": word(blinder),
            "x": word(point[0]),
            "y": word(point[1]),
            "commitment": word(commit(message, blinder)),
        }


def refused_openings() -> Iterator[Case]:
    """(m, r) that must not open the word, though the curve's arithmetic modulo n would let some of them."""
    m, r = 5, 7
    for name, bad_m, bad_r in [
        ("m + n", m + N, r),
        ("r + n", m, r + N),
        ("r = 0", m, 0),
        ("r = n", m, N),
        ("another m", m + 1, r),
        ("another r", m, r + 1),
        ("m and r exchanged", r, m),
    ]:
        assert not verify(commit(m, r), bad_m, bad_r)
        yield {"name": name, "commitment": word(commit(m, r)), "m": word(bad_m), "r": word(bad_r)}


def refused_words() -> Iterator[Case]:
    """Words that are the encoding of no point."""
    for name, bad in [
        ("zero", 0),
        ("x = 0 with the parity bit", 1 << 255),
        ("x = p", P),
        ("x = p + 1, which is 1 modulo p", P + 1),
        ("x = p + 1 with the parity bit", (1 << 255) | (P + 1)),
        ("all ones", (1 << 256) - 1),
        ("x = 4 is on no point", 4),
    ]:
        try:
            decompress(bad)
        except CommitmentError:
            yield {"name": name, "word": word(bad)}
        else:
            raise AssertionError(name)


def bids() -> Iterator[Case]:
    """The message of a bid in its context, its commitment, and its slot words before and after the opening."""
    random = Random(61)
    for number in range(32):
        side = Side(number % 2)
        width = 2**32 - 1 if number < 4 else 5000
        pairs = {random.randrange(16_384): random.randint(1, width) for _ in range((1, 16, 2, 4)[number // 2 % 4])}
        curve = Curve.of(side, pairs.items())
        seller = side is Side.SELL
        context = BidContext(
            chain_id=(1, 31337, 2**64 + 1)[number % 3],
            market=address(random),
            window=(0, 7, 2**32 - 1, random.getrandbits(32))[number % 4],
            participant=address(random),
            side=side,
            device=random.getrandbits(32) if seller else 0,
            fingerprint=random.randbytes(32) if seller else bytes(32),
        )
        blinder = random.randrange(1, N)
        offsets = [random.choice((0, random.getrandbits(20), 2**48 - 1)) for _ in curve.segments]
        terms = NO_TERMS
        if seller:
            limit = min(2 * curve.total, 2**32 - 1)
            terms = Terms(context.device, limit, (1, 200_000, 1_000_000)[number % 3], (1, 33, 64)[number // 2 % 3])
        yield bid_case(f"bid {number}", context, terms, curve, blinder, offsets)


def bid_case(name: str, context: BidContext, terms: Terms, curve: Curve, blinder: int, offsets: list[int]) -> Case:
    encoded = curve.encode()
    commitment = context.commit(encoded, blinder)
    ring = 2**17
    return {
        "name": name,
        "chain_id": str(context.chain_id),
        "market": context.market,
        "window": context.window,
        "participant": context.participant,
        "side": context.side.word,
        "device": context.device,
        "limit_wh": terms.limit_wh,
        "alpha": terms.alpha,
        "units": terms.units,
        "terms": word(terms.encode()),
        "fingerprint": "0x" + context.fingerprint.hex(),
        "segments": [list(segment) for segment in curve.segments],
        "curve": "0x" + encoded.hex(),
        "preimage": "0x" + context.preimage(encoded).hex(),
        "m": word(context.message(encoded)),
        "r": word(blinder),
        "commitment": word(commitment),
        "ring": ring,
        "committed_slot": word(committed_word(ring, context.window, commitment, terms, context.fingerprint)),
        "offsets": offsets,
        "opened_slot": word(opened_word(ring, context.window, encoded, offsets, terms)),
        "resolved_slot": word(resolved_word(ring, context.window)),
    }


def seeds() -> Iterator[Case]:
    """The accumulator and the seed of a window from its opened blinders, whatever their order."""
    random = Random(62)
    for number, count in enumerate((0, 1, 2, 3, 5, 8, 40)):
        window = (7, 0, 2**32 - 1)[number % 3]
        blinders = [random.randrange(1, N) for _ in range(count)]
        accumulator = 0
        for blinder in blinders:
            accumulator = accumulate(accumulator, blinder)
        yield {
            "name": f"{count} opened bids",
            "window": window,
            "blinders": [word(blinder) for blinder in blinders],
            "accumulator": word(accumulator),
            "seed": word(final_seed(window, accumulator)),
        }


def address(random: Random) -> str:
    return str(to_checksum_address(random.randbytes(20)))


THEMES = (generator, points, refused_openings, refused_words, bids, seeds)


def files() -> dict[Path, str]:
    """Every vector file and its text, one case a line."""
    texts = {}
    for theme in THEMES:
        head = json.dumps(
            {
                "format": "stowatt-commitments/1",
                "theme": theme.__name__,
                "about": theme.__doc__,
                "domain": "0x" + DOMAIN.hex(),
            },
            ensure_ascii=False,
        )
        cases = ",\n".join(json.dumps(case, ensure_ascii=False) for case in theme())
        texts[FOLDER / f"{theme.__name__}.json"] = f'{head[:-1]}, "cases": [\n{cases}\n]}}\n'
    return texts


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{path.name}: {len(json.loads(text)['cases'])} cases")


if __name__ == "__main__":
    main()

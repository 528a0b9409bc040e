"""§5: sealed bids. One class per rule; attacks carry their number from docs/threats."""

import random
from dataclasses import replace

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st
from py_ecc.optimized_bn128 import add as oracle_add
from py_ecc.optimized_bn128 import b as oracle_b
from py_ecc.optimized_bn128 import multiply as oracle_multiply
from py_ecc.optimized_bn128.optimized_curve import FQ, is_on_curve, normalize

from stowatt.bn254 import G, N, P
from stowatt.commitments import (
    DOMAIN,
    NO_TERMS,
    BidContext,
    H,
    SlotKind,
    Terms,
    accumulate,
    commit,
    commit_point,
    committed_word,
    compress,
    decompress,
    derive_h,
    final_seed,
    new_blinder,
    opened_word,
    pedersen,
    read_slot,
    resolved_word,
    units_held,
    verify,
    window_seed,
)
from stowatt.curves import Curve, Side
from stowatt.errors import CommitmentError

MARKET = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ALICE = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
BOB = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
CURVE = Curve.of(Side.SELL, [(1200, 800), (1500, 700)]).encode()
SALE = BidContext(31337, MARKET, 7, ALICE, Side.SELL, device=3, fingerprint=bytes(range(32)))
PURCHASE = BidContext(31337, MARKET, 7, ALICE, Side.BUY)

scalars = st.integers(0, N - 1)
blinders = st.integers(1, N - 1)


def oracle_commit(message: int, blinder: int) -> tuple[int, int]:
    """C by py_ecc, an independent implementation of BN254."""
    g = (FQ(G[0]), FQ(G[1]), FQ(1))
    h = (FQ(H[0]), FQ(H[1]), FQ(1))
    x, y = normalize(oracle_add(oracle_multiply(g, message), oracle_multiply(h, blinder)))
    return int(x), int(y)


class TestSecondGenerator:
    """H is hashed to the curve, so that nobody knows log_G H."""

    def test_redo_the_derivation_from_the_public_string_alone(self):
        for counter in range(100):
            x = int.from_bytes(keccak(b"Stowatt/Pedersen/H/1" + counter.to_bytes(4, "big"))) % P
            square = (pow(x, 3, P) + 3) % P
            if pow(square, (P - 1) // 2, P) == 1:  # Euler's criterion
                break
        y = next(root for root in (pow(square, (P + 1) // 4, P), -pow(square, (P + 1) // 4, P) % P) if root % 2 == 0)
        assert y * y % P == square
        assert (x, y) == H == derive_h()
        assert counter == 1

    def test_h_is_on_the_curve_and_has_the_group_s_order(self):
        point = (FQ(H[0]), FQ(H[1]), FQ(1))
        assert is_on_curve(point, oracle_b)
        assert oracle_multiply(point, N)[2] == FQ(0)

    def test_h_is_not_g(self):
        assert H[0] != G[0]


class TestCommitment:
    """C = m·G + r·H (6)."""

    def test_agrees_with_an_independent_implementation(self):
        rng = random.Random(6)
        cases = [(0, 1), (1, 1), (N - 1, N - 1), (12345, 67890)]
        cases += [(rng.randrange(N), rng.randrange(1, N)) for _ in range(12)]
        for message, blinder in cases:
            assert commit_point(message, blinder) == oracle_commit(message, blinder)

    def test_the_contract_s_self_test_value(self):
        assert commit(12345, 67890) == 0x25D0F444C0FC809F9D8420D53E95EDEB1AA025D691FB0B6C5FD55495B1389923

    @given(scalars, blinders)
    def test_the_word_holds_the_whole_point(self, message, blinder):
        point = commit_point(message, blinder)
        assert decompress(compress(point)) == point

    @given(scalars, blinders, scalars, blinders)
    def test_opens_with_its_own_scalars_only(self, m, r, other_m, other_r):
        word = commit(m, r)
        assert verify(word, m, r)
        assert verify(word, other_m, r) == (other_m == m)
        assert verify(word, m, other_r) == (other_r == r)

    def test_t4_scalars_beyond_the_order_are_refused(self):
        word = commit(5, 7)
        assert not verify(word, 5 + N, 7)
        assert not verify(word, 5, 7 + N)
        assert not verify(word, -N + 5, 7)
        assert not verify(commit(5, 1), 5, 1 - N)
        with pytest.raises(CommitmentError, match="below the group's order"):
            commit(N, 7)
        for blinder in (0, N, N + 7, -1):
            with pytest.raises(CommitmentError, match=r"1 … n-1"):
                commit(5, blinder)

    def test_a_blinder_never_reaches_an_error_text(self):
        secret = N + 987654321987654321
        with pytest.raises(CommitmentError) as caught:
            commit(5, secret)
        assert str(secret) not in str(caught.value) and hex(secret) not in str(caught.value)

    def test_blinders_fill_the_range(self, monkeypatch):
        for drawn, blinder in ((0, 1), (N - 2, N - 1)):
            monkeypatch.setattr(
                pedersen.secrets, "randbelow", lambda bound, drawn=drawn: drawn if bound == N - 1 else None
            )
            assert new_blinder() == blinder

    def test_two_seals_of_one_curve_differ(self):
        assert SALE.seal(CURVE)[0] != SALE.seal(CURVE)[0]


class TestWord:
    """A commitment goes on chain as one canonical 32-byte word."""

    @pytest.mark.parametrize(
        ("word", "reason"),
        [
            (0, "no point"),  # x = 0 would need a root of 3
            (1 << 255, "no point"),
            (P, "not canonical"),
            (P + 1, "not canonical"),  # x = 1 again, the generator's
            ((1 << 255) | (P + 1), "not canonical"),
            ((1 << 255) - 1, "not canonical"),
            (4, "no point"),
            (1 << 256, "32-byte"),
            (-1, "32-byte"),
        ],
    )
    def test_t5_non_canonical_and_off_curve_words_are_refused(self, word, reason):
        with pytest.raises(CommitmentError, match=reason):
            decompress(word)
        assert not verify(word, 5, 7)

    def test_infinity_has_no_word(self):
        with pytest.raises(CommitmentError, match="infinity"):
            compress(None)

    @given(st.integers(0, 2**256 - 1))
    def test_every_word_is_refused_or_comes_back(self, word):
        try:
            point = decompress(word)
        except CommitmentError:
            return
        assert compress(point) == word
        assert is_on_curve((FQ(point[0]), FQ(point[1]), FQ(1)), oracle_b)


class TestMessage:
    """m binds chain, market, window, participant, side, device, fingerprint and curve."""

    def test_the_preimage_written_out_by_hand(self):
        by_hand = (
            keccak(b"Stowatt/bid/1").hex()
            + f"{31337:064x}"
            + "000000000000000000000000" + "5fbdb2315678afecb367f032d93f642f64180aa3"
            + f"{7:064x}"
            + "000000000000000000000000" + "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
            + f"{0:064x}"
            + f"{3:064x}"
            + bytes(range(32)).hex()
            + "04b000000320" + "05dc000002bc"
        )  # fmt: skip
        assert SALE.preimage(CURVE).hex() == by_hand
        assert SALE.message(CURVE) == int.from_bytes(keccak(bytes.fromhex(by_hand))) % N
        assert len(DOMAIN) == 32

    def test_t1_a_copied_commitment_opens_for_nobody_else(self):
        word, blinder = PURCHASE.seal(CURVE)
        copied = BidContext(31337, MARKET, 7, BOB, Side.BUY)
        assert PURCHASE.verify(word, CURVE, blinder)
        assert not copied.verify(word, CURVE, blinder)

    @pytest.mark.parametrize(
        "elsewhere",
        [
            BidContext(31337, MARKET, 8, ALICE, Side.SELL, 3, bytes(range(32))),
            BidContext(1, MARKET, 7, ALICE, Side.SELL, 3, bytes(range(32))),
            BidContext(31337, BOB, 7, ALICE, Side.SELL, 3, bytes(range(32))),
            BidContext(31337, MARKET, 7, ALICE, Side.SELL, 4, bytes(range(32))),
            BidContext(31337, MARKET, 7, ALICE, Side.SELL, 3, bytes(32)),
            BidContext(31337, MARKET, 7, ALICE, Side.BUY),
        ],
        ids=["window", "chain", "market", "device", "fingerprint", "side"],
    )
    def test_t2_a_commitment_opens_in_its_own_context_only(self, elsewhere):
        word, blinder = SALE.seal(CURVE)
        assert SALE.verify(word, CURVE, blinder)
        assert not elsewhere.verify(word, CURVE, blinder)

    def test_every_bit_of_the_curve_counts(self):
        word, blinder = SALE.seal(CURVE)
        for bit in range(8 * len(CURVE)):
            flipped = (int.from_bytes(CURVE) ^ 1 << bit).to_bytes(len(CURVE))
            assert not SALE.verify(word, flipped, blinder)

    def test_t4_the_message_is_reduced_once(self):
        assert 0 <= SALE.message(CURVE) < N

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"window": 2**32}, "window 4294967296"),
            ({"chain_id": -1}, "chain_id -1"),
            ({"market": "0x12"}, "market '0x12'"),
            ({"participant": ALICE[:-1]}, "participant"),
            ({"fingerprint": b"\0" * 31}, "31 bytes"),
            ({"side": Side.BUY}, "device 3"),
            ({"side": Side.BUY, "device": 0}, "device 0"),
        ],
    )
    def test_an_impossible_context_is_refused_by_name(self, change, named):
        fields = {"chain_id": 1, "market": MARKET, "window": 7, "participant": ALICE, "side": Side.SELL, "device": 3}
        with pytest.raises(CommitmentError, match=named):
            BidContext(**{**fields, "fingerprint": bytes(range(32)), **change})

    def test_the_spelling_of_an_address_does_not_count(self):
        assert BidContext(31337, MARKET.lower(), 7, ALICE.lower(), Side.BUY).message(CURVE) == PURCHASE.message(CURVE)


class TestSeed:
    """seed = keccak256(window ‖ Σ keccak256(r) mod 2^256)."""

    def test_written_out_by_hand(self):
        total = sum(int.from_bytes(keccak(r.to_bytes(32, "big"))) for r in (11, 22, 33)) % 2**256
        expected = int.from_bytes(keccak((7).to_bytes(32, "big") + total.to_bytes(32, "big")))
        assert window_seed(7, [11, 22, 33]) == expected
        assert final_seed(7, accumulate(accumulate(accumulate(0, 11), 22), 33)) == expected

    @given(st.lists(blinders, max_size=8), st.randoms())
    def test_t19_the_order_of_reveal_does_not_move_the_seed(self, opened, rng):
        shuffled = opened.copy()
        rng.shuffle(shuffled)
        assert window_seed(7, opened) == window_seed(7, shuffled)

    def test_window_and_set_of_openings_count(self):
        assert len({window_seed(7, [1, 2]), window_seed(8, [1, 2]), window_seed(7, [1]), window_seed(7, [])}) == 4


TERMS = Terms(3, 2500, 150_000, 64)


class TestTerms:
    """A seller's terms in one word."""

    def test_written_out_by_hand(self):
        assert TERMS.encode() == 64 << 88 | 150_000 << 64 | 2500 << 32 | 3
        assert (TERMS.side, NO_TERMS.side, NO_TERMS.encode()) == (Side.SELL, Side.BUY, 0)

    @given(st.integers(0, 2**96 - 1))
    def test_comes_back(self, word):
        assert Terms.decode(word).encode() == word

    def test_what_does_not_fit_is_refused(self):
        for bad in (
            lambda: Terms(2**32, 0, 0, 0),
            lambda: Terms(0, -1, 0, 0),
            lambda: Terms(0, 0, 2**24, 0),
            lambda: Terms(0, 0, 0, 256),
            lambda: Terms.decode(2**96),
            lambda: Terms.decode(-1),
        ):
            with pytest.raises(CommitmentError, match="terms"):
                bad()


class TestSlot:
    """What a participant's ring slot holds on chain."""

    RING = 96

    def test_committed_written_out_by_hand(self):
        low = int.from_bytes(keccak((200).to_bytes(32) + (77).to_bytes(32) + bytes(64))) % 2**231
        assert committed_word(self.RING, 200, 77) == (2 << 240) | (1 << 238) | (1 << 237) | low

    def test_a_sellers_binds_its_terms(self):
        terms = (64 << 88 | 150_000 << 64 | 2500 << 32 | 3).to_bytes(32) + b"\xaa" * 32
        low = int.from_bytes(keccak((200).to_bytes(32) + (77).to_bytes(32) + terms)) % 2**231
        word = committed_word(self.RING, 200, 77, TERMS, b"\xaa" * 32)
        assert word == (2 << 240) | (1 << 238) | (63 << 231) | low

    def test_opened_written_out_by_hand(self):
        bid = bytes.fromhex("04b000000320" + "05dc000002bc" + "000000000000" + "000100000000")
        low = int.from_bytes(keccak((200).to_bytes(32) + TERMS.encode().to_bytes(32) + keccak(bid))) % 2**231
        word = opened_word(self.RING, 200, CURVE, [0, 2**32], TERMS)
        assert word == (2 << 240) | (2 << 238) | (63 << 231) | low

    def test_resolved(self):
        assert resolved_word(self.RING, 200) == (2 << 240) | (3 << 238) | 1

    @given(st.integers(0, 96 * 2**16 - 1), st.integers(0, 64), st.integers(1, 2**256 - 1))
    def test_reads_back_in_its_own_round_only(self, window, units, commitment):
        word = committed_word(self.RING, window, commitment, replace(TERMS, units=units) if units else NO_TERMS)
        slot = read_slot(word, self.RING, window)
        assert slot is not None
        side = Side.SELL if units else Side.BUY
        assert (slot.kind, slot.side, slot.units, slot.round) == (SlotKind.COMMITTED, side, units, window // 96)
        assert slot.low == word % 2**231
        assert units_held(word) == units
        assert read_slot(word, self.RING, window + 96 if window < 96 * (2**16 - 1) else window - 96) is None

    def test_only_an_unopened_commitment_holds_units_for_its_place(self):
        opened, resolved = opened_word(self.RING, 200, CURVE, [0, 5], TERMS), resolved_word(self.RING, 200)
        assert units_held(opened) == units_held(resolved) == units_held(0) == 0
        slots = [read_slot(word, self.RING, 200) for word in (opened, resolved)]
        assert [slot.units for slot in slots if slot] == [64, 0]

    def test_t17_an_empty_slot_says_nothing(self):
        assert read_slot(0, self.RING, 5) is None

    @given(
        st.lists(st.integers(0, 2**48 - 1), min_size=2, max_size=2),
        st.sampled_from(["device", "limit_wh", "alpha", "units"]),
        st.integers(1, 64),
    )
    def test_t10_terms_and_offsets_are_bound(self, offsets, name, value):
        stored, other = opened_word(self.RING, 200, CURVE, [0, 5], TERMS), replace(TERMS, **{name: value})
        same = opened_word(self.RING, 200, CURVE, offsets, other) == stored
        assert same == (offsets == [0, 5] and other == TERMS)

    @pytest.mark.parametrize(
        ("ring", "window", "offsets", "named"),
        [
            (96, 96 * 2**16, [0, 0], "window 6291456"),
            (96, 200, [0], "1 offsets"),
            (96, 200, [0, 2**48], "of segment 1"),
            (96, 200, [-1, 0], "of segment 0"),
        ],
    )
    def test_t8_what_does_not_fit_is_refused(self, ring, window, offsets, named):
        with pytest.raises(CommitmentError, match=named):
            opened_word(ring, window, CURVE, offsets, TERMS)
        with pytest.raises(CommitmentError, match="commitment -1"):
            committed_word(96, 200, -1, TERMS)
        with pytest.raises(CommitmentError, match="65 units"):
            committed_word(96, 200, 1, replace(TERMS, units=65))

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../src/lib/Errors.sol";
import {MoneyWord, ResultWord, StatusWord} from "../../src/lib/WindowWords.sol";
import {Test} from "../utils/Test.sol";

/// @notice A window's packed words: what goes in comes out, and lanes are checked (T8).
contract WindowWordsTest is Test {
    uint256 private constant COUNT_MAX = type(uint24).max;

    // -------------------------------------------------------------------------------------------------------- StatusWord

    /// StatusWord.ended > it keeps status and counts
    function testFuzz_EndedReadsBack(uint8 status, uint24 sellers, uint24 buyers) external pure {
        uint256 word = StatusWord.ended(status, sellers, buyers);
        assertEq(StatusWord.status(word), status, "status");
        assertEq(StatusWord.sellers(word), sellers, "sellers");
        assertEq(StatusWord.buyers(word), buyers, "buyers");
        assertEq(StatusWord.resolved(word) + StatusWord.settled(word), 0, "progress");
    }

    /// StatusWord.withCommitment > it counts one more on its side alone
    function testFuzz_WithCommitmentCountsItsSide(uint24 sellers, uint24 buyers, uint8 side) external view {
        sellers = uint24(bound(sellers, 0, COUNT_MAX - 1));
        buyers = uint24(bound(buyers, 0, COUNT_MAX - 1));
        uint256 word = this.withCommitment(StatusWord.ended(1, sellers, buyers), side % 2);
        assertEq(StatusWord.sellers(word), sellers + (side % 2 == 0 ? 1 : 0), "sellers");
        assertEq(StatusWord.buyers(word), buyers + (side % 2 == 1 ? 1 : 0), "buyers");
        assertEq(StatusWord.status(word), 1, "status");
        assertEq(StatusWord.digest(word), 0, "digest");
    }

    /// StatusWord.withCommitment > when the count is full > it reverts with BadAmount
    function test_RevertWhen_CountFull() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.BadAmount.selector, COUNT_MAX));
        this.withCommitment(StatusWord.ended(1, COUNT_MAX, 0), 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadAmount.selector, COUNT_MAX));
        this.withCommitment(StatusWord.ended(1, 0, COUNT_MAX), 1);
    }

    /// StatusWord.withoutCommitment > it takes the count back, and nothing else
    function testFuzz_WithoutCommitmentTakesTheCountBack(uint24 sellers, uint8 side, uint256 slot) external view {
        uint256 word = StatusWord.linked(StatusWord.ended(1, sellers % 1000, 7), slot, address(this));
        assertEq(StatusWord.withoutCommitment(this.withCommitment(word, side % 2), side % 2), word, "word");
    }

    /// StatusWord.linked > it chains the digest over slot words and participants, mod 2^200, and keeps the rest
    function testFuzz_LinkedChainsTheDigest(uint256 a, address x, uint256 b, address y, uint24 count) external pure {
        uint256 word = StatusWord.linked(StatusWord.ended(1, count, 3), a, x);
        uint256 first = uint256(keccak256(abi.encode(a, x, 0))) & ((1 << 200) - 1);
        assertEq(StatusWord.digest(word), first, "first");
        word = StatusWord.linked(word, b, y);
        assertEq(StatusWord.digest(word), uint256(keccak256(abi.encode(b, y, first))) & ((1 << 200) - 1), "second");
        assertEq(word & ((1 << 56) - 1), StatusWord.ended(1, count, 3), "counts");
    }

    /// StatusWord.linked > when two words are linked in another order > the digest differs
    function testFuzz_T51_LinkedKnowsTheOrder(uint256 a, uint256 b, address x) external pure {
        vm.assume(a != b);
        uint256 there = StatusWord.linked(StatusWord.linked(1, a, x), b, x);
        assertNotEq(there, StatusWord.linked(StatusWord.linked(1, b, x), a, x), "order");
    }

    /// StatusWord.withResolved > it adds to the resolved Wh alone
    function testFuzz_ResolvedAddsUp(uint48 a, uint48 b, uint24 sellers) external pure {
        uint256 word = StatusWord.withResolved(StatusWord.withResolved(StatusWord.ended(2, sellers, 3), a), b);
        assertEq(StatusWord.resolved(word), uint256(a) + b, "resolved");
        assertEq(StatusWord.settled(word), 0, "settled");
        assertEq(StatusWord.sellers(word), sellers, "sellers");
    }

    /// StatusWord.withSettled > it adds to the settled Wh alone
    function testFuzz_SettledAddsUp(uint48 a, uint48 b, uint48 resolved) external pure {
        uint256 word = StatusWord.withResolved(StatusWord.ended(2, 1, 1), resolved);
        word = StatusWord.withSettled(StatusWord.withSettled(word, a), b);
        assertEq(StatusWord.settled(word), uint256(a) + b, "settled");
        assertEq(StatusWord.resolved(word), resolved, "resolved");
    }

    /// StatusWord.withResolved > when 2·V of the largest book are resolved > it does not overflow
    function test_ResolvedHoldsTheLargestBook() external pure {
        // A side of the book: 128 lanes of 48 bits at most.
        uint256 volume = 128 * uint256(type(uint48).max);
        uint256 word = StatusWord.withSettled(StatusWord.withResolved(0, 2 * volume), volume);
        assertEq(StatusWord.resolved(word), 2 * volume, "resolved");
        assertEq(StatusWord.settled(word), volume, "settled");
    }

    // -------------------------------------------------------------------------------------------------------- ResultWord

    /// ResultWord.make > it keeps every part
    function testFuzz_ResultReadsBack(
        uint16 tick,
        uint56 volume,
        uint56 residual,
        uint56 total,
        uint56 phase,
        uint8 side
    ) external pure {
        uint256 word = ResultWord.make(tick, volume, residual, total, phase, side);
        assertEq(ResultWord.tick(word), tick, "tick");
        assertEq(ResultWord.volume(word), volume, "volume");
        assertEq(ResultWord.residual(word), residual, "residual");
        assertEq(ResultWord.total(word), total, "total");
        assertEq(ResultWord.phase(word), phase, "phase");
        assertEq(ResultWord.rationedSide(word), side, "side");
    }

    // --------------------------------------------------------------------------------------------------------- MoneyWord

    /// MoneyWord.make > it keeps every part
    function testFuzz_MoneyReadsBack(uint96 pool, uint96 escrow, uint56 paid) external view {
        uint256 word = this.money(pool, escrow, paid);
        assertEq(MoneyWord.pool(word), pool, "pool");
        assertEq(MoneyWord.escrow(word), escrow, "escrow");
        assertEq(MoneyWord.paid(word), paid, "paid");
    }

    /// MoneyWord.make > when the pool exceeds 96 bits > it reverts with BadAmount
    function testFuzz_RevertWhen_PoolOverflows(uint256 pool) external {
        pool = bound(pool, uint256(type(uint96).max) + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadAmount.selector, pool));
        this.money(pool, 0, 0);
    }

    /// MoneyWord.make > when the escrow exceeds 96 bits > it reverts with BadAmount
    function testFuzz_RevertWhen_EscrowOverflows(uint256 escrow) external {
        escrow = bound(escrow, uint256(type(uint96).max) + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadAmount.selector, escrow));
        this.money(0, escrow, 0);
    }

    // ---------------------------------------------------------------------------------------------------------- helpers

    function withCommitment(uint256 word, uint256 side) external pure returns (uint256) {
        return StatusWord.withCommitment(word, side);
    }

    function money(uint256 pool, uint256 escrow, uint256 paid) external pure returns (uint256) {
        return MoneyWord.make(pool, escrow, paid);
    }
}

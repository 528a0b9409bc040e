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
    function testFuzz_WithCommitmentCountsItsSide(uint24 sellers, uint24 buyers, uint8 side, uint256 slot)
        external
        view
    {
        sellers = uint24(bound(sellers, 0, COUNT_MAX - 1));
        buyers = uint24(bound(buyers, 0, COUNT_MAX - 1));
        uint256 word = this.withCommitment(StatusWord.ended(1, sellers, buyers), side % 2, slot);
        assertEq(StatusWord.sellers(word), sellers + (side % 2 == 0 ? 1 : 0), "sellers");
        assertEq(StatusWord.buyers(word), buyers + (side % 2 == 1 ? 1 : 0), "buyers");
        assertEq(StatusWord.status(word), 1, "status");
    }

    /// StatusWord.withCommitment > it adds the slot word to the digest, mod 2^200
    function testFuzz_DigestIsTheSumOfSlots(uint256 a, uint256 b, uint256 c) external view {
        uint256 word = this.withCommitment(1, 0, a);
        word = this.withCommitment(word, 1, b);
        word = this.withCommitment(word, 1, c);
        unchecked {
            assertEq(StatusWord.digest(word), (a + b + c) & ((1 << 200) - 1), "digest");
        }
    }

    /// StatusWord.withCommitment > when the count is full > it reverts with BadAmount
    function test_RevertWhen_CountFull() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.BadAmount.selector, COUNT_MAX));
        this.withCommitment(StatusWord.ended(1, COUNT_MAX, 0), 0, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadAmount.selector, COUNT_MAX));
        this.withCommitment(StatusWord.ended(1, 0, COUNT_MAX), 1, 1);
    }

    /// StatusWord.withoutCommitment > it takes the count back, and counts the trace a second time
    function testFuzz_WithoutCommitmentLeavesATrace(uint24 sellers, uint8 side, uint256 first, uint256 trace)
        external
        view
    {
        uint256 word = this.withCommitment(StatusWord.ended(1, sellers % 1000, 0), 1, first);
        uint256 less = StatusWord.withoutCommitment(this.withCommitment(word, side % 2, trace), side % 2, trace);
        assertEq(StatusWord.sellers(less), sellers % 1000, "sellers");
        assertEq(StatusWord.buyers(less), 1, "buyers");
        unchecked {
            assertEq(StatusWord.digest(less), (first + 2 * trace) & ((1 << 200) - 1), "digest");
        }
    }

    /// StatusWord.traceOf > when the slot word or the participant differs > it differs
    function testFuzz_TraceBindsSlotAndParticipant(uint256 slot, address account, uint256 other, address another)
        external
        pure
    {
        vm.assume(slot != other || account != another);
        assertNotEq(StatusWord.traceOf(slot, account), StatusWord.traceOf(other, another), "trace");
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

    function withCommitment(uint256 word, uint256 side, uint256 slot) external pure returns (uint256) {
        return StatusWord.withCommitment(word, side, slot);
    }

    function money(uint256 pool, uint256 escrow, uint256 paid) external pure returns (uint256) {
        return MoneyWord.make(pool, escrow, paid);
    }
}

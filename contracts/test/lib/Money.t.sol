// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Money} from "../../src/lib/Money.sol";
import {Test} from "../utils/Test.sol";

/// @notice Money in base units: every rounding goes against the receiver (§1, §6).
contract MoneyTest is Test {
    /// owed > it is the least amount that covers the price
    function testFuzz_OwedRoundsUp(uint56 wh, uint16 tick, uint96 size) external pure {
        tick %= 16_384;
        uint256 exact = uint256(wh) * tick * size;
        uint256 owed = Money.owed(wh, tick, size);
        assertGe(owed * 1000, exact, "covers");
        if (owed != 0) assertLt((owed - 1) * 1000, exact, "least");
    }

    /// earned > it is the largest amount that the price covers
    function testFuzz_EarnedRoundsDown(uint56 wh, uint16 tick, uint96 size) external pure {
        tick %= 16_384;
        uint256 exact = uint256(wh) * tick * size;
        uint256 earned = Money.earned(wh, tick, size);
        assertLe(earned * 1000, exact, "covered");
        assertGt((earned + 1) * 1000, exact, "largest");
    }

    /// owed > when the same energy is earned > it is owed in full, and at most one unit more
    function testFuzz_OwedCoversEarned(uint56 wh, uint16 tick, uint96 size) external pure {
        uint256 gap = Money.owed(wh, tick % 16_384, size) - Money.earned(wh, tick % 16_384, size);
        assertLe(gap, 1, "at most one unit");
    }

    /// owed > when buyers share a volume in any way > their payments cover what any sellers of it earn (T7)
    function testFuzz_PaymentsCoverEarnings(uint40 a, uint40 b, uint40 cut, uint16 tick, uint64 size) external pure {
        uint256 volume = uint256(a) + b;
        uint256 c = bound(cut, 0, volume);
        uint256 paid = Money.owed(a, tick, size) + Money.owed(b, tick, size);
        uint256 earned = Money.earned(c, tick, size) + Money.earned(volume - c, tick, size);
        assertGe(paid, earned, "solvent");
    }

    /// deposit > it is the least amount that covers alpha times the value
    function testFuzz_DepositRoundsUp(uint32 alpha, uint64 whTicks, uint96 size) external pure {
        alpha = uint32(bound(alpha, 1, 1e6));
        uint256 exact = uint256(alpha) * whTicks * size;
        uint256 deposit = Money.deposit(alpha, whTicks, size);
        assertGe(deposit * 1e9, exact, "covers");
        if (deposit != 0) assertLt((deposit - 1) * 1e9, exact, "least");
    }

    /// deposit > when the value grows > it does not shrink
    function testFuzz_DepositIsMonotone(uint32 alpha, uint64 a, uint64 b, uint96 size) external pure {
        alpha = uint32(bound(alpha, 1, 1e6));
        (uint256 low, uint256 high) = a < b ? (a, b) : (b, a);
        assertLe(Money.deposit(alpha, low, size), Money.deposit(alpha, high, size), "monotone");
    }

    /// deposit > when alpha is at most one > it does not exceed what is owed
    function testFuzz_DepositNeverExceedsTheValue(uint32 alpha, uint40 wh, uint16 tick, uint96 size) external pure {
        alpha = uint32(bound(alpha, 1, 1e6));
        tick %= 16_384;
        assertLe(Money.deposit(alpha, uint256(wh) * tick, size), Money.owed(wh, tick, size), "alpha <= 1");
    }

    /// depositPart > when a bid is cut in two > the parts sum to the whole
    function testFuzz_DepositPartsSumToTheWhole(uint32 alpha, uint40 wh, uint40 cut, uint16 tick, uint96 size)
        external
        pure
    {
        alpha = uint32(bound(alpha, 1, 1e6));
        tick %= 16_384;
        uint256 c = bound(cut, 0, wh);
        assertEq(
            Money.depositPart(alpha, 0, c, tick, size) + Money.depositPart(alpha, c, wh - c, tick, size),
            Money.deposit(alpha, uint256(wh) * tick, size),
            "telescopes"
        );
    }

    /// depositPart > when a bid is cut in many > the parts sum to the whole
    function testFuzz_DepositManyPartsSumToTheWhole(uint32 alpha, uint16[8] memory parts, uint16 tick, uint96 size)
        external
        pure
    {
        alpha = uint32(bound(alpha, 1, 1e6));
        tick %= 16_384;
        uint256 at;
        uint256 sum;
        for (uint256 i; i < parts.length; ++i) {
            sum += Money.depositPart(alpha, at, parts[i], tick, size);
            at += parts[i];
        }
        assertEq(sum, Money.deposit(alpha, at * tick, size), "telescopes");
    }

    /// share > it rounds down
    function testFuzz_ShareRoundsDown(uint96 amount, uint56 part, uint56 whole) external pure {
        vm.assume(whole != 0);
        uint256 share = Money.share(amount, part, whole);
        assertLe(share * whole, uint256(amount) * part, "down");
        assertGt((share + 1) * whole, uint256(amount) * part, "by less than one");
    }

    /// share > when the parts make up the whole > they sum to the amount less at most one unit a part
    function testFuzz_SharesSumToAtMostTheAmount(uint96 amount, uint40 a, uint40 b, uint40 c) external pure {
        uint256 whole = uint256(a) + b + c;
        vm.assume(whole != 0);
        uint256 sum = Money.share(amount, a, whole) + Money.share(amount, b, whole) + Money.share(amount, c, whole);
        assertLe(sum, amount, "at most");
        assertGe(sum + 2, amount, "two units at most are left");
    }

    /// share > when part and amount shrink together > the last part empties the amount, and order moves at most one unit
    function testFuzz_ShrinkingSharesEmptyThePool(uint96 amount, uint40 a, uint40 b) external pure {
        vm.assume(a != 0 && b != 0);
        uint256 whole = uint256(a) + b;
        uint256 first = Money.share(amount, a, whole);
        uint256 last = Money.share(amount - first, b, whole - a);
        assertEq(first + last, amount, "emptied");
        uint256 other = Money.share(amount, b, whole);
        assertApproxEqAbs(last, other, 1, "order");
    }

    /// every function > when all inputs are at their bounds > it does not overflow
    function test_NoOverflowAtTheBounds() external pure {
        (uint256 wh, uint256 tick, uint256 size) = (type(uint56).max, 16_383, type(uint96).max);
        assertEq(Money.owed(wh, tick, size) - Money.earned(wh, tick, size), 1, "owed");
        assertGt(Money.deposit(1e6, wh * tick, size), 0, "deposit");
        assertEq(Money.depositPart(1e6, wh, wh, tick, size) > 0, true, "part");
        assertEq(Money.earned(wh * 1e6, tick, size) > 0, true, "metered");
    }
}

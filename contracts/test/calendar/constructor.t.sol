// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {Market} from "../../src/Market.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice What calendars a market accepts.
contract CalendarConstructorTest is Fixture {
    /// when the length is zero > it reverts with BadCalendar(1)
    function test_RevertWhen_NoLength() external {
        Calendar.Parameters memory p = _parameters();
        p.length = 0;
        _assertBad(p, 1);
    }

    /// when the sub-slot is zero or does not divide the length > it reverts with BadCalendar(2)
    function testFuzz_RevertWhen_SubSlotDoesNotDivide(uint32 subSlot) external {
        Calendar.Parameters memory p = _parameters();
        p.subSlot = 0;
        _assertBad(p, 2);
        p.subSlot = uint32(bound(subSlot, 1, type(uint32).max));
        vm.assume(p.length % p.subSlot != 0);
        _assertBad(p, 2);
    }

    /// when there are more than 96 sub-slots > it reverts with BadCalendar(2); at 96 > it deploys
    function test_NinetySixSubSlots() external {
        Calendar.Parameters memory p = _parameters();
        (p.length, p.subSlot) = (960, 10);
        _deploy(p, false);
        (p.length, p.subSlot) = (970, 10);
        _assertBad(p, 2);
    }

    /// when the commit deadline does not precede the reveal deadline, or lies before time zero > it reverts with BadCalendar(3)
    function test_RevertWhen_BadCommitLead() external {
        Calendar.Parameters memory p = _parameters();
        p.commitLead = p.revealLead;
        _assertBad(p, 3);
        p = _parameters();
        p.origin = p.commitLead;
        _assertBad(p, 3);
    }

    /// when the reveal deadline does not precede the payment deadline > it reverts with BadCalendar(4)
    function testFuzz_RevertWhen_BadRevealLead(uint32 lead) external {
        Calendar.Parameters memory p = _parameters();
        p.paymentLead = uint32(bound(lead, p.revealLead, type(uint32).max));
        _assertBad(p, 4);
    }

    /// when a window could be cleared after its payment deadline, or never > it reverts with BadCalendar(7)
    function testFuzz_RevertWhen_BadVoidDelay(uint32 delay) external {
        Calendar.Parameters memory p = _parameters();
        p.voidDelay = 0;
        _assertBad(p, 7);
        p.voidDelay = uint32(bound(delay, p.revealLead - p.paymentLead + 1, type(uint32).max));
        _assertBad(p, 7);
    }

    /// when the ring does not reach beyond the commit deadline > it reverts with BadCalendar(8), for no window could open
    function test_RevertWhen_TheRingIsTooShort() external {
        Calendar.Parameters memory p = _parameters();
        p.ring = 0;
        _assertBad(p, 8);
        p.ring = 4; // 4 · 900 = 3600, the commit lead
        _assertBad(p, 8);
        p.ring = 5;
        _deploy(p, false);
        vm.warp(_commitDeadline(W) - 1);
        _open(W);
    }

    /// when the grid has fewer than 2 or more than 16,384 ticks > it reverts with BadCalendar(9)
    function testFuzz_RevertWhen_BadGrid(uint16 ticks) external {
        Calendar.Parameters memory p = _parameters();
        p.ticks = uint16(bound(ticks, 16_385, type(uint16).max));
        _assertBad(p, 9);
        p.ticks = ticks % 2;
        _assertBad(p, 9);
    }

    /// when the price rule is unknown > it reverts with BadCalendar(10)
    function testFuzz_RevertWhen_UnknownPriceRule(uint8 rule) external {
        Calendar.Parameters memory p = _parameters();
        p.priceRule = uint8(bound(rule, 3, type(uint8).max));
        _assertBad(p, 10);
    }

    /// when the rule needs the price interval and the grid has more than 8,192 ticks > it reverts with BadCalendar(9)
    function test_RevertWhen_TheGridIsTooLargeForAnInterval() external {
        Calendar.Parameters memory p = _parameters();
        for (uint8 rule = 1; rule <= 2; ++rule) {
            p.priceRule = rule;
            p.ticks = 8193;
            _assertBad(p, 9);
            p.ticks = 8192;
            _deploy(p, false);
        }
        (p.priceRule, p.ticks) = (0, 16_384);
        _deploy(p, false);
    }

    /// when the rationing rule is unknown > it reverts with BadCalendar(11)
    function testFuzz_RevertWhen_UnknownRationing(uint8 rule) external {
        Calendar.Parameters memory p = _parameters();
        p.rationing = uint8(bound(rule, 2, type(uint8).max));
        _assertBad(p, 11);
    }

    /// when the tick size is zero > it reverts with BadCalendar(12)
    function test_RevertWhen_NoTickSize() external {
        Calendar.Parameters memory p = _parameters();
        p.tickSize = 0;
        _assertBad(p, 12);
    }

    /// when alpha, efficiency or tolerance is zero or above one > it reverts with BadCalendar(14 to 17)
    function testFuzz_RevertWhen_ARatioIsOutOfRange(uint32 ratio) external {
        ratio = uint32(bound(ratio, 1_000_001, type(uint32).max));
        for (uint256 i; i < 2; ++i) {
            uint32 bad = i == 0 ? ratio : 0;
            Calendar.Parameters memory p = _parameters();
            p.alphaSeller = bad;
            _assertBad(p, 14);
            p = _parameters();
            p.alphaBuyer = bad;
            _assertBad(p, 15);
            p = _parameters();
            p.efficiency = bad;
            _assertBad(p, 16);
            p = _parameters();
            p.tolerance = bad;
            _assertBad(p, 17);
        }
    }

    /// when a proven seller's alpha is zero or above a newcomer's > it reverts with BadCalendar(18); when they are equal > it deploys
    function testFuzz_TheProvenAlphaIsAtMostTheNewcomers(uint32 proven) external {
        Calendar.Parameters memory p = _parameters();
        p.alphaProven = 0;
        _assertBad(p, 18);
        p.alphaProven = uint32(bound(proven, p.alphaSeller + 1, type(uint32).max));
        _assertBad(p, 18);
        p.alphaProven = p.alphaSeller;
        _deploy(p, false);
    }

    /// when the reliability's gain is above one > it reverts with BadCalendar(19); when it is one or zero > it deploys
    function testFuzz_TheGainIsAtMostOne(uint32 gain) external {
        Calendar.Parameters memory p = _parameters();
        p.reliabilityGain = uint32(bound(gain, 1_000_001, type(uint32).max));
        _assertBad(p, 19);
        p.reliabilityGain = 1_000_000;
        _deploy(p, false);
        p.reliabilityGain = 0;
        _deploy(p, false);
    }

    /// when all is in range > calendar() returns what was given
    function testFuzz_CalendarReadsBack(Calendar.Parameters memory p) external {
        p.length = uint32(bound(p.length, 96, 1e6)) / 96 * 96;
        p.subSlot = p.length / uint32(bound(p.subSlot, 0, 1) == 0 ? 96 : 12);
        p.paymentLead = uint32(bound(p.paymentLead, 0, 1e6));
        p.revealLead = uint32(bound(p.revealLead, p.paymentLead + 1, 2e6));
        p.commitLead = uint32(bound(p.commitLead, p.revealLead + 1, 3e6));
        p.origin = uint64(bound(p.origin, p.commitLead + 1, type(uint64).max));
        p.voidDelay = uint32(bound(p.voidDelay, 1, p.revealLead - p.paymentLead));
        p.ring = uint32(bound(p.ring, p.commitLead / p.length + 2, type(uint32).max));
        p.ticks = uint16(bound(p.ticks, 2, 8192));
        p.priceRule %= 3;
        p.rationing %= 2;
        p.tickSize = uint96(bound(p.tickSize, 1, type(uint96).max));
        p.alphaSeller = uint32(bound(p.alphaSeller, 1, 1e6));
        p.alphaBuyer = uint32(bound(p.alphaBuyer, 1, 1e6));
        p.efficiency = uint32(bound(p.efficiency, 1, 1e6));
        p.tolerance = uint32(bound(p.tolerance, 1, 1e6));
        p.alphaProven = uint32(bound(p.alphaProven, 1, p.alphaSeller));
        p.reliabilityGain = uint32(bound(p.reliabilityGain, 0, 1e6));
        _deploy(p, false);
        assertEq(abi.encode(market.calendar()), abi.encode(p), "market");
        assertEq(abi.encode(delivery.calendar()), abi.encode(p), "delivery");
    }

    function _assertBad(Calendar.Parameters memory p, uint256 field) private {
        Market.Wiring memory w = _wiring(address(token));
        vm.expectRevert(abi.encodeWithSelector(Errors.BadCalendar.selector, field));
        this.createExternal("Market.sol:Market", abi.encode(p, w, false));
    }
}

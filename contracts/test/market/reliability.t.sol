// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Market} from "../../src/Market.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Vm} from "../utils/Vm.sol";

/// @notice A device's reliability by what it delivered, and the seller's deposit coefficient by its reliability (§6).
contract ReliabilityTest is Fixture {
    uint256 private constant GAIN = 400_000;

    function _parameters() internal pure virtual override returns (Calendar.Parameters memory p) {
        p = super._parameters();
        p.reliabilityGain = uint32(GAIN);
    }

    /// when a device is new > its reliability is zero, and its seller's coefficient the highest
    function test_ANewcomerPaysTheHighest() external view {
        assertEq(_reliability(seller), 0, "reliability");
        assertEq(_alpha(seller), 200_000, "alpha");
    }

    /// when a right is settled > the reliability moves by the gain times the share of Q_max that was sold
    function testFuzz_MovesByWhatWasSold(uint16 sold, uint16 delivered, uint32 before) external {
        uint256 fill = bound(sold, 1, 20_000);
        uint256 r = bound(before, 0, 1e6);
        _setReliability(seller, r);
        (uint256 s, uint256 b) = _traded(W, fill);
        uint256 metered = bound(delivered, 0, 19_999);
        _deliver(sellerKey, 1, W, metered);
        vm.warp(_readingsClose(W));
        uint256 ratio = metered * 1e12 / (950_000 * fill);
        if (ratio > 1e6) ratio = 1e6;
        uint256 weight = GAIN * fill / 20_000;
        uint256 wanted = (r * (1e6 - weight) + ratio * weight) / 1e6;
        if (weight != 0 && wanted != r) {
            vm.expectEmit(address(market));
            emit Market.ReliabilityChanged(seller, 1, wanted);
        }
        delivery.settle(s);
        assertEq(_reliability(seller), wanted, "reliability");
        delivery.settle(b);
        assertEq(_reliability(seller), wanted, "a buyer's settlement leaves it");
        assertEq(_reliability(buyer), 0, "the buyer has none");
    }

    /// when all of Q_max is delivered again and again > the coefficient falls towards the lower bound and never below
    function testFuzz_TheCoefficientStaysBetweenItsBounds(uint32 start, uint256 outcomes) external {
        _setReliability(seller, bound(start, 0, 1e6));
        uint256 last = _reliability(seller);
        for (uint256 i; i < 3; ++i) {
            (uint256 s, uint256 b) = _tradedAt(6 * i, 20_000);
            bool good = (outcomes >> i) & 1 == 1;
            if (good) _deliver(sellerKey, 1, 6 * i, 19_000);
            vm.warp(_readingsClose(6 * i));
            delivery.settle(s);
            delivery.settle(b);
            uint256 r = _reliability(seller);
            if (good) assertGe(r + 1, last, "delivery never lowers it, but for rounding");
            else assertLe(r, last, "failure never raises it");
            assertLe(r, 1e6, "at most one");
            assertGe(_alpha(seller), 50_000, "not below the lower bound");
            assertLe(_alpha(seller), 200_000, "nor above the upper");
            last = r;
        }
    }

    /// when the record changed between commitment and settlement > the deposit is settled by the coefficient that the commitment bound
    function testFuzz_TheDepositSettlesByTheBoundCoefficient(uint32 then_, uint32 claimed, uint32 settled) external {
        uint256 r = bound(then_, 0, 1e6);
        _setReliability(seller, r);
        _open(W);
        Bidding.Opening memory ask = _commit(W, seller, SELL, _one(10, 20_000));
        Bidding.Opening memory bid = _commit(W, buyer, BUY, _one(20, 20_000));
        _toReveal(W);
        Issue.Claim memory c = _reveal(ask);
        Issue.Claim memory d = _reveal(bid);
        market.clear(W);
        _setReliability(seller, bound(claimed, 0, 1e6));
        market.claim(c);
        market.claim(d);
        _setReliability(seller, bound(settled, 0, 1e6));
        uint256 deposit = ((200_000 - 150_000 * r / 1e6) * 20_000 * 1000 + 1e9 - 1) / 1e9;
        assertEq(FUNDS - market.balanceOf(seller), deposit, "deposit");
        vm.warp(_readingsClose(W));
        delivery.settle(_right(W, SELL, seller));
        (, uint256 escrow,,) = market.moneyOf(W);
        assertEq(escrow, 4000, "the seller's deposit left it whole");
        delivery.settle(_right(W, BUY, buyer));
        assertEq(market.balanceOf(buyer), FUNDS + deposit, "nothing was delivered: it is the buyer's");
        _assertConserved(W, 0);
    }

    /// when a right was split > only its first part counts, with the whole bid's weight (T44)
    function testFuzz_ABidCountsOnce(uint16 cut, bool firstFirst) external {
        uint256 state = vm.snapshotState();
        (uint256 s,) = _traded(W, 20_000);
        _deliver(sellerKey, 1, W, 9500);
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        uint256 wanted = _reliability(seller);
        assertEq(wanted, 200_000, "half of it delivered, with 0.4 of weight");
        vm.revertToState(state);

        (s,) = _traded(W, 20_000);
        vm.prank(seller);
        uint256 part = rights.split(s, bound(cut, 1, 19_999));
        _deliver(sellerKey, 1, W, 9500);
        vm.warp(_readingsClose(W));
        delivery.settle(firstFirst ? s : part);
        assertEq(_reliability(seller), firstFirst ? wanted : 0, "the first part alone moves it");
        delivery.settle(firstFirst ? part : s);
        assertEq(_reliability(seller), wanted, "as if it had not been split");
    }

    /// when buyers defaulted on a part > only what was owed weighs
    function test_WhatIsNotOwedWeighsNothing() external {
        _open(W);
        Bidding.Opening memory ask = _commit(W, seller, SELL, _one(10, 20_000));
        Bidding.Opening memory bid = _commit(W, buyer, BUY, _one(20, 5000));
        Bidding.Opening memory bid2 = _commit(W, buyer2, BUY, _one(20, 15_000));
        _toReveal(W);
        Issue.Claim memory c = _reveal(ask);
        Issue.Claim memory d = _reveal(bid);
        Issue.Claim memory e = _reveal(bid2);
        market.clear(W);
        market.claim(c);
        market.claim(d);
        vm.warp(_paymentDeadline(W));
        market.claim(e); // 15,000 of 20,000 Wh in default: 5,000 are owed, a quarter of Q_max
        _deliver(sellerKey, 1, W, 4750);
        vm.warp(_readingsClose(W));
        delivery.settle(_right(W, SELL, seller));
        assertEq(_reliability(seller), GAIN / 4, "a quarter of the gain");
    }

    /// when every buyer defaulted > nothing is owed, and nothing weighs
    function test_NothingOwedIsNoRecord() external {
        _setReliability(seller, 300_000);
        (Issue.Claim memory c, Issue.Claim memory d) = _cleared();
        vm.warp(_paymentDeadline(W));
        market.claim(c);
        market.claim(d);
        vm.warp(_readingsClose(W));
        vm.recordLogs();
        delivery.settle(_right(W, SELL, seller));
        assertEq(_reliability(seller), 300_000, "as it was");
        _assertNotTold();
    }

    /// when the device was replaced before the settlement > the new one's reliability is not the old one's (T43)
    function testFuzz_AReplacedDeviceHasNoSay(uint16 delivered) external {
        _setReliability(seller, 900_000);
        (uint256 s,) = _traded(W, 20_000);
        _deliver(sellerKey, 1, W, bound(delivered, 0, 19_000));
        _device(_certificate(seller, sellerKey, 160_000, 80_000));
        vm.warp(_readingsClose(W));
        vm.recordLogs();
        delivery.settle(s);
        assertEq(_reliability(seller), 0, "a newcomer");
        _assertNotTold();
    }

    /// when the gain is zero > nothing ever moves it: the coefficient is the newcomer's for all
    function testFuzz_WithoutGainAlphaIsFixed(uint16 delivered) external {
        Calendar.Parameters memory p = _parameters();
        p.reliabilityGain = 0;
        _deploy(p, false);
        _enrol();
        (uint256 s,) = _traded(W, 20_000);
        _deliver(sellerKey, 1, W, bound(delivered, 0, 19_000));
        vm.warp(_readingsClose(W));
        vm.recordLogs();
        delivery.settle(s);
        assertEq(_reliability(seller), 0, "none");
        assertEq(_alpha(seller), 200_000, "the newcomer's");
        _assertNotTold();
    }

    function _alpha(address account) private view returns (uint256) {
        return uint24(market.termsOf(account) >> 64);
    }

    /// @dev No ReliabilityChanged since the logs were recorded.
    function _assertNotTold() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            assertNotEq(logs[i].topics[0], Market.ReliabilityChanged.selector, "told without a change");
        }
    }

    function _tradedAt(uint256 window, uint256 fill) private returns (uint256 s, uint256 b) {
        if (window != 0) vm.warp(_start(window) - 4000);
        return _traded(window, fill);
    }

    /// @dev 20,000 Wh asked by the seller at tick 10, `fill` bought and paid.
    function _traded(uint256 window, uint256 fill) private returns (uint256 s, uint256 b) {
        _open(window);
        Bidding.Opening memory ask = _commit(window, seller, SELL, _one(10, 20_000));
        Bidding.Opening memory bid = _commit(window, buyer, BUY, _one(20, fill));
        _toReveal(window);
        Issue.Claim memory c = _reveal(ask);
        Issue.Claim memory d = _reveal(bid);
        market.clear(window);
        market.claim(c);
        market.claim(d);
        return (_right(window, SELL, seller), _right(window, BUY, buyer));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {CapacityRights} from "../../src/CapacityRights.sol";
import {Delivery} from "../../src/Delivery.sol";
import {Issue} from "../../src/Issue.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Delivery.settle(rightId) and settleMany(rightIds).
contract SettleTest is Fixture {
    /// when readings are still accepted > it reverts with WrongPhase; at their close > it settles (T9)
    function test_TheReadingsMustBeClosed() external {
        (uint256 s,) = _issued();
        vm.warp(_readingsClose(W) - 1);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Delivery));
        delivery.settle(s);
        vm.warp(_readingsClose(W));
        delivery.settle(s);
    }

    /// when the window never traded > it reverts with WrongPhase
    function testFuzz_RevertWhen_NotTraded(uint32 window, address account) external {
        window = uint32(bound(window, 0, 8 * 65_536 - 1));
        vm.expectRevert(_wrongPhase(window, Calendar.Phase.NotOpen));
        delivery.settle(_right(window, SELL, account));
    }

    /// when it is a settlement token > it reverts with AlreadySettled (T10)
    function test_RevertWhen_SettledAlready() external {
        (uint256 s,) = _issued();
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        vm.expectRevert(abi.encodeWithSelector(Errors.AlreadySettled.selector, RightId.finalOf(s)));
        delivery.settle(RightId.finalOf(s));
    }

    /// when fills are neither claimed, paid nor defaulted > it reverts with FillsOutstanding
    function test_RevertWhen_FillsAreOutstanding() external {
        (Issue.Claim memory c,) = _cleared();
        market.claim(c);
        vm.warp(_readingsClose(W));
        vm.expectRevert(abi.encodeWithSelector(Errors.FillsOutstanding.selector, W, 1000, 2000));
        delivery.settle(_right(W, SELL, seller));
    }

    /// when sellers' rights are outstanding > a buyer's reverts with SellersOutstanding
    function test_RevertWhen_SellersAreOutstanding() external {
        (, uint256 b) = _issued();
        vm.warp(_readingsClose(W));
        vm.expectRevert(abi.encodeWithSelector(Errors.SellersOutstanding.selector, W, 0, 1000));
        delivery.settle(b);
    }

    /// when a buyer's right is unpaid > it reverts with Unpaid
    function test_RevertWhen_Unpaid() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        _drain(buyer, 0);
        market.claim(s);
        market.claim(b);
        vm.warp(_readingsClose(W));
        vm.expectRevert(abi.encodeWithSelector(Errors.Unpaid.selector, _right(W, BUY, buyer)));
        delivery.settle(_right(W, BUY, buyer));
    }

    /// when everything was delivered > the seller gets price and deposit, the buyer its deposit
    function test_FullDelivery() external {
        (uint256 s, uint256 b) = _issued();
        _deliver(sellerKey, 1, W, 950);
        _settleBoth(s, b);
        assertEq(market.balanceOf(seller), FUNDS + 1000, "seller");
        assertEq(market.balanceOf(buyer), FUNDS - 1000, "buyer");
        _assertDone();
    }

    /// when nothing was delivered > the buyer gets payment and the seller's deposit (26), (31)
    function test_NoDelivery() external {
        (uint256 s, uint256 b) = _issued();
        _settleBoth(s, b);
        assertEq(market.balanceOf(seller), FUNDS - 200, "seller");
        assertEq(market.balanceOf(buyer), FUNDS + 200, "buyer");
        _assertDone();
    }

    /// when part was delivered > deposit and payment follow the ratio, and nothing stays in the window
    function testFuzz_PartialDelivery(uint16 energy) external {
        (uint256 s, uint256 b) = _issued();
        uint256 delivered = energy % 1200;
        _deliver(sellerKey, 1, W, delivered);
        _settleBoth(s, b);
        uint256 earned = delivered * 1000 / 950;
        if (earned > 1000) earned = 1000;
        uint256 ratio = delivered * 1e6 / 950;
        uint256 released = ratio >= 980_000 ? 200 : 200 * ratio / 1e6;
        assertEq(market.balanceOf(seller), FUNDS - 200 + earned + released, "seller");
        assertEq(market.balanceOf(buyer), FUNDS - 1000 + (1000 - earned) + (200 - released), "buyer");
        _assertDone();
    }

    /// when the ratio reaches the tolerance > the whole deposit is released; just below > only its share
    function test_TheTolerance() external {
        (uint256 s, uint256 b) = _issued();
        uint256 before = vm.snapshotState();
        _deliver(sellerKey, 1, W, 931); // 931 / 950 = 0.98
        _settleBoth(s, b);
        assertEq(rights.settlementOf(RightId.finalOf(s)).released, 200, "at the tolerance");
        vm.revertToState(before);
        _deliver(sellerKey, 1, W, 930);
        _settleBoth(s, b);
        assertEq(rights.settlementOf(RightId.finalOf(s)).released, 195, "below it");
    }

    /// when a buyer defaulted > the sellers share its deposit, owe less, and get their own back
    function test_ADefaultedBuyer() external {
        (uint256 s, uint256 b) = _default();
        vm.warp(_readingsClose(W));
        vm.expectEmit(address(delivery));
        emit Delivery.SellerSettled(s, seller, 1e6, 0, 200, 200);
        delivery.settle(s);
        assertEq(market.balanceOf(seller), FUNDS + 200, "seller");
        assertEq(rights.balanceOf(buyer), 0, "void");
        b;
        _assertDone();
    }

    /// when a right was drawn on > settlement pays the rest, and the token records all that was received
    function testFuzz_SettlementPaysTheRest(uint16 early, uint16 late) external {
        (uint256 s, uint256 b) = _issued();
        _read(sellerKey, 1, W, 0, early % 500);
        uint256 drawn = delivery.draw(s);
        _read(sellerKey, 1, W, 1, late % 500);
        uint256 entitled = delivery.entitlementOf(s);
        _settleBoth(s, b);
        CapacityRights.Settlement memory r = rights.settlementOf(RightId.finalOf(s));
        assertEq(r.amount, entitled, "received");
        assertGe(r.amount, drawn, "at least what was drawn");
        _assertDone();
    }

    /// when rights were split and transferred > holders get the money, participants their deposits back (27)
    function testFuzz_PartsAndHolders(uint256 cutS, uint256 cutB, uint16 energy) external {
        (uint256 s, uint256 b) = _issued();
        vm.startPrank(seller);
        uint256 s2 = rights.split(s, bound(cutS, 1, 999));
        rights.transferFrom(seller, stranger, s2);
        vm.stopPrank();
        vm.startPrank(buyer);
        uint256 b2 = rights.split(b, bound(cutB, 1, 999));
        rights.transferFrom(buyer, admin, b2);
        vm.stopPrank();
        _deliver(sellerKey, 1, W, energy % 1200);
        vm.warp(_readingsClose(W));
        uint256[] memory all = new uint256[](4);
        (all[0], all[1], all[2], all[3]) = (s, s2, b, b2);
        assertEq(delivery.settleMany(all), 4, "all");
        assertEq(rights.ownerOf(RightId.finalOf(s2)), stranger, "holder of the seller's part");
        assertEq(rights.ownerOf(RightId.finalOf(b2)), admin, "holder of the buyer's part");
        uint256 money = market.balanceOf(stranger) + market.balanceOf(admin);
        assertEq(
            money + market.balanceOf(seller) + market.balanceOf(buyer) + market.balanceOf(treasury),
            2 * FUNDS,
            "nothing is lost"
        );
    }

    /// settleMany > when a right is settled, void, or never was > it is skipped (T13)
    function test_SkipsWhatIsNotThere() external {
        (uint256 s, uint256 b) = _issued();
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        uint256[] memory all = new uint256[](4);
        (all[0], all[1], all[2], all[3]) = (s, RightId.finalOf(s), b, 12345);
        assertEq(delivery.settleMany(all), 1, "one");
        _assertDone();
    }

    /// settleMany > when one reverts for another reason > the batch reverts
    function test_RevertWhen_OneIsNotDue() external {
        (uint256 s,) = _issued();
        uint256[] memory all = new uint256[](1);
        all[0] = s;
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Payment));
        delivery.settleMany(all);
    }

    /// when it settles > anybody may call
    function testFuzz_AnybodyMaySettle(address caller, uint32 later) external {
        (uint256 s, uint256 b) = _issued();
        vm.warp(_readingsClose(W) + later);
        vm.startPrank(caller);
        delivery.settle(s);
        vm.expectEmit(address(delivery));
        emit Delivery.BuyerSettled(b, buyer, 1200, 200);
        delivery.settle(b);
        vm.stopPrank();
    }

    function _default() private returns (uint256 s, uint256 b) {
        (Issue.Claim memory cs, Issue.Claim memory cb) = _cleared();
        vm.warp(_paymentDeadline(W));
        market.claim(cs);
        market.claim(cb);
        return (_right(W, SELL, seller), _right(W, BUY, buyer));
    }

    function _settleBoth(uint256 s, uint256 b) private {
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        delivery.settle(b);
    }

    function _assertDone() private view {
        (uint256 pool, uint256 escrow,,) = market.moneyOf(W);
        assertEq(pool + escrow, 0, "nothing stays in the window");
        _assertConserved(W, 0);
    }
}

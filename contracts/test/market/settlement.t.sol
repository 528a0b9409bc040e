// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Issue} from "../../src/Issue.sol";
import {Market} from "../../src/Market.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice What only the delivery contract may call: payStream, settleSeller, settleBuyer.
contract MarketSettlementTest is Fixture {
    /// payStream > when the caller is not the delivery contract > it reverts with NotDelivery (T20)
    function testFuzz_PayStreamRevertWhen_NotDelivery(address caller) external {
        _assumeNotDelivery(caller);
        vm.prank(caller);
        market.payStream(W, caller, 0);
    }

    /// settleSeller > when the caller is not the delivery contract > it reverts with NotDelivery (T20)
    function testFuzz_SettleSellerRevertWhen_NotDelivery(address caller) external {
        _assumeNotDelivery(caller);
        vm.prank(caller);
        market.settleSeller(_settlement(0, caller, 0, caller, 0, 0));
    }

    /// settleBuyer > when the caller is not the delivery contract > it reverts with NotDelivery (T20)
    function testFuzz_SettleBuyerRevertWhen_NotDelivery(address caller) external {
        _assumeNotDelivery(caller);
        vm.prank(caller);
        market.settleBuyer(W, caller, caller, 0, 0);
    }

    /// payStream > when the amount exceeds the pool > it panics: a window pays no more than its own money
    function testFuzz_PayStreamIsBoundedByThePool(uint96 amount) external {
        _issued();
        amount = uint96(bound(amount, 1001, type(uint96).max));
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        vm.prank(address(delivery));
        market.payStream(W, seller, amount);
    }

    /// payStream > it moves the amount from the pool to the holder
    function testFuzz_PayStreamMovesTheAmount(uint256 amount) external {
        _issued();
        amount = bound(amount, 0, 1000);
        vm.prank(address(delivery));
        market.payStream(W, stranger, amount);
        (uint256 pool,,,) = market.moneyOf(W);
        assertEq(pool, 1000 - amount, "pool");
        assertEq(market.balanceOf(stranger), amount, "holder");
    }

    /// settleSeller > when fills are outstanding > it reverts with FillsOutstanding
    function test_SettleSellerRevertWhen_FillsAreOutstanding() external {
        _cleared();
        vm.expectRevert(abi.encodeWithSelector(Errors.FillsOutstanding.selector, W, 0, 2000));
        vm.prank(address(delivery));
        market.settleSeller(_settlement(1000, seller, 0, seller, 0, 0));
    }

    /// settleSeller > when the payment exceeds the pool or the deposit the escrow > it panics
    function test_SettleSellerIsBoundedByTheWindowsMoney() external {
        _issued();
        bytes memory panic = abi.encodeWithSignature("Panic(uint256)", 0x11);
        vm.startPrank(address(delivery));
        vm.expectRevert(panic);
        market.settleSeller(_settlement(1000, seller, 1001, seller, 0, 0));
        vm.expectRevert(panic);
        market.settleSeller(_settlement(1000, seller, 0, seller, 401, 401));
        vm.stopPrank();
    }

    /// settleSeller > it pays the holder from the pool, releases to the depositor, and keeps the rest for the buyers
    function testFuzz_SettleSellerMovesTheMoney(uint256 payment, uint256 released) external {
        _issued();
        payment = bound(payment, 0, 1000);
        released = bound(released, 0, 200);
        vm.prank(address(delivery));
        market.settleSeller(_settlement(1000, stranger, payment, seller, 200, released));
        (uint256 pool, uint256 escrow,,) = market.moneyOf(W);
        assertEq(pool, 1000 - payment + 200 - released, "pool");
        assertEq(escrow, 200, "the buyer's deposit");
        assertEq(market.balanceOf(stranger), payment, "holder");
        assertEq(market.balanceOf(seller), FUNDS - 200 + released, "depositor");
    }

    /// settleSeller > when it is the last and no buyer paid > the pool goes to the treasury
    function test_SettleSellerSweepsThePool() external {
        (, uint256 pool) = _allInDefault();
        assertEq(pool, 200, "the forfeited deposit");
        vm.expectEmit(address(market));
        emit Market.PoolSwept(W, 1);
        vm.prank(address(delivery));
        market.settleSeller(_settlement(1000, seller, 199, seller, 200, 200));
        assertEq(market.balanceOf(treasury), 1, "treasury");
        (pool,,,) = market.moneyOf(W);
        assertEq(pool, 0, "pool");
    }

    /// settleSeller > when it is not the last > the pool stays
    function test_SettleSellerKeepsThePoolForTheOthers() external {
        _allInDefault();
        vm.prank(address(delivery));
        market.settleSeller(_settlement(999, seller, 0, seller, 0, 0));
        (uint256 pool,,,) = market.moneyOf(W);
        assertEq(pool, 200, "pool");
        assertEq(market.balanceOf(treasury), 0, "treasury");
    }

    /// settleSeller > it frees the units of the depositor's energy, and no others
    function testFuzz_SettleSellerFreesTheUnits(uint8 units) external {
        _issued();
        // 1,000 of 20,000 Wh are 3.2 of 64 units
        assertEq(_promised(seller), 4, "promised");
        Market.SellerSettlement memory s = _settlement(1000, stranger, 0, seller, 200, 200);
        s.units = units % 5;
        vm.prank(address(delivery));
        market.settleSeller(s);
        assertEq(_promised(seller), 4 - units % 5, "the depositor's");
        assertEq(_promised(seller2), 0, "nobody else's");
    }

    /// settleSeller > when the weight is not zero > it moves the reliability by it towards the fulfilment, rounded down (§6)
    function testFuzz_SettleSellerMovesTheReliability(uint32 old, uint32 ratio, uint32 weight) external {
        _issued();
        uint256 r = bound(old, 0, 1e6);
        uint256 w = bound(weight, 1, 1e6);
        uint256 ratio_ = bound(ratio, 0, 1e6);
        _setReliability(seller, r);
        uint256 wanted = (r * (1e6 - w) + ratio_ * w) / 1e6;
        if (wanted != r) {
            vm.expectEmit(address(market));
            emit Market.ReliabilityChanged(seller, 1, wanted);
        }
        vm.recordLogs();
        _settleWith(1, ratio_, w);
        assertEq(vm.getRecordedLogs().length, wanted == r ? 0 : 1, "told only when it changes");
        assertEq(_reliability(seller), wanted, "reliability");
        assertLe(wanted, r > ratio_ ? r : ratio_, "between the two");
        assertGe(wanted + 1, r < ratio_ ? r : ratio_, "to within a ppm");
        assertEq(market.balanceOf(seller), FUNDS, "money is as ever");
    }

    /// settleSeller > when the weight is zero > the reliability stays
    function testFuzz_SettleSellerLeavesTheReliability(uint32 ratio) external {
        _issued();
        _setReliability(seller, 400_000);
        _settleWith(1, bound(ratio, 0, 1e6), 0);
        assertEq(_reliability(seller), 400_000, "as it was");
    }

    /// settleSeller > when the account has another device by then > its reliability stays (T43)
    function testFuzz_SettleSellerIgnoresAnOldDevice(uint32 device) external {
        _issued();
        vm.assume(device != 1);
        _setReliability(seller, 400_000);
        _settleWith(device, 0, 1e6);
        assertEq(_reliability(seller), 400_000, "as it was");
    }

    function _settleWith(uint256 device, uint256 ratio, uint256 weight) private {
        Market.SellerSettlement memory s = _settlement(1000, stranger, 0, seller, 200, 200);
        (s.device, s.fulfilment, s.weight) = (device, ratio, weight);
        vm.prank(address(delivery));
        market.settleSeller(s);
    }

    /// settleBuyer > when sellers are outstanding > it reverts with SellersOutstanding
    function testFuzz_SettleBuyerRevertWhen_SellersAreOutstanding(uint256 settled) external {
        _issued();
        settled = bound(settled, 0, 999);
        vm.startPrank(address(delivery));
        market.settleSeller(_settlement(settled, seller, 0, seller, 0, 0));
        vm.expectRevert(abi.encodeWithSelector(Errors.SellersOutstanding.selector, W, settled, 1000));
        market.settleBuyer(W, buyer, buyer, 200, 1000);
        vm.stopPrank();
    }

    /// settleBuyer > it pays shares that sum to the pool, whatever the parts; the last empties it
    function testFuzz_SettleBuyerEmptiesThePool(uint256 cut, uint256 taken) external {
        _issued();
        cut = bound(cut, 1, 999);
        taken = bound(taken, 0, 1000);
        vm.startPrank(address(delivery));
        market.settleSeller(_settlement(1000, seller, taken, seller, 200, 200));
        uint256 first = market.settleBuyer(W, buyer, buyer, 0, cut);
        (uint256 left,,,) = market.moneyOf(W);
        assertEq(left, 1000 - taken - first, "what is left");
        uint256 second = market.settleBuyer(W, buyer2, buyer, 200, 1000 - cut);
        vm.stopPrank();
        assertEq(first + second, 1000 - taken, "the shares are the pool");
        (uint256 pool, uint256 escrow,,) = market.moneyOf(W);
        assertEq(pool + escrow, 0, "empty");
        assertEq(market.balanceOf(buyer2), FUNDS + second, "holder");
        _assertConserved(W, 0);
    }

    /// settleBuyer > when the order changes > each share moves by at most one unit (T18)
    function testFuzz_TheOrderOfSettlementMovesOneUnit(uint256 cut, uint256 taken) external {
        _issued();
        cut = bound(cut, 1, 999);
        vm.startPrank(address(delivery));
        market.settleSeller(_settlement(1000, seller, bound(taken, 0, 1000), seller, 200, 200));
        uint256 before = vm.snapshotState();
        uint256 first = market.settleBuyer(W, buyer, buyer, 0, cut);
        vm.revertToState(before);
        market.settleBuyer(W, buyer, buyer, 0, 1000 - cut);
        assertApproxEqAbs(market.settleBuyer(W, buyer, buyer, 0, cut), first, 1, "order");
        vm.stopPrank();
    }

    /// @dev A settlement that frees no energy and leaves the reliability as it is.
    function _settlement(
        uint256 quantity,
        address holder,
        uint256 payment,
        address depositor,
        uint256 deposit,
        uint256 released
    ) private pure returns (Market.SellerSettlement memory) {
        return Market.SellerSettlement(W, quantity, holder, payment, depositor, deposit, released, 1, 0, 0, 0);
    }

    function _assumeNotDelivery(address caller) private {
        vm.assume(caller != address(delivery));
        vm.expectRevert(abi.encodeWithSelector(Errors.NotDelivery.selector, caller));
    }

    /// @dev A window whose only buyer was declared in default: pool 200, escrow 200.
    function _allInDefault() private returns (uint256 right, uint256 pool) {
        _pair(_one(10, 1000), _one(20, 1000));
        market.clear(W);
        vm.warp(_paymentDeadline(W));
        market.claim(_claimOf(seller, _terms(seller, ALL_UNITS), _one(10, 1000)));
        market.claim(_claimOf(buyer, 0, _one(20, 1000)));
        right = _right(W, SELL, seller);
        (pool,,,) = market.moneyOf(W);
    }

    function _claimOf(address account, uint96 terms, bytes memory curve) private pure returns (Issue.Claim memory) {
        return Issue.Claim(uint32(W), account, terms, bytes.concat(curve, new bytes(6)));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.pay(rightId).
contract PayTest is Fixture {
    uint256 private s;
    uint256 private b;

    /// @dev A buyer's right of 1,000 Wh that owes 1,000.
    function setUp() public override {
        super.setUp();
        (Issue.Claim memory ofSeller, Issue.Claim memory ofBuyer) = _cleared();
        _drain(buyer, 0);
        market.claim(ofSeller);
        market.claim(ofBuyer);
        (s, b) = (_right(W, SELL, seller), _right(W, BUY, buyer));
        assertFalse(rights.rightOf(b).paid, "due");
    }

    /// when the payment deadline has passed > it reverts with WrongPhase; a second before > it pays (T9)
    function test_TheDeadlineIsTooLate() external {
        for (uint256 i; i < 2; ++i) {
            vm.warp(_paymentDeadline(W) + i);
            vm.expectRevert(_wrongPhase(W, Calendar.Phase.Delivery));
            vm.prank(seller);
            market.pay(b);
        }
        vm.warp(_paymentDeadline(W) - 1);
        vm.prank(seller);
        market.pay(b);
    }

    /// when the right does not exist > it reverts with NoSuchRight
    function testFuzz_RevertWhen_NoSuchRight(address account, uint8 side) external {
        uint256 id = _right(W, side, account);
        vm.assume(id != s && id != b);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchRight.selector, id));
        market.pay(id);
    }

    /// when the window is another > it reverts with WrongPhase
    function testFuzz_RevertWhen_AnotherWindow(uint32 window) external {
        window = uint32(bound(window, 1, type(uint32).max));
        vm.expectRevert(_wrongPhase(window, Calendar.Phase.NotOpen));
        market.pay(_right(window, BUY, buyer));
    }

    /// when it is a seller's right > it reverts with NotPayable
    function test_RevertWhen_ASellersRight() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.NotPayable.selector, s));
        market.pay(s);
    }

    /// when it is paid already > it reverts with NotPayable
    function test_RevertWhen_PaidAlready() external {
        vm.startPrank(seller);
        market.pay(b);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotPayable.selector, b));
        market.pay(b);
        vm.stopPrank();
    }

    /// when it is a settlement token's id > it reverts with NoSuchRight
    function test_RevertWhen_Final() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchRight.selector, RightId.finalOf(b)));
        market.pay(RightId.finalOf(b));
    }

    /// when the caller's balance does not cover it > it reverts with InsufficientBalance
    function testFuzz_RevertWhen_TheCallerCannotPay(uint256 balance) external {
        balance = bound(balance, 0, 999);
        _drain(buyer2, balance);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, buyer2, balance, 1000));
        vm.prank(buyer2);
        market.pay(b);
    }

    /// when the caller can pay > anybody pays for anybody, from its own balance
    function testFuzz_AnybodyMayPay(uint8 who) external {
        address payer = [seller, seller2, buyer2][who % 3];
        uint256 balance = market.balanceOf(payer);
        vm.expectEmit(address(market));
        emit Issue.Paid(b, payer, 1000, balance - 1000);
        vm.prank(payer);
        market.pay(b);
        (uint256 pool,, uint256 paid,) = market.moneyOf(W);
        assertEq(pool, 1000, "pool");
        assertEq(paid, 1000, "paid Wh");
        assertTrue(rights.rightOf(b).paid, "paid");
        (,,, uint256 resolved,) = market.statusOf(W);
        assertEq(resolved, 2000, "both fills are resolved");
        _assertConserved(W, 0);
    }

    /// when the right was transferred > it can be paid all the same
    function test_PaysATransferredRight() external {
        vm.prank(buyer);
        rights.transferFrom(buyer, buyer2, b);
        vm.prank(buyer2);
        market.pay(b);
        assertTrue(rights.rightOf(b).paid, "paid");
    }
}

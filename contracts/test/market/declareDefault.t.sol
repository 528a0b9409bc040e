// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.declareDefault(rightId).
contract DeclareDefaultTest is Fixture {
    uint256 private s;
    uint256 private b;

    function setUp() public override {
        super.setUp();
        (Issue.Claim memory ofSeller, Issue.Claim memory ofBuyer) = _cleared();
        _drain(buyer, 0);
        market.claim(ofSeller);
        market.claim(ofBuyer);
        (s, b) = (_right(W, SELL, seller), _right(W, BUY, buyer));
    }

    /// when it may still be paid > it reverts with WrongPhase, a second before the deadline too; at it > it defaults (T9)
    function test_ThePaymentDeadline() external {
        vm.warp(_paymentDeadline(W) - 1);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Payment));
        market.declareDefault(b);
        vm.warp(_paymentDeadline(W));
        market.declareDefault(b);
    }

    /// when the window never traded > it reverts with WrongPhase
    function testFuzz_RevertWhen_NotTraded(uint32 window) external {
        window = uint32(bound(window, 1, type(uint32).max));
        vm.expectRevert(_wrongPhase(window, Calendar.Phase.NotOpen));
        market.declareDefault(_right(window, BUY, buyer));
    }

    /// when the right does not exist > it reverts with NoSuchRight, and after the default too (T10)
    function test_RevertWhen_NoSuchRight() external {
        vm.warp(_paymentDeadline(W));
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchRight.selector, _right(W, BUY, buyer2)));
        market.declareDefault(_right(W, BUY, buyer2));
        market.declareDefault(b);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchRight.selector, b));
        market.declareDefault(b);
    }

    /// when it is a seller's right > it reverts with NotPayable
    function test_RevertWhen_ASellersRight() external {
        vm.warp(_paymentDeadline(W));
        vm.expectRevert(abi.encodeWithSelector(Errors.NotPayable.selector, s));
        market.declareDefault(s);
    }

    /// when it was paid > it reverts with NotPayable
    function test_RevertWhen_Paid() external {
        vm.prank(seller);
        market.pay(b);
        vm.warp(_paymentDeadline(W));
        vm.expectRevert(abi.encodeWithSelector(Errors.NotPayable.selector, b));
        market.declareDefault(b);
    }

    /// when it was not paid > anybody may declare the default, whenever; the deposit goes to the pool, the right is void
    function testFuzz_AnybodyMayDeclare(address caller, uint32 later) external {
        vm.warp(_paymentDeadline(W) + later);
        vm.expectEmit(address(market));
        emit Issue.Defaulted(W, buyer, 1000, 200);
        vm.prank(caller);
        market.declareDefault(b);
        (uint256 pool, uint256 escrow, uint256 paid, uint256 forfeited) = market.moneyOf(W);
        assertEq(pool, 200, "pool");
        assertEq(escrow, 200, "only the seller's deposit is left");
        assertEq(paid, 0, "nothing is paid");
        assertEq(forfeited, 200, "forfeited");
        assertEq(rights.balanceOf(buyer), 0, "void");
        (,,, uint256 resolved,) = market.statusOf(W);
        assertEq(resolved, 2000, "resolved");
        _assertConserved(W, 0);
    }

    /// when the right was transferred > its holder loses it, its participant the deposit
    function test_VoidsATransferredRight() external {
        vm.prank(buyer);
        rights.transferFrom(buyer, buyer2, b);
        vm.warp(_paymentDeadline(W));
        market.declareDefault(b);
        assertEq(rights.balanceOf(buyer2), 0, "void");
        assertEq(market.balanceOf(buyer2), FUNDS, "the holder pays nothing");
    }

    /// when it is a settlement token's id > it reverts with NoSuchRight
    function test_RevertWhen_Final() external {
        vm.warp(_paymentDeadline(W));
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchRight.selector, RightId.finalOf(b)));
        market.declareDefault(RightId.finalOf(b));
    }
}

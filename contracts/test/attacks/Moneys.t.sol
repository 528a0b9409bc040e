// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Market} from "../../src/Market.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";
import {FeeToken, HookToken, Hooked, IdleToken} from "./Tokens.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @notice A holder whose every function reverts, and that accepts no token with a callback.
contract Refuser {
    fallback() external payable {
        revert("no");
    }
}

/// @notice Enters the market again from the token's hook.
contract Reentrant is Hooked {
    Market private immutable _market;
    bytes private _attack;
    bytes public answer;
    bool public succeeded;

    constructor(Market market_) {
        _market = market_;
    }

    function arm(bytes calldata attack) external {
        _attack = attack;
    }

    function onMove() external {
        if (_attack.length == 0) return;
        bytes memory attack = _attack;
        delete _attack;
        (succeeded, answer) = address(_market).call(attack);
    }

    function go(address target, bytes calldata data) external {
        (bool ok, bytes memory why) = target.call(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(why, 0x20), mload(why))
            }
        }
    }
}

/// @notice Attacks on claims, payments and the vault (T10, T13-T15, T21, T32, T33, T36).
contract MoneyAttacks is Fixture {
    /// A claim is made twice, alone and in a batch.
    function test_T10_NothingIsClaimedTwice() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        market.claim(s);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchBid.selector, W, seller));
        market.claim(s);
        Issue.Claim[] memory all = new Issue.Claim[](4);
        (all[0], all[1], all[2], all[3]) = (s, b, b, s);
        assertEq(market.claimMany(all), 1);
        _assertConserved(W, 0);
    }

    /// The caller chooses other offsets, another curve or another device than those of its bid.
    function testFuzz_T10_ACallerCannotChooseWhatItClaims(uint8 at, uint8 flip) external {
        (Issue.Claim memory s,) = _cleared();
        flip = uint8(bound(flip, 1, 255));
        at = uint8(bound(at, 0, s.bid.length));
        if (at == s.bid.length) s.terms ^= flip;
        else s.bid[at] = bytes1(uint8(s.bid[at]) ^ flip);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchBid.selector, W, seller));
        market.claim(s);
    }

    /// A void window's refund is taken, then claimed again in the same place of the next round.
    function test_T10_ARefundIsPaidOnce() external {
        (, Issue.Claim memory b) = _pair(_one(10, 1000), _one(20, 1000));
        vm.warp(_lapse(W));
        market.voidWindow(W);
        market.claim(b);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchBid.selector, W, buyer));
        market.claim(b);
        uint256 later = W + market.calendar().ring;
        b.window = uint32(later);
        vm.warp(_start(W) + 1);
        _open(later);
        vm.expectRevert(_wrongPhase(later, Calendar.Phase.Commit));
        market.claim(b);
    }

    /// A holder that reverts on every call: the mint, the draws and the settlement do not ask it.
    function test_T13_ARevertingHolderBlocksNothing() external {
        (uint256 sellerRight, uint256 buyerRight) = _issued();
        address refuser = address(new Refuser());
        vm.prank(seller);
        rights.transferFrom(seller, refuser, sellerRight);
        vm.prank(buyer);
        rights.transferFrom(buyer, refuser, buyerRight);
        _deliver(sellerKey, 1, W, 500);
        assertEq(delivery.draw(sellerRight), 526);
        vm.warp(_readingsClose(W));
        delivery.settle(sellerRight);
        delivery.settle(buyerRight);
        assertGt(market.balanceOf(refuser), 526);
        (uint256 pool, uint256 escrow,,) = market.moneyOf(W);
        assertEq(pool + escrow, 0);
    }

    /// One participant cannot hold up another's money: a stranger takes every step for everybody.
    function test_T13_AStrangerFinishesTheWindow() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        vm.startPrank(stranger);
        market.claim(s);
        market.claim(b);
        vm.warp(_readingsClose(W));
        uint256[] memory ids = new uint256[](3);
        (ids[0], ids[1], ids[2]) = (_right(W, SELL, seller), 12345, _right(W, BUY, buyer));
        assertEq(delivery.settleMany(ids), 2);
        vm.stopPrank();
        _assertConserved(W, 0);
    }

    /// A token that keeps a fee: the vault credits what arrived, not what was sent.
    function testFuzz_T14_AFeeOnTransferIsNotCredited(uint96 amount) external {
        amount = uint96(bound(amount, 2, type(uint96).max));
        FeeToken fee = new FeeToken();
        vm.warp(ORIGIN - 5000);
        _deployWith(_parameters(), true, address(fee));
        fee.mint(buyer, amount);
        vm.startPrank(buyer);
        fee.approve(address(market), amount);
        market.deposit(amount);
        vm.stopPrank();
        assertEq(market.balanceOf(buyer), fee.balanceOf(address(market)));
    }

    /// A token that says yes and moves nothing credits nothing.
    function test_T14_ATokenThatMovesNothingCreditsNothing() external {
        IdleToken idle = new IdleToken();
        vm.warp(ORIGIN - 5000);
        _deployWith(_parameters(), true, address(idle));
        vm.expectRevert(abi.encodeWithSelector(Errors.BadAmount.selector, 0));
        vm.prank(buyer);
        market.deposit(1000);
    }

    /// Tokens sent past the vault belong to nobody; they are never credited to a later depositor.
    function test_T14_TokensSentDirectlyAreNobodys() external {
        token.mint(address(market), 1e6);
        uint256 before = market.balanceOf(buyer);
        _fund(buyer, 5);
        assertEq(market.balanceOf(buyer), before + 5);
    }

    /// The token's hook enters the market again, by every door that moves money or state.
    function test_T15_TheTokensHookCannotReenter() external {
        HookToken hook = new HookToken();
        vm.warp(ORIGIN - 5000);
        _deployWith(_parameters(), true, address(hook));
        Reentrant thief = new Reentrant(market);
        hook.mint(address(thief), 1000);
        thief.go(address(hook), abi.encodeCall(hook.approve, (address(market), 1000)));
        thief.go(address(market), abi.encodeCall(market.deposit, (500)));
        bytes[11] memory doors = _doors(address(thief));
        for (uint256 i; i < doors.length; ++i) {
            uint256 before = vm.snapshotState();
            thief.arm(doors[i]);
            thief.go(address(market), abi.encodeCall(market.deposit, (100)));
            _assertShut(thief);
            vm.revertToState(before);
            before = vm.snapshotState();
            thief.arm(doors[i]);
            thief.go(address(market), abi.encodeCall(market.withdraw, (address(thief), 100)));
            _assertShut(thief);
            assertEq(market.balanceOf(address(thief)), hook.balanceOf(address(market)), "conserved");
            vm.revertToState(before);
        }
    }

    function _doors(address thief) private pure returns (bytes[11] memory doors) {
        Issue.Claim memory c;
        Bidding.Opening memory o;
        doors = [
            abi.encodeCall(Market(thief).deposit, (1)),
            abi.encodeCall(Market(thief).depositWithPermit, (1, 0, 0, 0, 0)),
            abi.encodeCall(Market(thief).withdraw, (thief, 1)),
            abi.encodeCall(Market(thief).open, (0, 1)),
            abi.encodeCall(Market(thief).commit, (0, 1, 1)),
            abi.encodeCall(Market(thief).withdrawCommitment, (0)),
            abi.encodeCall(Market(thief).reveal, (o)),
            abi.encodeCall(Market(thief).clear, (0)),
            abi.encodeCall(Market(thief).claim, (c)),
            abi.encodeCall(Market(thief).pay, (1)),
            abi.encodeCall(Market(thief).refundCommitment, (0, thief))
        ];
    }

    function _assertShut(Reentrant thief) private view {
        assertFalse(thief.succeeded(), "entered");
        assertEq(
            thief.answer(), abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector), "locked"
        );
    }

    /// One account on both sides would wash trades: its second commitment replaces the first.
    function test_T21_AnAccountIsOnOneSideOfAWindow() external {
        _open(W);
        Bidding.Opening memory first = _commit(W, seller, SELL, _one(10, 1000));
        Bidding.Opening memory second = _commit(W, seller, BUY, _one(20, 1000));
        (, uint256 sellers, uint256 buyers,,) = market.statusOf(W);
        assertEq(sellers, 0);
        assertEq(buyers, 1);
        assertEq(market.balanceOf(seller), FUNDS - BOND, "one bond");
        _toReveal(W);
        vm.expectRevert(_refused(first, Errors.OpeningMismatch.selector));
        market.reveal(first);
        market.reveal(second);
    }

    /// A rival claims for a buyer before it has deposited: nothing is lost, the buyer pays until the deadline.
    function test_T32_AClaimBeforeTheBuyersDepositCostsItNothing() external {
        (, Issue.Claim memory b) = _cleared();
        _drain(buyer, 0);
        vm.prank(stranger);
        market.claim(b);
        uint256 id = _right(W, BUY, buyer);
        _drain(buyer, 0);
        _fund(buyer, 1000);
        vm.prank(buyer);
        market.pay(id);
        (, bool paid) = rights.quantityAndPaid(id);
        assertTrue(paid);
        vm.warp(_paymentDeadline(W));
        vm.expectRevert(abi.encodeWithSelector(Errors.NotPayable.selector, id));
        market.declareDefault(id);
    }

    /// Nobody can make somebody else pay: `pay` takes from the caller alone, and only for what is due.
    function test_T32_APaymentIsTakenFromItsCallerAlone() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        _drain(buyer, 0);
        market.claim(s);
        market.claim(b);
        uint256 before = market.balanceOf(buyer);
        uint256 id = _right(W, BUY, buyer);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, stranger, 0, 1000));
        vm.prank(stranger);
        market.pay(id);
        vm.prank(buyer2);
        market.pay(id);
        assertEq(market.balanceOf(buyer), before);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotPayable.selector, _right(W, SELL, seller)));
        vm.prank(buyer2);
        market.pay(_right(W, SELL, seller));
    }

    /// The price turned and the buyer walks away: the option costs it α_B of the price, and the sellers have that.
    function test_T33_TheBuyersOptionCostsItsDeposit() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        _drain(buyer, 0); // 400 are locked: the reserve of 1,000 Wh at its own price, 20
        market.claim(s);
        market.claim(b);
        uint256 id = _right(W, BUY, buyer);
        vm.warp(_paymentDeadline(W));
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Delivery));
        vm.prank(buyer2);
        market.pay(id);
        market.declareDefault(id);
        vm.warp(_readingsClose(W));
        delivery.settle(_right(W, SELL, seller));
        // λ·y is 1,000: the deposit of 200 is the most that walking away can cost.
        assertEq(market.balanceOf(seller), FUNDS + 200);
        assertEq(market.balanceOf(buyer), 300, "the rest of what its bid had locked");
    }

    /// A right that is in default is sold on: the new holder has what its former one had, nothing.
    function test_T33_ADefaultedRightIsWorthNothingToItsNewHolder() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        _drain(buyer, 0);
        market.claim(s);
        market.claim(b);
        uint256 id = _right(W, BUY, buyer);
        vm.prank(buyer);
        rights.transferFrom(buyer, buyer2, id);
        vm.warp(_paymentDeadline(W));
        market.declareDefault(id);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchRight.selector, id));
        market.declareDefault(id);
        assertEq(market.balanceOf(buyer2), FUNDS);
        vm.warp(_readingsClose(W));
        vm.expectPartialRevert(bytes4(keccak256("ERC721NonexistentToken(uint256)")));
        delivery.settle(id);
    }

    /// One fill is withheld so that nobody can settle: anybody claims it.
    function test_T36_AWithheldClaimDoesNotHoldTheOthersUp() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        market.claim(s);
        vm.warp(_readingsClose(W));
        uint256 id = _right(W, SELL, seller);
        vm.expectRevert(abi.encodeWithSelector(Errors.FillsOutstanding.selector, W, 1000, 2000));
        delivery.settle(id);
        vm.prank(stranger);
        market.claim(b); // too late to be paid: in default at once
        delivery.settle(id);
        _assertConserved(W, 0);
    }

    /// A right is split into crumbs so that the buyers' settlement costs gas: each crumb needs a call by the splitter too.
    function test_T36_CrumbsAreSettledInABatchByAnybody() external {
        (uint256 sellerRight, uint256 buyerRight) = _issued();
        uint256[] memory ids = new uint256[](21);
        ids[0] = sellerRight;
        vm.startPrank(seller);
        for (uint256 i = 1; i < 20; ++i) {
            ids[i] = rights.split(ids[i - 1], 1);
        }
        vm.stopPrank();
        ids[20] = buyerRight;
        vm.warp(_readingsClose(W));
        assertEq(delivery.settleMany(ids), 21);
        _assertConserved(W, 0);
    }
}

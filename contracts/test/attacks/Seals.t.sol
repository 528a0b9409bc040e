// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Issue} from "../../src/Issue.sol";
import {Market} from "../../src/Market.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Seal} from "../utils/Seal.sol";

/// @notice Attacks on sealed bids: copied, replayed, malleable, unopened, poisoned, leaking (T1-T5, T22, T24).
contract SealAttacks is Fixture {
    /// A rival copies a commitment it sees, and hopes to open it with the victim's opening.
    function test_T01_ACopiedCommitmentCannotBeOpenedByTheCopier() external {
        _open(W);
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(20, 1000));
        uint256 point = Seal.point(address(market), o, BUY);
        vm.prank(buyer2);
        market.commit(W, NO_UNITS, point);
        _toReveal(W);

        o.participant = buyer2;
        vm.expectRevert(_refused(o, Errors.OpeningMismatch.selector));
        market.reveal(o);
        o.participant = buyer;
        market.reveal(o);
        vm.expectRevert(_refused(o, Errors.NoCommitment.selector));
        market.reveal(o);
    }

    /// A buyer's commitment is copied to the other side of the market.
    function test_T01_ACopyOnTheOtherSideDoesNotOpen() external {
        _open(W);
        Bidding.Opening memory o = _commit(W, seller2, BUY, _one(20, 1000));
        uint256 point = Seal.point(address(market), o, BUY);
        vm.prank(seller2);
        market.commit(W, ALL_UNITS, point);
        _toReveal(W);
        o.terms = _terms(seller2, ALL_UNITS);
        o.fingerprint = market.fingerprintOf(seller2);
        vm.expectRevert(_refused(o, Errors.OpeningMismatch.selector));
        market.reveal(o);
    }

    /// One commitment is used again in the next window, by its own owner.
    function test_T02_ACommitmentReplayedInAnotherWindowDoesNotOpen() external {
        _open(W);
        _open(W + 1);
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(20, 1000));
        uint256 point = Seal.point(address(market), o, BUY);
        vm.prank(buyer);
        market.commit(W + 1, NO_UNITS, point);
        _toReveal(W + 1);
        o.window = uint32(W + 1);
        vm.expectRevert(_refused(o, Errors.OpeningMismatch.selector));
        market.reveal(o);
    }

    /// The next round of the ring uses the same storage: an old opening must not open anything there.
    function test_T02_AnOldOpeningOpensNothingARoundLater() external {
        _open(W);
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(20, 1000));
        uint256 point = Seal.point(address(market), o, BUY);
        vm.warp(_revealDeadline(W));
        market.clear(W);
        uint256 later = W + market.calendar().ring;
        vm.warp(_start(W) + 1);
        _open(later);
        vm.prank(buyer);
        market.commit(later, NO_UNITS, point);
        _toReveal(later);
        vm.expectRevert(_refused(o, Errors.WrongPhase.selector));
        market.reveal(o);
        o.window = uint32(later);
        vm.expectRevert(_refused(o, Errors.OpeningMismatch.selector));
        market.reveal(o);
    }

    /// A commitment of one market is replayed in another one on the same chain.
    function test_T02_ACommitmentOfAnotherMarketDoesNotOpen() external {
        Bidding.Opening memory o = _opening(W, buyer, BUY, _one(20, 1000));
        uint256 point = Seal.point(address(market), o, BUY);
        Market first = market;
        _deploy(_parameters(), false);
        _enrol();
        assertNotEq(address(first), address(market));
        _open(W);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, point);
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.OpeningMismatch.selector));
        market.reveal(o);
    }

    /// A commitment of one chain is replayed on its fork.
    function test_T02_ACommitmentOfAnotherChainDoesNotOpen() external {
        _open(W);
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(20, 1000));
        _toReveal(W);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(_refused(o, Errors.OpeningMismatch.selector));
        market.reveal(o);
    }

    /// Were the point truncated anywhere, a commitment that differs in that bit would open as well.
    function testFuzz_T02_EveryBitOfTheCommitmentCounts(uint8 bit) external {
        _open(W);
        Bidding.Opening memory o = _opening(W, buyer, BUY, _one(20, 1000));
        uint256 point = Seal.point(address(market), o, BUY) ^ (1 << bit);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, point);
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.OpeningMismatch.selector));
        market.reveal(o);
    }

    /// A buyer sees the others' openings and walks away.
    function test_T03_NotRevealingCostsTheBondAndPaysTheOtherSide() external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(10, 1000));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, 1000));
        _commit(W, buyer2, BUY, _one(30, 1000));
        _toReveal(W);
        Issue.Claim memory s = _reveal(a);
        _reveal(b);
        vm.warp(_revealDeadline(W));
        market.clear(W);
        market.claim(s);
        assertEq(market.balanceOf(buyer2), FUNDS - BOND, "the bond is lost");
        assertEq(market.balanceOf(seller), FUNDS + BOND - 200, "and the seller has it; 200 are its deposit");
        market.refundCommitment(W, buyer2);
        assertEq(market.balanceOf(buyer2), FUNDS - BOND, "ending the commitment gives nothing back");
    }

    /// In a window without trade the bond is not stuck either.
    function test_T03_WithoutATradeTheBondGoesToTheTreasury() external {
        _open(W);
        _commit(W, buyer, BUY, _one(20, 1000));
        vm.warp(_revealDeadline(W));
        market.clear(W);
        assertEq(market.balanceOf(treasury), BOND);
        _assertConserved(W, 0);
    }

    /// ecMul reduces modulo n, so r and r + n would open the same commitment, with another seed.
    function testFuzz_T04_BlindersOfTheSameClassAreRefused(uint256 r) external {
        _open(W);
        Bidding.Opening memory o = _opening(W, buyer, BUY, _one(20, 1000));
        o.blinder = bound(r, 1, Seal.ORDER - 1);
        uint256 point = Seal.point(address(market), o, BUY);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, point);
        _toReveal(W);
        uint256 proper = o.blinder;
        for (uint256 k = 1; k <= 4; ++k) {
            o.blinder = proper + k * Seal.ORDER;
            vm.expectRevert(_refused(o, Errors.BadBlinder.selector));
            market.reveal(o);
        }
        o.blinder = proper;
        market.reveal(o);
    }

    /// The point at infinity, and zero blinders.
    function test_T04_ZeroIsRefused() external {
        _open(W);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadCommitment.selector, W));
        vm.prank(buyer);
        market.commit(W, NO_UNITS, 0);
        Bidding.Opening memory o = _opening(W, buyer, BUY, _one(20, 1000));
        o.blinder = 0;
        uint256 point = Seal.point(address(market), o, BUY);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, point);
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.BadBlinder.selector));
        market.reveal(o);
    }

    /// Words that encode no point at all are committed; a relay's batch and the clearing go on.
    function testFuzz_T05_ABadPointHarmsOnlyItsOwner(uint256 rubbish) external {
        rubbish = bound(rubbish, Seal.FIELD, type(uint256).max);
        _open(W);
        Bidding.Opening[] memory all = new Bidding.Opening[](3);
        all[0] = _commit(W, seller, SELL, _one(10, 1000));
        all[1] = _opening(W, buyer2, BUY, _one(20, 1000));
        all[2] = _commit(W, buyer, BUY, _one(20, 1000));
        vm.prank(buyer2);
        market.commit(W, NO_UNITS, rubbish);
        _toReveal(W);
        assertEq(market.revealMany(all), 2, "the others' openings stand");
        vm.warp(_revealDeadline(W));
        market.clear(W);
        (, uint256 volume,,,,) = market.resultOf(W);
        assertEq(volume, 1000);
    }

    /// A batch is stuffed with every kind of bad opening; the good ones still open.
    function test_T05_BadOpeningsDoNotStopABatch() external {
        _open(W);
        Bidding.Opening[] memory all = new Bidding.Opening[](8);
        all[0] = _commit(W, seller, SELL, _one(10, 20_001)); // beyond the device
        all[1] = _commit(W, seller2, SELL, hex"00"); // no curve
        all[2] = _opening(W, stranger, BUY, _one(1, 1)); // no commitment
        all[3] = _commit(W, buyer2, BUY, _one(63, 4_000_000_000)); // beyond its means
        all[4] = _commit(W, buyer, BUY, _one(20, 1000));
        all[4].blinder ^= 1; // another blinder
        all[5] = _opening(W + 1, buyer, BUY, _one(20, 1000)); // not open
        all[6] = _opening(W, buyer, BUY, _one(20, 1000));
        all[6].window = type(uint32).max; // beyond the calendar
        all[7] = _opening(W, buyer, BUY, _one(20, 1000));
        all[7].blinder = all[4].blinder ^ 1; // the good one
        _drain(buyer2, 1000);
        _toReveal(W);
        assertEq(market.revealMany(all), 1);
        assertEq(market.balanceOf(buyer2), 1000, "a refused opening takes nothing");
    }

    /// Whoever reads the chain before the reveal learns nothing of the quantity: bond, call and storage are the same.
    function test_T22_TheCommitmentDoesNotLeakTheQuantity() external {
        _open(W);
        _commit(W, buyer, BUY, _one(1, 1));
        _commit(W, buyer2, BUY, _one(63, 100_000_000));
        assertEq(market.balanceOf(buyer), market.balanceOf(buyer2), "the bond is flat");
    }

    /// The relay refuses to post an opening: the participant, or anybody it hands the opening to, posts it.
    function test_T24_AnyonePostsAnOpeningDirectly() external {
        _open(W);
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(20, 1000));
        vm.warp(_revealDeadline(W) - 1);
        vm.prank(stranger);
        market.reveal(o);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Clearing} from "../../src/Clearing.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {StatusWord} from "../../src/lib/WindowWords.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Seal} from "../utils/Seal.sol";

/// @notice Market.clear(window). The crossing itself is tested against a model in clearing/.
contract ClearTest is Fixture {
    /// when the window is beyond the calendar > it reverts with WindowBeyondCalendar
    function test_RevertWhen_BeyondTheCalendar() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, 8 * 65_536));
        market.clear(8 * 65_536);
    }

    /// when the window was not opened > it reverts with WrongPhase
    function test_RevertWhen_NotOpened() external {
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.NotOpen));
        market.clear(W);
    }

    /// when commitments are still taken > it reverts with WrongPhase, a second before the deadline too (T9)
    function test_RevertWhen_Committing() external {
        _open(W);
        vm.warp(_commitDeadline(W) - 1);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Commit));
        market.clear(W);
    }

    /// when openings are awaited > given one is missing > it reverts with WrongPhase until the reveal deadline (T9, T24)
    function test_RevertWhen_AnOpeningIsMissing() external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(1, 10));
        _commit(W, buyer, BUY, _one(2, 10));
        _toReveal(W);
        market.reveal(a);
        vm.warp(_revealDeadline(W) - 1);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Reveal));
        market.clear(W);
        vm.warp(_revealDeadline(W));
        market.clear(W);
        _assertPhase(W, Calendar.Phase.NoTrade);
    }

    /// when openings are awaited > given all are there > it clears at once
    function test_ClearsEarlyWhenAllAreOpened() external {
        _cleared();
        assertLt(block.timestamp, _revealDeadline(W), "early");
        _assertPhase(W, Calendar.Phase.Payment);
    }

    /// when openings are awaited > given nobody committed > it clears at once, without a trade
    function test_ClearsAnEmptyWindow() external {
        _open(W);
        _toReveal(W);
        market.clear(W);
        _assertPhase(W, Calendar.Phase.NoTrade);
    }

    /// when the window has lapsed > it reverts with WrongPhase; a second before > it clears (T9)
    function test_TheLapseIsTooLate() external {
        _pair(_one(10, 10), _one(20, 10));
        for (uint256 i; i < 2; ++i) {
            vm.warp(_lapse(W) + i);
            vm.expectRevert(_wrongPhase(W, Calendar.Phase.Lapsed));
            market.clear(W);
        }
        vm.warp(_lapse(W) - 1);
        market.clear(W);
    }

    /// when it was cleared > it reverts with WrongPhase (T10)
    function test_RevertWhen_Cleared() external {
        _cleared();
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Payment));
        market.clear(W);
    }

    /// when it was voided > it reverts with WrongPhase
    function test_RevertWhen_Void() external {
        _open(W);
        vm.warp(_lapse(W));
        market.voidWindow(W);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Void));
        market.clear(W);
    }

    /// when there is a trade > anybody may clear, and it stores price, volume and the rationed cohort
    function testFuzz_AnybodyMayClear(address caller) external {
        _pair(_one(10, 600), _one(20, 1000));
        vm.prank(caller);
        market.clear(W);
        (uint256 tick, uint256 volume, uint256 residual, uint256 total, uint256 phase, uint256 side) =
            market.resultOf(W);
        assertEq(tick, 20, "only demand is marginal");
        assertEq(volume, 600, "volume");
        assertEq(residual, 600, "residual");
        assertEq(total, 1000, "total");
        assertLt(phase, 1000, "phase");
        assertEq(side, BUY, "side");
    }

    /// when there is a trade > given commitments were not opened > their bonds go to the pool, by side
    function testFuzz_ForfeitedBondsGoToThePool(bool sellerStays, bool buyerStays) external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(10, 10));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, 10));
        if (sellerStays) _commit(W, seller2, SELL, _one(1, 10));
        if (buyerStays) _commit(W, buyer2, BUY, _one(63, 10));
        _toReveal(W);
        market.reveal(a);
        market.reveal(b);
        vm.warp(_revealDeadline(W));
        market.clear(W);
        (uint256 pool,,,) = market.moneyOf(W);
        (, uint256 sellers, uint256 buyers,,) = market.statusOf(W);
        assertEq(sellers, sellerStays ? 1 : 0, "unopened sellers");
        assertEq(buyers, buyerStays ? 1 : 0, "unopened buyers");
        assertEq(pool, (sellers + buyers) * BOND, "pool");
    }

    /// when there is no trade > given commitments were not opened > their bonds go to the treasury (T3)
    function testFuzz_WithoutTradeBondsGoToTheTreasury(uint8 unopened) external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(30, 10));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, 10));
        _toReveal(W);
        if (unopened & 1 == 0) market.reveal(a);
        if (unopened & 2 == 0) market.reveal(b);
        vm.warp(_revealDeadline(W));
        market.clear(W);
        _assertPhase(W, Calendar.Phase.NoTrade);
        assertEq(market.balanceOf(treasury), ((unopened & 1) + (unopened >> 1 & 1)) * BOND, "treasury");
    }

    /// when the seed is drawn > it is the hash of the window and the sum of the blinders' hashes, in any order (T19)
    function testFuzz_TheSeedIsTheBlindersAlone(bool swapped, address caller, uint256 randao) external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(10, 10));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, 10));
        _toReveal(W);
        market.reveal(swapped ? b : a);
        market.reveal(swapped ? a : b);
        vm.prevrandao(bytes32(randao));
        uint256 sum;
        unchecked {
            sum = uint256(keccak256(abi.encode(a.blinder))) + uint256(keccak256(abi.encode(b.blinder)));
        }
        vm.recordLogs();
        vm.prank(caller);
        market.clear(W);
        Clearing.Outcome memory o = abi.decode(vm.getRecordedLogs()[0].data, (Clearing.Outcome));
        assertEq(o.seed, uint256(keccak256(abi.encode(W, sum))), "seed");
    }

    /// when there is a trade > it emits Cleared with everything that rationing and certificate need
    function test_EmitsCleared() external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, Seal.two(5, 100, 10, 50));
        Bidding.Opening memory b = _commit(W, buyer, BUY, Seal.two(20, 70, 10, 500));
        uint256 word = StatusWord.linked(0, market.slotOf(W, seller), seller);
        uint256 digest = StatusWord.digest(StatusWord.linked(word, market.slotOf(W, buyer), buyer));
        _toReveal(W);
        market.reveal(a);
        market.reveal(b);
        vm.recordLogs();
        market.clear(W);
        Clearing.Outcome memory o = abi.decode(vm.getRecordedLogs()[0].data, (Clearing.Outcome));
        assertEq(o.tick, 10, "tick");
        assertEq(o.volume, 150, "volume");
        assertEq(o.supplyBelow, 100, "S(l-)");
        assertEq(o.supplyAt, 50, "asks at l");
        assertEq(o.demandAbove, 70, "D(l+)");
        assertEq(o.demandAt, 500, "bids at l");
        assertEq(o.unopenedSellers + o.unopenedBuyers, 0, "unopened");
        assertEq(o.digest, digest, "digest");
    }

    /// when there is no trade > it emits NoTrade
    function test_EmitsNoTrade() external {
        _open(W);
        _toReveal(W);
        vm.expectEmit(address(market));
        emit Clearing.NoTrade(W, uint256(keccak256(abi.encode(W, 0))), 0, 0, 0);
        market.clear(W);
    }
}

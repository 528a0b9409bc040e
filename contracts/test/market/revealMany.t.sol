// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {BidSlot} from "../../src/lib/BidSlot.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.revealMany(openings).
contract RevealManyTest is Fixture {
    function setUp() public override {
        super.setUp();
        _open(W);
    }

    /// when an opening is refused > it is skipped, and the others open (T5)
    function testFuzz_SkipsRefusedOpenings(uint8 bad) external {
        Bidding.Opening[] memory batch = _batch();
        uint256 good = batch.length;
        for (uint256 i; i < batch.length; ++i) {
            if ((bad >> i) & 1 == 0) continue;
            batch[i].blinder ^= 1;
            --good;
        }
        _toReveal(W);
        assertEq(market.revealMany(batch), good, "accepted");
        for (uint256 i; i < batch.length; ++i) {
            uint256 kind = (bad >> i) & 1 == 0 ? BidSlot.OPENED : BidSlot.COMMITTED;
            assertEq(BidSlot.kindOf(market.slotOf(W, batch[i].participant)), kind, "kind");
        }
    }

    /// when the same opening comes twice > it opens once (T10)
    function test_OpensOnce() external {
        Bidding.Opening[] memory batch = _batch();
        batch[1] = batch[0];
        _toReveal(W);
        assertEq(market.revealMany(batch), 3, "accepted");
    }

    /// when an opening's window is beyond the calendar > it is skipped like any other
    function testFuzz_SkipsWindowsBeyondTheCalendar(uint32 window) external {
        Bidding.Opening[] memory batch = _batch();
        batch[0].window = uint32(bound(window, 8 * 65_536, type(uint32).max));
        _toReveal(W);
        assertEq(market.revealMany(batch), 3, "accepted");
    }

    /// when it is not the time > it opens none
    function test_OpensNoneInTheWrongPhase() external {
        Bidding.Opening[] memory batch = _batch();
        assertEq(market.revealMany(batch), 0, "before the commit deadline");
        vm.warp(_revealDeadline(W));
        assertEq(market.revealMany(batch), 0, "after the reveal deadline");
    }

    /// when the batch is empty > it returns zero
    function test_TheEmptyBatch() external {
        assertEq(market.revealMany(new Bidding.Opening[](0)), 0, "none");
    }

    function _batch() private returns (Bidding.Opening[] memory batch) {
        batch = new Bidding.Opening[](4);
        batch[0] = _commit(W, seller, SELL, _one(5, 7));
        batch[1] = _commit(W, seller2, SELL, _one(6, 7));
        batch[2] = _commit(W, buyer, BUY, _one(8, 7));
        batch[3] = _commit(W, buyer2, BUY, _one(9, 7));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.commitMany(commitments).
contract CommitManyTest is Fixture {
    function setUp() public override {
        super.setUp();
        market.open(0, 3);
    }

    /// when one commitment is refused > it reverts, and nothing of the batch stays
    function test_RevertWhen_OneIsRefused() external {
        Bidding.Commitment[] memory batch = _batch(3);
        batch[2].window = 3;
        vm.expectRevert(_wrongPhase(3, Calendar.Phase.NotOpen));
        vm.prank(buyer);
        market.commitMany(batch);
        assertEq(market.slotOf(0, buyer), 0, "nothing committed");
        assertEq(market.balanceOf(buyer), FUNDS, "nothing taken");
    }

    /// when the balance covers some bonds only > it reverts with InsufficientBalance
    function testFuzz_RevertWhen_BondsAreNotCovered(uint8 covered) external {
        uint256 bonds = covered % 3;
        _drain(buyer, bonds * BOND + 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, buyer, 1, BOND));
        vm.prank(buyer);
        market.commitMany(_batch(3));
    }

    /// when all is well > it commits in every window and takes a bond for each
    function testFuzz_CommitsInEveryWindow(uint8 count) external {
        uint256 n = count % 4;
        vm.prank(buyer);
        market.commitMany(_batch(n));
        assertEq(market.balanceOf(buyer), FUNDS - n * BOND, "bonds");
        for (uint256 i; i < 3; ++i) {
            (,, uint256 buyers,,) = market.statusOf(i);
            assertEq(buyers, i < n ? 1 : 0, "buyers");
        }
    }

    /// when the windows together promise more than the battery's energy > it reverts with Oversold, and nothing of the batch stays (T42)
    function testFuzz_RevertWhen_TheWindowsTogetherOversell(uint8 a, uint8 b) external {
        _device(_certificate(seller, sellerKey, 62 * 2, 250)); // the energy of two windows
        Bidding.Commitment[] memory batch = _batch(3);
        (batch[0].units, batch[1].units) = (uint8(bound(a, 1, 64)), uint8(bound(b, 1, 64)));
        uint256 first = uint256(batch[0].units) + batch[1].units;
        batch[2].units = 64;
        vm.prank(seller);
        if (first > 64) {
            vm.expectRevert(abi.encodeWithSelector(Errors.Oversold.selector, seller, first + 64, 128));
            market.commitMany(batch);
            assertEq(_promised(seller), 0, "nothing promised");
            assertEq(market.balanceOf(seller), FUNDS, "nothing taken");
        } else {
            market.commitMany(batch);
            assertEq(_promised(seller), first + 64, "all promised");
        }
    }

    /// when sales and purchases are mixed > only the sales promise energy, each its own
    function test_SalesAndPurchases() external {
        Bidding.Commitment[] memory batch = _batch(3);
        (batch[0].units, batch[2].units) = (10, 20);
        vm.prank(seller);
        market.commitMany(batch);
        assertEq(_promised(seller), 30, "promised");
        for (uint256 i; i < 3; ++i) {
            (, uint256 sellers, uint256 buyers,,) = market.statusOf(i);
            assertEq(sellers, i == 1 ? 0 : 1, "sellers");
            assertEq(buyers, i == 1 ? 1 : 0, "buyers");
        }
    }

    /// when a window comes twice > the later commitment replaces the earlier, for one bond
    function test_TheLaterReplacesTheEarlier() external {
        Bidding.Commitment[] memory batch = _batch(2);
        batch[1].window = 0;
        vm.prank(buyer);
        market.commitMany(batch);
        assertEq(market.balanceOf(buyer), FUNDS - BOND, "one bond");
        vm.prank(buyer2);
        market.commit(0, NO_UNITS, batch[1].point);
        assertEq(market.slotOf(0, buyer), market.slotOf(0, buyer2), "the later point");
    }

    /// when nobody is admitted any more > an empty batch does nothing
    function test_TheEmptyBatchDoesNothing() external {
        vm.prank(stranger);
        market.commitMany(new Bidding.Commitment[](0));
        assertEq(market.balanceOf(stranger), 0, "nothing");
    }

    function _batch(uint256 n) private pure returns (Bidding.Commitment[] memory batch) {
        batch = new Bidding.Commitment[](n);
        for (uint256 i; i < n; ++i) {
            batch[i] = Bidding.Commitment(uint32(i), 0, 100 + i);
        }
    }
}

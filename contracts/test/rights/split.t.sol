// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CapacityRights} from "../../src/CapacityRights.sol";
import {Issue} from "../../src/Issue.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {Fixture} from "../utils/Fixture.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

/// @notice CapacityRights.split(rightId, quantity).
contract SplitTest is Fixture {
    /// when the right does not exist > it reverts with the token's error
    function testFuzz_RevertWhen_NoRight(uint256 id) external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, id));
        rights.split(id, 1);
    }

    /// when it is a settlement token > it reverts with AlreadySettled
    function test_RevertWhen_Settled() external {
        (uint256 s,) = _issued();
        vm.prank(address(delivery));
        rights.settle(s, CapacityRights.Settlement(1000, 1, 1, 1));
        vm.expectRevert(abi.encodeWithSelector(Errors.AlreadySettled.selector, RightId.finalOf(s)));
        vm.prank(seller);
        rights.split(RightId.finalOf(s), 1);
    }

    /// when the caller neither holds it nor is approved > it reverts with NotHolder (T20)
    function testFuzz_RevertWhen_NotTheHolder(address caller) external {
        (uint256 s,) = _issued();
        vm.assume(caller != seller);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotHolder.selector, s, caller));
        vm.prank(caller);
        rights.split(s, 1);
    }

    /// when the caller is approved > it splits for the holder
    function test_AnApprovedCallerSplits() external {
        (uint256 s,) = _issued();
        vm.prank(seller);
        rights.approve(stranger, s);
        vm.prank(stranger);
        uint256 part = rights.split(s, 400);
        assertEq(rights.ownerOf(part), seller, "the holder's");
    }

    /// when the right is unpaid > it reverts with Unpaid
    function test_RevertWhen_Unpaid() external {
        (, Issue.Claim memory c) = _cleared();
        _drain(buyer, 0);
        market.claim(c);
        uint256 b = _right(W, BUY, buyer);
        vm.expectRevert(abi.encodeWithSelector(Errors.Unpaid.selector, b));
        vm.prank(buyer);
        rights.split(b, 1);
    }

    /// when the quantity is zero, or the right's or more > it reverts with BadSplit
    function testFuzz_RevertWhen_BadQuantity(uint256 quantity) external {
        (uint256 s,) = _issued();
        quantity = bound(quantity, 1000, type(uint256).max);
        vm.startPrank(seller);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadSplit.selector, s, quantity));
        rights.split(s, quantity);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadSplit.selector, s, 0));
        rights.split(s, 0);
        vm.stopPrank();
    }

    /// when all is well > the parts have the whole's quantity, and the new one begins where the old one ends
    function testFuzz_ThePartsAreTheWhole(uint256 cut, bool sells) external {
        (uint256 s, uint256 b) = _issued();
        uint256 id = sells ? s : b;
        cut = bound(cut, 1, 999);
        vm.expectEmit(address(rights));
        emit CapacityRights.Split(id, RightId.later(id, cut), cut);
        vm.prank(sells ? seller : buyer);
        uint256 part = rights.split(id, cut);
        assertEq(RightId.start(part), cut, "start");
        assertEq(rights.rightOf(id).quantity, cut, "kept");
        assertEq(rights.rightOf(part).quantity, 1000 - cut, "new");
        assertEq(rights.rightOf(part).whole, 1000, "whole");
        assertEq(rights.rightOf(part).device, sells ? 1 : 0, "device");
        assertTrue(rights.rightOf(part).paid, "paid");
        assertEq(rights.rightOf(part).alpha, sells ? 200_000 : 0, "alpha");
        assertEq(rights.rightOf(part).units, sells ? 4 : 0, "the whole bid's units");
        assertEq(abi.encode(rights.rightOf(part).units), abi.encode(rights.rightOf(id).units), "in both parts");
    }

    /// when something was drawn > the parts record at least it, and at most two units more (T7)
    function testFuzz_ThePartsRecordWhatWasDrawn(uint256 cut, uint96 drawn) external {
        (uint256 s,) = _issued();
        cut = bound(cut, 1, 999);
        vm.prank(address(delivery));
        rights.recordDrawn(s, drawn);
        vm.prank(seller);
        uint256 part = rights.split(s, cut);
        uint256 sum = uint256(rights.rightOf(s).drawn) + rights.rightOf(part).drawn;
        assertGe(sum, drawn, "at least");
        assertLe(sum, uint256(drawn) + 1, "rounded up once");
    }

    /// when it is split again and again > every part has an id of its own, and they sum to the whole
    function testFuzz_ManySplits(uint256 seed) external {
        (uint256 s,) = _issued();
        uint256 last = s;
        uint256 sum;
        vm.startPrank(seller);
        while (rights.rightOf(last).quantity > 300) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 quantity = rights.rightOf(last).quantity;
            uint256 next = rights.split(last, 1 + seed % (quantity - 1));
            assertNotEq(next, last, "own id");
            sum += rights.rightOf(last).quantity;
            last = next;
        }
        vm.stopPrank();
        assertEq(sum + rights.rightOf(last).quantity, 1000, "the whole");
    }
}

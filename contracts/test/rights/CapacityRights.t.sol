// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CapacityRights} from "../../src/CapacityRights.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {RightWord} from "../../src/lib/RightWord.sol";
import {Fixture} from "../utils/Fixture.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

/// @notice The rights' constructor, what the market and the delivery contract call, and the views. See split.t.sol.
contract CapacityRightsTest is Fixture {
    /// constructor > when an address is zero > it reverts with ZeroAddress
    function testFuzz_ConstructorRevertWhen_AnAddressIsZero(uint8 which) external {
        which %= 3;
        address a = address(market);
        bytes memory args =
            abi.encode(which == 0 ? address(0) : a, which == 1 ? address(0) : a, which == 2 ? address(0) : a);
        vm.expectRevert(Errors.ZeroAddress.selector);
        this.createExternal("CapacityRights.sol:CapacityRights", args);
    }

    /// mint, markPaid, burn > when the caller is not the market > they revert with NotMarket (T20)
    function testFuzz_RevertWhen_NotTheMarket(address caller) external {
        vm.assume(caller != address(market));
        bytes memory error = abi.encodeWithSelector(Errors.NotMarket.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(error);
        rights.mint(caller, 1, 1);
        vm.expectRevert(error);
        rights.markPaid(1);
        vm.expectRevert(error);
        rights.burn(1);
        vm.stopPrank();
    }

    /// recordDrawn, settle > when the caller is not the delivery contract > they revert with NotDelivery (T20)
    function testFuzz_RevertWhen_NotTheDelivery(address caller) external {
        vm.assume(caller != address(delivery));
        bytes memory error = abi.encodeWithSelector(Errors.NotDelivery.selector, caller);
        vm.startPrank(caller);
        vm.expectRevert(error);
        rights.recordDrawn(1, 1);
        vm.expectRevert(error);
        rights.settle(1, CapacityRights.Settlement(1, 1, 1, 1));
        vm.stopPrank();
    }

    /// mint > it stores the right and calls nobody back (T13)
    function testFuzz_MintStoresTheRight(uint40 quantity, uint32 device, uint24 alpha, uint8 units, bool paid)
        external
    {
        quantity = uint40(bound(quantity, 1, type(uint40).max));
        uint256 word = RightWord.make(quantity, device, alpha, units, paid);
        // this contract has no onERC721Received, and is minted to all the same
        vm.prank(address(market));
        rights.mint(address(this), 7, word);
        CapacityRights.Right memory right = rights.rightOf(7);
        assertEq(abi.encode(right), abi.encode(quantity, quantity, device, paid, alpha, units, uint96(0)), "right");
        assertEq(rights.ownerOf(7), address(this), "owner");
    }

    /// mint > when the id exists > it reverts with the token's error (T10)
    function test_MintRevertWhen_ItExists() external {
        (uint256 s,) = _issued();
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InvalidSender.selector, address(0)));
        vm.prank(address(market));
        rights.mint(seller, s, 1);
    }

    /// burn > it removes the right
    function test_BurnRemovesTheRight() external {
        (uint256 s,) = _issued();
        vm.prank(address(market));
        rights.burn(s);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchRight.selector, s));
        rights.quantityAndPaid(s);
    }

    /// settle > it replaces the right by its settlement token, for the holder
    function testFuzz_SettleReplacesTheRight(uint40 quantity, uint24 fulfilment, uint96 amount, uint96 released)
        external
    {
        (uint256 s,) = _issued();
        vm.prank(seller);
        rights.transferFrom(seller, stranger, s);
        vm.prank(address(delivery));
        rights.settle(s, CapacityRights.Settlement(quantity, fulfilment, amount, released));
        uint256 finalId = RightId.finalOf(s);
        assertEq(rights.ownerOf(finalId), stranger, "holder");
        assertEq(
            abi.encode(rights.settlementOf(finalId)), abi.encode(quantity, fulfilment, amount, released), "settlement"
        );
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, s));
        rights.rightOf(s);
    }

    /// recordDrawn > it stores the amount
    function testFuzz_RecordDrawnStores(uint96 drawn) external {
        (uint256 s,) = _issued();
        vm.prank(address(delivery));
        rights.recordDrawn(s, drawn);
        assertEq(rights.rightOf(s).drawn, drawn, "drawn");
    }

    /// rightOf > when the id does not exist > it reverts with the token's error
    function testFuzz_RightOfRevertWhen_NoRight(uint256 id) external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, id));
        rights.rightOf(id);
    }

    /// rightOf > when it is a settlement token > it reverts with AlreadySettled
    function test_RightOfRevertWhen_Settled() external {
        (uint256 s,) = _issued();
        vm.prank(address(delivery));
        rights.settle(s, CapacityRights.Settlement(1, 1, 1, 1));
        vm.expectRevert(abi.encodeWithSelector(Errors.AlreadySettled.selector, RightId.finalOf(s)));
        rights.rightOf(RightId.finalOf(s));
    }

    /// settlementOf > when the id does not exist > it reverts with the token's error
    function testFuzz_SettlementOfRevertWhen_None(uint256 id) external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, id));
        rights.settlementOf(id);
    }

    /// quantityAndPaid > when the id does not exist > it reverts with NoSuchRight
    function testFuzz_QuantityAndPaidRevertWhen_NoRight(uint256 id) external {
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchRight.selector, id));
        rights.quantityAndPaid(id);
    }

    /// quantityAndPaid > it returns both
    function test_QuantityAndPaid() external {
        (uint256 s, uint256 b) = _issued();
        (uint256 quantity, bool paid) = rights.quantityAndPaid(s);
        assertEq(quantity, 1000, "quantity");
        assertTrue(paid, "paid");
        (quantity, paid) = rights.quantityAndPaid(b);
        assertEq(quantity, 1000, "quantity");
    }

    /// transferFrom > when the caller neither owns nor is approved > it reverts with the token's error (T20)
    function testFuzz_TransferRevertWhen_NotAuthorised(address caller) external {
        (uint256 s,) = _issued();
        vm.assume(caller != seller && caller != address(0));
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InsufficientApproval.selector, caller, s));
        vm.prank(caller);
        rights.transferFrom(seller, caller, s);
    }

    /// getStateFingerprint > when the id does not exist > it reverts with the token's error
    function testFuzz_FingerprintRevertWhen_NoRight(uint256 id) external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, id));
        rights.getStateFingerprint(id);
    }

    /// getStateFingerprint > it changes with a draw and with a split (ERC-5646)
    function testFuzz_FingerprintFollowsTheState(uint96 drawn, uint256 cut) external {
        (uint256 s,) = _issued();
        bytes32 fresh = rights.getStateFingerprint(s);
        vm.prank(address(delivery));
        rights.recordDrawn(s, bound(drawn, 1, type(uint96).max));
        bytes32 drawnOn = rights.getStateFingerprint(s);
        assertNotEq(drawnOn, fresh, "drawn");
        vm.prank(seller);
        rights.split(s, bound(cut, 1, 999));
        assertNotEq(rights.getStateFingerprint(s), drawnOn, "split");
    }

    /// supportsInterface > it knows ERC-721 and ERC-5646, and nothing else
    function testFuzz_SupportsInterface(bytes4 id) external view {
        bool known = id == type(IERC721).interfaceId || id == rights.getStateFingerprint.selector || id == 0x01ffc9a7
            || id == 0x5b5e139f;
        assertEq(rights.supportsInterface(id), known, "interface");
        assertTrue(rights.supportsInterface(type(IERC721).interfaceId), "ERC-721");
        assertTrue(rights.supportsInterface(rights.getStateFingerprint.selector), "ERC-5646");
    }
}

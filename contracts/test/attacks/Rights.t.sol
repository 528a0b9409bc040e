// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CapacityRights} from "../../src/CapacityRights.sol";
import {Issue} from "../../src/Issue.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Attacks on the tokens: split, transfer, draw and settle in bad combinations, and what the views then say (T31, T41).
contract RightAttacks is Fixture {
    uint256 private _sellerRight;
    uint256 private _buyerRight;

    function setUp() public override {
        super.setUp();
        (_sellerRight, _buyerRight) = _issued();
    }

    /// A holder offers a right, and splits it or draws on it before the sale: the id is the same, its worth is not. A contract
    /// that compares the fingerprint sees it.
    function test_T31_TheFingerprintShowsEveryChangeOfARight() external {
        bytes32 whole = rights.getStateFingerprint(_sellerRight);
        _deliver(sellerKey, 1, W, 400);
        assertEq(rights.getStateFingerprint(_sellerRight), whole, "readings change no token");
        delivery.draw(_sellerRight);
        bytes32 drawn = rights.getStateFingerprint(_sellerRight);
        assertNotEq(drawn, whole);
        vm.prank(seller);
        rights.split(_sellerRight, 1);
        assertNotEq(rights.getStateFingerprint(_sellerRight), drawn);
        vm.prank(seller);
        rights.transferFrom(seller, buyer2, _sellerRight);
        vm.expectPartialRevert(bytes4(keccak256("ERC721NonexistentToken(uint256)")));
        rights.getStateFingerprint(12345);
        assertTrue(rights.supportsInterface(0xf5112315), "ERC-5646");
    }

    /// An unpaid right changes its fingerprint when it is paid.
    function test_T31_TheFingerprintShowsAPayment() external {
        _issueUnpaid();
        bytes32 unpaid = rights.getStateFingerprint(_buyerRight);
        vm.prank(buyer2);
        market.pay(_buyerRight);
        assertNotEq(rights.getStateFingerprint(_buyerRight), unpaid);
    }

    /// Parts are split, drawn on, transferred and settled in any order: together they get no more than the whole right, and
    /// no more than a unit each less.
    function testFuzz_T41_PartsNeverGetMoreThanTheWhole(uint256 a, uint256 b, uint256 energy, uint8 draws) external {
        a = bound(a, 1, 999);
        energy = bound(energy, 0, 1100);
        uint256 before = vm.snapshotState();
        _deliver(sellerKey, 1, W, energy);
        vm.warp(_readingsClose(W));
        delivery.settle(_sellerRight);
        uint256 whole = market.balanceOf(seller);
        vm.revertToState(before);

        uint256[3] memory ids;
        ids[0] = _sellerRight;
        _read(sellerKey, 1, W, 0, energy / 3);
        if (draws & 1 != 0) delivery.draw(_sellerRight);
        vm.prank(seller);
        ids[1] = rights.split(ids[0], a);
        uint256 parts = 2;
        if (a > 1) {
            b = bound(b, 1, a - 1);
            vm.prank(seller);
            ids[2] = rights.split(ids[0], b);
            parts = 3;
        }
        _read(sellerKey, 1, W, 1, energy / 3);
        for (uint256 i; i < parts; ++i) {
            if ((draws >> i) & 2 != 0) delivery.draw(ids[i]);
            if ((draws >> i) & 16 != 0) {
                vm.prank(seller);
                rights.transferFrom(seller, seller2, ids[i]);
            }
        }
        _read(sellerKey, 1, W, 2, energy - 2 * (energy / 3));
        vm.warp(_readingsClose(W));
        for (uint256 i; i < parts; ++i) {
            delivery.settle(ids[i]);
        }
        uint256 got = market.balanceOf(seller) + market.balanceOf(seller2) - FUNDS;
        assertLe(got, whole);
        assertLe(whole - got, 3 * parts, "three roundings a part: entitlement, drawn, released deposit");
        delivery.settle(_buyerRight);
        _assertConserved(W, 0);
        (uint256 pool, uint256 escrow,,) = market.moneyOf(W);
        assertEq(pool + escrow, 0);
    }

    /// An operator approved for a right is not approved for the part that a split takes out of it, nor for the final token.
    function test_T41_ApprovalsDoNotSpread() external {
        vm.prank(seller);
        rights.approve(stranger, _sellerRight);
        vm.prank(seller);
        uint256 rest = rights.split(_sellerRight, 400);
        assertEq(rights.getApproved(rest), address(0));
        vm.warp(_readingsClose(W));
        delivery.settle(_sellerRight);
        uint256 finalId = RightId.finalOf(_sellerRight);
        assertEq(rights.getApproved(finalId), address(0));
        vm.expectPartialRevert(bytes4(keccak256("ERC721InsufficientApproval(address,uint256)")));
        vm.prank(stranger);
        rights.transferFrom(seller, stranger, finalId);
    }

    /// Who neither holds a right nor is approved for it splits it; an unpaid or a final one is split; crumbs of nothing.
    function test_T41_BadSplitsAreRefused() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.NotHolder.selector, _sellerRight, stranger));
        vm.prank(stranger);
        rights.split(_sellerRight, 1);
        vm.startPrank(seller);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadSplit.selector, _sellerRight, 0));
        rights.split(_sellerRight, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadSplit.selector, _sellerRight, 1000));
        rights.split(_sellerRight, 1000);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadSplit.selector, _sellerRight, uint256(1) << 200));
        rights.split(_sellerRight, 1 << 200);
        vm.stopPrank();
        vm.warp(_readingsClose(W));
        delivery.settle(_sellerRight);
        uint256 finalId = RightId.finalOf(_sellerRight);
        vm.expectRevert(abi.encodeWithSelector(Errors.AlreadySettled.selector, finalId));
        vm.prank(seller);
        rights.split(finalId, 1);
        _issueUnpaid();
        vm.expectRevert(abi.encodeWithSelector(Errors.Unpaid.selector, _buyerRight));
        vm.prank(buyer);
        rights.split(_buyerRight, 1);
    }

    /// A final token is settled, drawn on, paid or defaulted again.
    function test_T41_AFinalTokenIsWorthNothingMore() external {
        vm.warp(_readingsClose(W));
        delivery.settle(_sellerRight);
        delivery.settle(_buyerRight);
        uint256 s = RightId.finalOf(_sellerRight);
        uint256 b = RightId.finalOf(_buyerRight);
        vm.expectRevert(abi.encodeWithSelector(Errors.AlreadySettled.selector, s));
        delivery.settle(s);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotSellerRight.selector, s));
        delivery.draw(s);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchRight.selector, b));
        market.declareDefault(b);
        vm.expectPartialRevert(bytes4(keccak256("ERC721NonexistentToken(uint256)")));
        delivery.settle(_sellerRight);
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (s, _buyerRight);
        assertEq(delivery.settleMany(ids), 0);
        _assertConserved(W, 0);
    }

    /// A final token can be sent on, safely too, and keeps its record; a contract that takes no tokens is refused.
    function test_T41_FinalTokensTravelWithTheirRecord() external {
        vm.warp(_readingsClose(W));
        delivery.settle(_sellerRight);
        uint256 s = RightId.finalOf(_sellerRight);
        bytes32 before = keccak256(abi.encode(rights.settlementOf(s)));
        vm.startPrank(seller);
        vm.expectPartialRevert(bytes4(keccak256("ERC721InvalidReceiver(address)")));
        rights.safeTransferFrom(seller, address(market), s);
        rights.safeTransferFrom(seller, stranger, s);
        vm.stopPrank();
        assertEq(rights.ownerOf(s), stranger);
        assertEq(keccak256(abi.encode(rights.settlementOf(s))), before);
        assertGt(bytes(rights.tokenURI(s)).length, 100);
    }

    /// Buyers settle before sellers, to take from the pool what sellers have earned.
    function test_T41_BuyersCannotSettleBeforeSellers() external {
        vm.prank(seller);
        uint256 rest = rights.split(_sellerRight, 400);
        vm.warp(_readingsClose(W));
        vm.expectRevert(abi.encodeWithSelector(Errors.SellersOutstanding.selector, W, 0, 1000));
        delivery.settle(_buyerRight);
        delivery.settle(rest);
        vm.expectRevert(abi.encodeWithSelector(Errors.SellersOutstanding.selector, W, 600, 1000));
        delivery.settle(_buyerRight);
        delivery.settle(_sellerRight);
        delivery.settle(_buyerRight);
    }

    /// While buyers settle in parts, the view of the pool says what is really left in it.
    function testFuzz_T41_ThePoolsViewIsTrueWhileBuyersSettle(uint256 cut, uint256 energy, bool reversed) external {
        cut = bound(cut, 1, 999);
        vm.prank(buyer);
        uint256 rest = rights.split(_buyerRight, cut);
        _deliver(sellerKey, 1, W, bound(energy, 0, 900));
        vm.warp(_readingsClose(W));
        delivery.settle(_sellerRight);
        _assertConserved(W, 0);
        delivery.settle(reversed ? rest : _buyerRight);
        _assertConserved(W, 0);
        delivery.settle(reversed ? _buyerRight : rest);
        _assertConserved(W, 0);
    }

    /// An unpaid right is shown as due only as long as it can be paid.
    function test_T41_TheStateOfAnUnpaidRightIsTold() external {
        _issueUnpaid();
        string memory due = rights.tokenURI(_buyerRight);
        vm.warp(_paymentDeadline(W));
        assertNotEq(keccak256(bytes(due)), keccak256(bytes(rights.tokenURI(_buyerRight))));
    }

    /// @dev A market anew, whose buyer cannot pay at once.
    function _issueUnpaid() private {
        Fixture.setUp();
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        market.claim(s);
        _drain(buyer, 0);
        market.claim(b);
    }
}

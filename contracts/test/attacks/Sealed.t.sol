// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Metering} from "../../src/Metering.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {EvidenceFixture} from "../delivery/EvidenceFixture.sol";
import {SealedPoints} from "../delivery/SealedPoints.sol";
import {Seal} from "../utils/Seal.sol";

/// @notice Attacks on sealed vouchers: sub-slots left out, added, reordered or taken from elsewhere (T47); wrong sums and
/// modular tricks (T48). What the sealed profile leaks (T49) is Python's: tests/spec/test_sealed.py.
contract SealedAttacks is EvidenceFixture {
    uint256 private _sellerRight;

    function setUp() public override {
        super.setUp();
        (_sellerRight,) = _issued();
        vm.warp(_end(W));
    }

    // ----------------------------------------------------------------------------------------------------------- T47

    /// A sub-slot of low delivery is left out of the signed ones: the sum of the others opens, the signature does not hold.
    function testFuzz_T47_ASubSlotLeftOutIsRefused(uint8 which) external {
        uint256[] memory u = _profile(300, 0, 650);
        (Metering.SealedVoucher memory s, bytes memory signature) = _signed(u);
        uint256[] memory places = new uint256[](2);
        (places[0], places[1]) = which % 3 == 0 ? (1, 2) : which % 3 == 1 ? (0, 2) : (0, 1);
        Metering.SealedVoucher memory less = _pick(s, u, places);
        _openRefused(less, signature, Metering.Refusal.BadSignature);
        less.through = 3;
        vm.expectRevert(Errors.LengthMismatch.selector);
        delivery.openSealed(less, signature);
    }

    /// A sub-slot is added: a second time, from the seller's own making, or the infinite point, which changes no sum.
    function test_T47_AnAddedSubSlotIsRefused() external {
        uint256[] memory u = _profile(300, 300);
        (Metering.SealedVoucher memory s, bytes memory signature) = _signed(u);
        uint256[] memory places = new uint256[](3);
        (places[1], places[2]) = (1, 1);
        _openRefused(_pick(s, u, places), signature, Metering.Refusal.BadSignature);

        Metering.SealedVoucher memory more =
            Metering.SealedVoucher(s.device, s.window, 3, s.energy, s.blinder, bytes.concat(s.points, new bytes(64)));
        _openRefused(more, signature, Metering.Refusal.BadSignature);
        more.points = bytes.concat(s.points, SealedPoints.point(350, 7));
        (more.energy, more.blinder) = (s.energy + 350, addmod(s.blinder, 7, Seal.ORDER));
        _openRefused(more, signature, Metering.Refusal.BadSignature);
        _assertCounted(DEVICE, 0, 0);
    }

    /// The points are the same and so is the sum; their order is not.
    function testFuzz_T47_ReorderedSubSlotsAreRefused(uint8 which) external {
        uint256[] memory u = _profile(100, 200, 650);
        (Metering.SealedVoucher memory s, bytes memory signature) = _signed(u);
        uint256[3][5] memory orders =
            [[uint256(0), 2, 1], [uint256(1), 0, 2], [uint256(1), 2, 0], [uint256(2), 0, 1], [uint256(2), 1, 0]];
        uint256[] memory places = new uint256[](3);
        for (uint256 i; i < 3; ++i) {
            places[i] = orders[which % 5][i];
        }
        s.points = SealedPoints.pick(s.points, places);
        _openRefused(s, signature, Metering.Refusal.BadSignature);
    }

    /// A good sub-slot of another window stands in for a bad one; or a whole window's voucher is used again.
    function test_T47_SubSlotsOfAnotherWindowAreRefused() external {
        vm.warp(_end(W) + 300);
        Metering.SealedVoucher memory next = _sealed(DEVICE, W + 1, _profile(650), 9);
        (Metering.SealedVoucher memory s, bytes memory signature) = _signed(_profile(300, 0));
        uint256 blinder = addmod(SealedPoints.blinderOf(1, 0), SealedPoints.blinderOf(9, 0), Seal.ORDER);
        Metering.SealedVoucher memory mixed = Metering.SealedVoucher(
            s.device, s.window, 2, 950, blinder, bytes.concat(SealedPoints.at(s.points, 0), next.points)
        );
        _openRefused(mixed, signature, Metering.Refusal.BadSignature);

        signature = _signSealed(next);
        next.window = uint32(W);
        _openRefused(next, signature, Metering.Refusal.BadSignature);
        _assertCounted(DEVICE, 0, 0);
    }

    /// Another device's points, by its own meter, and by a meter that two devices share.
    function test_T47_SubSlotsOfAnotherDeviceAreRefused() external {
        Metering.SealedVoucher memory s = _sealed(DEVICE2, W, _profile(300, 300, 350), 1);
        bytes memory signature = _signSealed(s, _meterKey(seller2Key));
        s.device = uint32(DEVICE);
        _openRefused(s, signature, Metering.Refusal.BadSignature);
        vm.prank(issuer);
        registry.setMeterKey(DEVICE, vm.addr(_meterKey(seller2Key)), 0, type(uint64).max);
        _openRefused(s, signature, Metering.Refusal.BadSignature);
    }

    /// A sealed voucher is replayed, at another market too, and with its signature's malleable twin.
    function test_T47_ASealedVoucherCountsOnceAtItsMarketOnly() external {
        (Metering.SealedVoucher memory s, bytes memory signature) = _signed(_profile(300, 300, 350));
        delivery.openSealed(s, signature);
        _openRefused(s, signature, Metering.Refusal.Superseded);
        _openRefused(s, _twin(signature), Metering.Refusal.BadSignature);
        _assertCounted(DEVICE, 950, 3);
        _deploy(_parameters(), false);
        _enrol();
        vm.warp(_end(W));
        _openRefused(s, signature, Metering.Refusal.BadSignature);
    }

    /// A stranger who opens a shorter sealed voucher first cuts nothing off.
    function test_T47_AStrangersOpeningCutsNothingOff() external {
        (Metering.SealedVoucher memory first, bytes memory s1) = _signed(_profile(0));
        (Metering.SealedVoucher memory all, bytes memory s3) = _signed(_profile(0, 600, 350));
        vm.prank(buyer);
        delivery.openSealed(first, s1);
        vm.prank(seller);
        delivery.openSealed(all, s3);
        assertEq(delivery.entitlementOf(_sellerRight), 1000);
    }

    // ----------------------------------------------------------------------------------------------------------- T48

    /// The seller opens more, or less, than the sub-slots hold.
    function testFuzz_T48_AWrongSumIsRefused(uint16 energy) external {
        (Metering.SealedVoucher memory s, bytes memory signature) = _signed(_profile(100, 0, 350));
        energy = uint16(bound(energy, 0, 3 * MOST));
        vm.assume(energy != 450);
        s.energy = energy;
        _openRefused(s, signature, Metering.Refusal.WrongOpening);
        _assertCounted(DEVICE, 0, 0);
    }

    /// The same sum plus the group's order: no uint48 holds it, and calldata that says so is not decoded.
    function test_T48_TheSumPlusTheOrderIsRefused() external {
        (Metering.SealedVoucher memory s, bytes memory signature) = _signed(_profile(100, 0, 350));
        bytes memory data = abi.encodeCall(delivery.openSealed, (s, signature));
        // selector, two offsets, device, window, through, energy
        (uint256 word, uint256 order) = (4 + 0x40 + 0x60, Seal.ORDER);
        assembly ("memory-safe") {
            let p := add(add(data, 0x20), word)
            mstore(p, add(mload(p), order))
        }
        (bool ok, bytes memory out) = address(delivery).call(data);
        assertFalse(ok);
        assertEq(out.length, 0, "refused by the decoder");
        delivery.openSealed(s, signature);
    }

    /// The same blinder plus the group's order opens the same point on the curve; it is refused.
    function testFuzz_T48_TheBlinderPlusTheOrderIsRefused(uint256 salt) external {
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(100, 0, 350), salt);
        bytes memory signature = _signSealed(s);
        uint256 blinder = s.blinder;
        for (uint256 k = 1; k <= (type(uint256).max - blinder) / Seal.ORDER; ++k) {
            s.blinder = blinder + k * Seal.ORDER;
            _openRefused(s, signature, Metering.Refusal.WrongOpening);
        }
        s.blinder = blinder;
        delivery.openSealed(s, signature);
    }

    /// The meter signed points that are none: off the curve, or not canonical.
    function test_T48_PointsOffTheCurveAreRefused() external {
        bytes[4] memory bad = [
            abi.encodePacked(uint256(1), uint256(3)),
            abi.encodePacked(Seal.FIELD, uint256(0)),
            abi.encodePacked(uint256(1) + Seal.FIELD, uint256(2)),
            abi.encodePacked(uint256(1), uint256(2) + Seal.FIELD)
        ];
        for (uint256 i; i < 4; ++i) {
            Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(100, 200), 1);
            s.points = bytes.concat(SealedPoints.at(s.points, 0), bad[i]);
            _openRefused(s, Metering.Refusal.WrongOpening);
            (s.energy, s.blinder) = (100, SealedPoints.blinderOf(1, 0));
            _openRefused(s, Metering.Refusal.WrongOpening);
        }
        _assertCounted(DEVICE, 0, 0);
    }

    /// A negative quantity, n - 5, is sealed alone: no energy that fits the chain opens it.
    function testFuzz_T48_ANegativeSubSlotAloneOpensToNothing(uint16 energy, uint256 blinder) external {
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(Seal.ORDER - 5), 1);
        bytes memory signature = _signSealed(s);
        s.energy = uint48(energy % (MOST + 1));
        _openRefused(s, signature, Metering.Refusal.WrongOpening);
        s.blinder = blinder;
        _openRefused(s, signature, Metering.Refusal.WrongOpening);
        s.energy = uint48((Seal.ORDER - 5) & type(uint48).max);
        _openRefused(s, signature, Metering.Refusal.Implausible);
    }

    /// A negative quantity among others only lowers the sum: it earns less, and never takes back what was counted.
    function test_T48_ANegativeSubSlotGainsNothing() external {
        uint256[] memory u = _profile(955, Seal.ORDER - 5, 0);
        (Metering.SealedVoucher memory s, bytes memory signature) = _signed(u);
        assertEq(s.energy, 950);
        uint256 fresh = vm.snapshotState();
        delivery.openSealed(s, signature);
        _assertCounted(DEVICE, 950, 3);
        vm.revertToState(fresh);

        _openSealed(_sealed(DEVICE, W, _profile(955), 1));
        _openRefused(s, signature, Metering.Refusal.Shrinks);
        _assertCounted(DEVICE, 955, 1);
    }

    /// Sums are taken modulo the order, so a sum beyond the certified power cannot come out as a small one unseen: the
    /// opened energy is what the points commit to, and another one opens only with log_G H, which nobody knows.
    function testFuzz_T48_HugeSubSlotsOpenToTheirSumOnly(uint256 huge, uint16 energy) external {
        huge = bound(huge, 3 * MOST + 1, Seal.ORDER - 1);
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(0, huge, 0), 1);
        s.energy = uint48(energy % (3 * MOST + 1));
        _openRefused(s, Metering.Refusal.WrongOpening);
    }

    /// A refused opening leaves nothing behind: what was counted stays, and the true one still counts.
    function test_T48_ARefusedOpeningChangesNothing() external {
        _redeem(_voucher(DEVICE, W, 1, 100));
        (Metering.SealedVoucher memory s, bytes memory signature) = _signed(_profile(100, 500, 350));
        s.energy += 1;
        _openRefused(s, signature, Metering.Refusal.WrongOpening);
        _assertCounted(DEVICE, 100, 1);
        s.energy -= 1;
        delivery.openSealed(s, signature);
        _assertCounted(DEVICE, 950, 3);
    }

    function _signed(uint256[] memory u)
        private
        view
        returns (Metering.SealedVoucher memory s, bytes memory signature)
    {
        s = _sealed(DEVICE, W, u, 1);
        signature = _signSealed(s);
    }

    /// @dev The sub-slots at the places given, correctly opened: only the signature is of others.
    function _pick(Metering.SealedVoucher memory s, uint256[] memory u, uint256[] memory places)
        private
        pure
        returns (Metering.SealedVoucher memory p)
    {
        (p.device, p.window, p.through) = (s.device, s.window, uint16(places.length));
        p.points = SealedPoints.pick(s.points, places);
        for (uint256 i; i < places.length; ++i) {
            p.energy += uint48(u[places[i]]);
            p.blinder = addmod(p.blinder, SealedPoints.blinderOf(1, places[i]), Seal.ORDER);
        }
    }
}

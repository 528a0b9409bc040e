// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Metering} from "../../src/Metering.sol";
import {Seal} from "../utils/Seal.sol";
import {EvidenceFixture} from "./EvidenceFixture.sol";

/// @notice Readings, vouchers and sealed vouchers of two devices in any order, against a model of a few lines.
contract EvidenceMixTest is EvidenceFixture {
    uint256 private constant STEPS = 12;
    uint256 private constant NONE = uint256(Metering.Refusal.None);

    /// @dev What the rules say is counted of a device.
    struct Counted {
        uint256 energy;
        uint256 through;
        uint256 counter;
        uint256 next; // 1 + the last read sub-slot
    }

    struct Step {
        uint256 device; // from 0
        uint256 form; // 0 and 1 a reading, 2 a voucher, 3 sealed
        uint256 slot; // the reading's sub-slot, the others' through - 1
        uint256 energy;
        uint256 counter;
        bool wrong; // a sealed sum that is opened wrongly
        bool owner; // who sends it
    }

    Counted[2] private _model;

    /// when evidence comes in any form and order > it is accepted or refused as the model says, and counts as much
    function testFuzz_AnyFormsInAnyOrder(uint256 seed) external {
        for (uint256 i; i < STEPS; ++i) {
            Step memory s = _choose(uint256(keccak256(abi.encode(seed, i))));
            uint256 later = _over(1 + i / 3);
            if (later > vm.getBlockTimestamp()) vm.warp(later);
            Counted memory before = _model[s.device];
            uint256 wanted = _apply(s);
            assertEq(_send(s), wanted, "refusal");
            Counted memory c = _model[s.device];
            _assertCounted(s.device + 1, c.energy, c.through);
            (uint256 counter, uint256 next) = delivery.progressOf(s.device + 1);
            assertEq(counter, c.counter, "counter");
            assertEq(next, c.next, "next");
            assertGe(c.energy, before.energy, "nothing is taken back");
            assertGe(c.through, before.through, "nor uncovered");
            assertLe(c.energy, c.through * MOST, "nor more than the device can deliver");
        }
    }

    /// @dev Mostly what may be accepted: a fair number of steps must change something.
    function _choose(uint256 random) private view returns (Step memory s) {
        s.device = random % 2;
        s.form = (random >> 8) % 4;
        s.slot = (random >> 16) % 3;
        Counted memory c = _model[s.device];
        s.energy =
            (random >> 24) % 8 == 0 ? (random >> 32) % (4 * MOST) : c.energy * (s.form / 2) + (random >> 32) % 2000;
        s.counter = c.counter + ((random >> 48) % 4 == 0 ? (random >> 52) % 3 : 1);
        s.wrong = (random >> 64) % 8 == 0;
        s.owner = (random >> 72) % 2 == 0;
    }

    /// @dev The rules (issue of readings and vouchers), and what they change in the model.
    function _apply(Step memory s) private returns (uint256) {
        Counted storage c = _model[s.device];
        uint256 through = s.slot + 1;
        if (vm.getBlockTimestamp() < _over(through)) return uint256(Metering.Refusal.NotOver);
        if (s.energy > (s.form < 2 ? 1 : through) * MOST) return uint256(Metering.Refusal.Implausible);
        if (s.form < 2) {
            if (s.counter <= c.counter) return uint256(Metering.Refusal.OldCounter);
            if (through <= c.next || through <= c.through) return uint256(Metering.Refusal.OutOfOrder);
            if (s.counter > c.counter + 1 && !s.owner) return uint256(Metering.Refusal.Gap);
            (c.energy, c.through, c.counter, c.next) = (c.energy + s.energy, through, s.counter, through);
            return NONE;
        }
        if (through < c.through || (through == c.through && s.energy <= c.energy)) {
            return uint256(Metering.Refusal.Superseded);
        }
        if (s.energy < c.energy) return uint256(Metering.Refusal.Shrinks);
        if (s.form == 3 && s.wrong) return uint256(Metering.Refusal.WrongOpening);
        (c.energy, c.through) = (s.energy, through);
        return NONE;
    }

    /// @dev Sends it; returns the refusal.
    function _send(Step memory s) private returns (uint256) {
        uint256 key = _meterKey(s.device == 0 ? sellerKey : seller2Key);
        address owner = s.device == 0 ? seller : seller2;
        bytes memory data;
        if (s.form < 2) {
            Metering.Reading memory r = _reading(s.device + 1, W, s.slot, s.energy, s.counter);
            data = abi.encodeCall(delivery.submit, (r, _signReading(r, key)));
        } else if (s.form == 2) {
            Metering.Voucher memory v = _voucher(s.device + 1, W, s.slot + 1, s.energy);
            data = abi.encodeCall(delivery.redeem, (v, _signVoucher(v, key)));
        } else {
            uint256[] memory u = new uint256[](s.slot + 1);
            u[s.energy % u.length] = s.energy;
            Metering.SealedVoucher memory v = _sealed(s.device + 1, W, u, s.counter);
            if (s.wrong) v.blinder = addmod(v.blinder, 1, Seal.ORDER);
            data = abi.encodeCall(delivery.openSealed, (v, _signSealed(v, key)));
        }
        vm.prank(s.owner ? owner : stranger);
        (bool ok, bytes memory out) = address(delivery).call(data);
        if (ok) return NONE;
        assertEq(out.length, 4 + 4 * 32, "ReadingRefused");
        return uint8(out[out.length - 1]);
    }
}

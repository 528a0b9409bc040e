// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Calendar} from "./Calendar.sol";
import {Registry} from "./Registry.sol";
import {Errors} from "./lib/Errors.sol";
import {Pedersen} from "./lib/Pedersen.sol";

/// @title What devices delivered, as their meters signed it: readings, vouchers, sealed vouchers (30)-(32).
/// @notice A reading is one sub-slot's energy. A voucher is the sum of a window's sub-slots so far: the highest wins, so one
/// transaction a window is enough and a lost voucher costs nothing that the next one does not restore. A sealed voucher
/// commits to each sub-slot, and only the sum is opened: nobody sees the load profile. All three end in the same sum.
abstract contract Metering is Calendar, EIP712 {
    /// @notice A meter's reading of one sub-slot.
    struct Reading {
        uint32 device;
        uint32 window;
        uint16 subSlot;
        uint48 energy; // Wh discharged in the sub-slot
        uint64 counter; // larger than the device's last one
    }

    /// @notice A meter's sum over the window's sub-slots 0 .. through-1.
    struct Voucher {
        uint32 device;
        uint32 window;
        uint16 through;
        uint48 energy; // Wh discharged in them
    }

    /// @notice A voucher whose sub-slots the meter signed as Pedersen commitments C_t = u_t·G + r_t·H.
    struct SealedVoucher {
        uint32 device;
        uint32 window;
        uint16 through;
        uint48 energy; // Σ u_t
        uint256 blinder; // Σ r_t mod n
        bytes points; // C_t in order, 64 bytes each
    }

    /// @dev What a meter signed, in whichever form: `energy` Wh over `count` sub-slots, the last of them number `through`.
    struct Evidence {
        uint256 device;
        uint256 window;
        uint256 through;
        uint256 count;
        uint256 energy;
        bytes32 digest;
    }

    enum Refusal {
        None,
        UnknownDevice,
        BadSubSlot, // not a sub-slot of the window, or the window is not in the calendar
        NotOver, // the sub-slot has not ended yet
        TooLate, // the window's readings are closed
        BadSignature, // not signed by a key of the device that was valid at the sub-slot's end (T23)
        OldCounter, // the counter does not exceed the last one: a replay, or out of order
        OutOfOrder, // a later or the same sub-slot was counted already: back-dated
        Implausible, // more energy than the certified export power allows
        Gap, // skips a counter, and neither the meter nor the device's owner sent it
        Superseded, // a voucher that covers fewer sub-slots than were counted already, or the same and no more energy
        Shrinks, // a voucher of less energy than was counted already
        WrongOpening // the opened sum is not what the sealed sub-slots commit to
    }

    event ReadingAccepted(
        uint256 indexed device,
        uint256 indexed window,
        uint256 subSlot,
        uint256 energy,
        uint256 counter,
        bytes signature
    );
    event VoucherRedeemed(
        uint256 indexed device, uint256 indexed window, uint256 through, uint256 energy, bytes signature
    );
    event SealedOpened(
        uint256 indexed device,
        uint256 indexed window,
        uint256 through,
        uint256 energy,
        uint256 blinder,
        bytes points,
        bytes signature
    );

    bytes32 private constant READING_TYPEHASH =
        keccak256("Reading(uint32 device,uint32 window,uint16 subSlot,uint48 energy,uint64 counter)");
    bytes32 private constant VOUCHER_TYPEHASH =
        keccak256("Voucher(uint32 device,uint32 window,uint16 through,uint48 energy)");
    bytes32 private constant SEALED_TYPEHASH =
        keccak256("SealedVoucher(uint32 device,uint32 window,uint16 through,bytes32 points)");
    uint256 private constant SECONDS_PER_HOUR = 3600;
    uint256 private constant THROUGH_SHIFT = 64;
    uint256 private constant POINT = 64;

    Registry public immutable registry;

    /// @dev By device: last counter (64 bits) | 1 + the last read sub-slot counted from the calendar's origin (64 bits).
    mapping(uint256 device => uint256 word) private _progress;
    /// @dev By window and device: Wh counted (64 bits) | sub-slots that they cover, from the window's first (64 bits).
    mapping(uint256 window => mapping(uint256 device => uint256 word)) private _metered;

    constructor(Registry registry_) EIP712("Stowatt Delivery", "1") {
        registry = registry_;
    }

    /// @notice Records one reading. Anybody may submit the device's next one; the meter's signature is what counts. Only the
    /// meter itself and the device's owner may skip counters: a later reading cuts the earlier ones off for good, and a
    /// stranger who sees readings on their way must not choose which.
    function submit(Reading calldata reading, bytes calldata signature) external {
        _require(_accept(reading, signature), reading.device, reading.window, reading.subSlot);
    }

    /// @notice Records many readings; refused ones are skipped. Returns how many were accepted.
    function submitMany(Reading[] calldata readings, bytes[] calldata signatures) external returns (uint256 accepted) {
        if (readings.length != signatures.length) revert Errors.LengthMismatch();
        for (uint256 i; i < readings.length; ++i) {
            if (_accept(readings[i], signatures[i]) == Refusal.None) ++accepted;
        }
    }

    /// @notice Counts what a voucher adds to what was counted. Anybody may: a voucher cuts nothing off, a later one of the
    /// same window only adds to it (32).
    function redeem(Voucher calldata voucher, bytes calldata signature) external {
        _require(_redeem(voucher, signature), voucher.device, voucher.window, voucher.through);
    }

    /// @notice Redeems many vouchers; refused ones are skipped. Returns how many were accepted.
    function redeemMany(Voucher[] calldata vouchers, bytes[] calldata signatures) external returns (uint256 accepted) {
        if (vouchers.length != signatures.length) revert Errors.LengthMismatch();
        for (uint256 i; i < vouchers.length; ++i) {
            if (_redeem(vouchers[i], signatures[i]) == Refusal.None) ++accepted;
        }
    }

    /// @notice Counts the opened sum of sealed sub-slots. Whoever knows the sum of the blinders may open it; the sub-slots
    /// stay sealed. The meter's signature covers all of them in order: none can be left out, added or taken from elsewhere.
    function openSealed(SealedVoucher calldata s, bytes calldata signature) external {
        if (s.points.length != POINT * s.through) revert Errors.LengthMismatch();
        Evidence memory e = Evidence(s.device, s.window, s.through, s.through, s.energy, sealedDigestOf(s));
        Refusal refusal = _raise(e, signature);
        if (refusal == Refusal.None && !Pedersen.opensSum(s.points, s.energy, s.blinder)) refusal = Refusal.WrongOpening;
        _require(refusal, s.device, s.window, s.through);
        emit SealedOpened(s.device, s.window, s.through, s.energy, s.blinder, s.points, signature);
    }

    /// @notice Metered Wh by window and device.
    function deliveredWh(uint256 window, uint256 device) public view returns (uint256) {
        return uint64(_metered[window][device]);
    }

    /// @notice How many of the window's sub-slots, from its first, the metered Wh cover.
    function throughOf(uint256 window, uint256 device) external view returns (uint256) {
        return _metered[window][device] >> THROUGH_SHIFT;
    }

    /// @notice The device's last counter, and 1 + its last sub-slot counted from the calendar's origin.
    function progressOf(uint256 device) external view returns (uint256 counter, uint256 nextSubSlot) {
        uint256 word = _progress[device];
        return (word >> 64, uint64(word));
    }

    /// @notice The hash that a meter signs.
    function digestOf(Reading calldata reading) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    READING_TYPEHASH, reading.device, reading.window, reading.subSlot, reading.energy, reading.counter
                )
            )
        );
    }

    /// @notice The hash that a meter signs for a voucher.
    function voucherDigestOf(Voucher calldata v) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(VOUCHER_TYPEHASH, v.device, v.window, v.through, v.energy)));
    }

    /// @notice The hash that a meter signs for sealed sub-slots: over their commitments, not over what they hide.
    function sealedDigestOf(SealedVoucher calldata s) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(abi.encode(SEALED_TYPEHASH, s.device, s.window, s.through, keccak256(s.points)))
        );
    }

    function _accept(Reading calldata r, bytes calldata signature) private returns (Refusal) {
        Evidence memory e = Evidence(r.device, r.window, uint256(r.subSlot) + 1, 1, r.energy, digestOf(r));
        (Refusal refusal, address key) = _check(e, signature);
        if (refusal != Refusal.None) return refusal;
        refusal = _advance(e, r.counter, key);
        if (refusal == Refusal.None) {
            emit ReadingAccepted(r.device, r.window, r.subSlot, r.energy, r.counter, signature);
        }
        return refusal;
    }

    /// @dev Counts a reading if it is its device's next one.
    function _advance(Evidence memory e, uint256 counter, address key) private returns (Refusal) {
        uint256 progress = _progress[e.device];
        uint256 metered = _metered[e.window][e.device];
        uint256 position = e.window * (_length / _subSlot) + e.through;
        if (counter <= progress >> 64) return Refusal.OldCounter;
        // A voucher may have counted this sub-slot already.
        if (position <= uint64(progress) || e.through <= metered >> THROUGH_SHIFT) return Refusal.OutOfOrder;
        if (counter != (progress >> 64) + 1 && msg.sender != key && msg.sender != registry.deviceOf(e.device).owner) {
            return Refusal.Gap;
        }
        _progress[e.device] = (counter << 64) | position;
        _metered[e.window][e.device] = (uint64(metered) + e.energy) | (e.through << THROUGH_SHIFT);
        return Refusal.None;
    }

    function _redeem(Voucher calldata v, bytes calldata signature) private returns (Refusal refusal) {
        refusal = _raise(Evidence(v.device, v.window, v.through, v.through, v.energy, voucherDigestOf(v)), signature);
        if (refusal == Refusal.None) emit VoucherRedeemed(v.device, v.window, v.through, v.energy, signature);
    }

    /// @dev Raises what is counted of the window to a sum over its sub-slots 0 .. through-1.
    function _raise(Evidence memory e, bytes calldata signature) private returns (Refusal refusal) {
        (refusal,) = _check(e, signature);
        if (refusal != Refusal.None) return refusal;
        uint256 metered = _metered[e.window][e.device];
        (uint256 energy, uint256 through) = (uint64(metered), metered >> THROUGH_SHIFT);
        // A sum over the same sub-slots counts if it is larger: a reading that skipped one must not cut its energy off.
        if (e.through < through || (e.through == through && e.energy <= energy)) return Refusal.Superseded;
        if (e.energy < energy) return Refusal.Shrinks;
        _metered[e.window][e.device] = e.energy | (e.through << THROUGH_SHIFT);
    }

    /// @dev What holds for all evidence. Returns the key that signed it.
    function _check(Evidence memory e, bytes calldata signature) private view returns (Refusal, address) {
        if (e.through == 0 || e.through > _length / _subSlot || e.window / _ring > type(uint16).max) {
            return (Refusal.BadSubSlot, address(0));
        }
        uint256 start = _startOf(e.window);
        uint256 end = start + e.through * _subSlot;
        if (block.timestamp < end) return (Refusal.NotOver, address(0));
        if (block.timestamp >= start + _length + _readingGrace) return (Refusal.TooLate, address(0));
        uint256 exportW = registry.exportLimitOf(e.device);
        if (exportW == 0) return (Refusal.UnknownDevice, address(0));
        // The limit rounds up in each sub-slot: a device at its certified power must never be refused.
        uint256 most = e.count * Math.ceilDiv(exportW * _subSlot, SECONDS_PER_HOUR);
        if (e.energy > most) return (Refusal.Implausible, address(0));
        (address key,,) = ECDSA.tryRecover(e.digest, signature);
        if (key == address(0) || !registry.isMeterKey(e.device, key, end)) return (Refusal.BadSignature, address(0));
        return (Refusal.None, key);
    }

    function _require(Refusal refusal, uint256 device, uint256 window, uint256 subSlot) private pure {
        if (refusal != Refusal.None) revert Errors.ReadingRefused(device, window, subSlot, uint8(refusal));
    }
}

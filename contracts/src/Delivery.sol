// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Calendar} from "./Calendar.sol";
import {CapacityRights} from "./CapacityRights.sol";
import {Market} from "./Market.sol";
import {Registry} from "./Registry.sol";
import {Errors} from "./lib/Errors.sol";
import {Money} from "./lib/Money.sol";
import {RightId} from "./lib/RightId.sol";

/// @title Device-signed readings, streaming entitlement, final settlement (26), (27), (30)-(32).
contract Delivery is Calendar, EIP712 {
    /// @notice A meter's reading of one sub-slot.
    struct Reading {
        uint32 device;
        uint32 window;
        uint16 subSlot;
        uint48 energy; // Wh discharged in the sub-slot
        uint64 counter; // larger than the device's last one
    }

    enum Refusal {
        None,
        UnknownDevice,
        BadSubSlot, // not a sub-slot of the window, or the window is not in the calendar
        NotOver, // the sub-slot has not ended yet
        TooLate, // the window's readings are closed
        BadSignature, // not signed by a key of the device that was valid at the sub-slot's end (T23)
        OldCounter, // the counter does not exceed the last one: a replay, or out of order
        OutOfOrder, // a later or the same sub-slot was read already: back-dated
        Implausible, // more energy than the certified export power allows
        Gap // skips a counter, and neither the meter nor the device's owner sent it
    }

    event ReadingAccepted(
        uint256 indexed device,
        uint256 indexed window,
        uint256 subSlot,
        uint256 energy,
        uint256 counter,
        bytes signature
    );
    event Drawn(uint256 indexed rightId, address indexed holder, uint256 amount);
    event SellerSettled(
        uint256 indexed rightId,
        address indexed holder,
        uint256 fulfilment,
        uint256 payment,
        uint256 forfeitShare,
        uint256 released
    );
    event BuyerSettled(uint256 indexed rightId, address indexed holder, uint256 compensation, uint256 released);

    bytes32 private constant READING_TYPEHASH =
        keccak256("Reading(uint32 device,uint32 window,uint16 subSlot,uint48 energy,uint64 counter)");
    uint256 private constant PPM = 1e6;
    uint256 private constant SECONDS_PER_HOUR = 3600;

    Market public immutable market;
    Registry public immutable registry;
    CapacityRights public immutable rights;

    /// @dev By device: last counter (64 bits) | 1 + the last sub-slot counted from the calendar's origin (64 bits).
    mapping(uint256 device => uint256 word) private _progress;
    /// @notice Metered Wh by window and device.
    mapping(uint256 window => mapping(uint256 device => uint256 wh)) public deliveredWh;

    constructor(Market market_) Calendar(market_.calendar()) EIP712("Stowatt Delivery", "1") {
        market = market_;
        registry = Registry(market_.registry());
        rights = market_.rights();
        // Deployed last: every contract must point at the others.
        if (market_.delivery() != address(this)) revert Errors.BadWiring(address(this), market_.delivery());
        if (rights.delivery() != address(this)) revert Errors.BadWiring(address(this), rights.delivery());
        if (rights.market() != address(market_)) revert Errors.BadWiring(address(market_), rights.market());
        if (address(registry.market()) != address(market_)) {
            revert Errors.BadWiring(address(market_), address(registry.market()));
        }
        if (registry.windowLength() != _length) revert Errors.BadCalendar(1);
        if (registry.openMode() != market_.openMode()) revert Errors.BadWiring(address(market_), address(registry));
    }

    /// @notice Records one reading. Anybody may submit the device's next one; the meter's signature is what counts. Only the
    /// meter itself and the device's owner may skip counters: a later reading cuts the earlier ones off for good, and a
    /// stranger who sees readings on their way must not choose which.
    function submit(Reading calldata reading, bytes calldata signature) external {
        Refusal refusal = _accept(reading, signature);
        if (refusal != Refusal.None) {
            revert Errors.ReadingRefused(reading.device, reading.window, reading.subSlot, uint8(refusal));
        }
    }

    /// @notice Records many readings; refused ones are skipped. Returns how many were accepted.
    function submitMany(Reading[] calldata readings, bytes[] calldata signatures) external returns (uint256 accepted) {
        if (readings.length != signatures.length) revert Errors.LengthMismatch();
        for (uint256 i; i < readings.length; ++i) {
            if (_accept(readings[i], signatures[i]) == Refusal.None) ++accepted;
        }
    }

    /// @notice Pays to the holder what a seller's right has earned and not drawn yet (32). Anybody may call.
    function draw(uint256 rightId) external returns (uint256 amount) {
        CapacityRights.Right memory right = _sellerRight(rightId);
        Calendar.Phase phase = market.phaseOf(RightId.window(rightId));
        if (phase != Phase.Delivery && phase != Phase.Settlement) {
            revert Errors.WrongPhase(RightId.window(rightId), uint8(phase));
        }
        amount = _undrawn(rightId, right);
        if (amount == 0) return 0;
        address holder = rights.ownerOf(rightId);
        emit Drawn(rightId, holder, amount);
        rights.recordDrawn(rightId, right.drawn + amount);
        market.payStream(RightId.window(rightId), holder, amount);
    }

    /// @notice Settles a right finally (26), (27). Anybody may, once the readings are closed; sellers' rights first.
    function settle(uint256 rightId) external {
        _settle(rightId);
    }

    /// @notice Settles many rights; one that does not exist any more is skipped, so that nobody can block a batch.
    function settleMany(uint256[] calldata rightIds) external returns (uint256 settled) {
        for (uint256 i; i < rightIds.length; ++i) {
            try rights.quantityAndPaid(rightIds[i]) {
                _settle(rightIds[i]);
                ++settled;
            } catch {}
        }
    }

    /// @notice What a seller's right has earned so far, drawn or not, in base units (31).
    function entitlementOf(uint256 rightId) external view returns (uint256) {
        return _entitlement(rightId, _sellerRight(rightId));
    }

    /// @notice The fulfilment ratio ρ of a seller's right so far, in ppm (30).
    function fulfilmentOf(uint256 rightId) external view returns (uint256) {
        return _fulfilment(rightId, _sellerRight(rightId));
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

    function _accept(Reading calldata r, bytes calldata signature) private returns (Refusal) {
        uint256 perWindow = _length / _subSlot;
        if (r.subSlot >= perWindow || uint256(r.window) / _ring > type(uint16).max) return Refusal.BadSubSlot;
        uint256 end = _startOf(r.window) + (uint256(r.subSlot) + 1) * _subSlot;
        if (block.timestamp < end) return Refusal.NotOver;
        if (block.timestamp >= _startOf(r.window) + _length + _readingGrace) return Refusal.TooLate;
        uint256 exportW = registry.exportLimitOf(r.device);
        if (exportW == 0) return Refusal.UnknownDevice;
        // The limit rounds up: a device at its certified power must never be refused.
        if (uint256(r.energy) * SECONDS_PER_HOUR > exportW * _subSlot + SECONDS_PER_HOUR - 1) return Refusal.Implausible;
        (address key,,) = ECDSA.tryRecover(digestOf(r), signature);
        if (key == address(0) || !registry.isMeterKey(r.device, key, end)) return Refusal.BadSignature;

        uint256 progress = _progress[r.device];
        uint256 position = uint256(r.window) * perWindow + r.subSlot + 1;
        if (r.counter <= progress >> 64) return Refusal.OldCounter;
        if (position <= uint64(progress)) return Refusal.OutOfOrder;
        if (r.counter != (progress >> 64) + 1 && msg.sender != key && msg.sender != registry.deviceOf(r.device).owner) {
            return Refusal.Gap;
        }
        _progress[r.device] = (uint256(r.counter) << 64) | position;
        deliveredWh[r.window][r.device] += r.energy;
        emit ReadingAccepted(r.device, r.window, r.subSlot, r.energy, r.counter, signature);
        return Refusal.None;
    }

    function _settle(uint256 rightId) private {
        uint256 window = RightId.window(rightId);
        Phase phase = market.phaseOf(window);
        if (phase != Phase.Settlement) revert Errors.WrongPhase(window, uint8(phase));
        if (RightId.isFinal(rightId)) revert Errors.AlreadySettled(rightId);
        CapacityRights.Right memory right = rights.rightOf(rightId);
        if (RightId.side(rightId) == 0) _settleSeller(window, rightId, right);
        else _settleBuyer(window, rightId, right);
    }

    function _settleSeller(uint256 window, uint256 rightId, CapacityRights.Right memory right) private {
        address holder = rights.ownerOf(rightId);
        uint256 fulfilment = _fulfilment(rightId, right);
        uint256 payment = _undrawn(rightId, right);
        uint256 forfeitShare = _forfeitShare(window, right.quantity);
        (uint256 deposit, uint256 released) = _release(window, rightId, right.quantity, fulfilment);
        emit SellerSettled(rightId, holder, fulfilment, payment, forfeitShare, released);
        payment += forfeitShare;
        market.settleSeller(
            window, holder, payment, RightId.participant(rightId), deposit, released, right.quantity
        );
        uint256 received = right.drawn + payment;
        rights.settle(
            rightId,
            CapacityRights.Settlement(right.quantity, uint24(fulfilment), uint96(received), uint96(released))
        );
    }

    /// @dev The sellers share the deposits of buyers in default pro rata to their fills; rounded down.
    function _forfeitShare(uint256 window, uint256 quantity) private view returns (uint256) {
        (, uint256 volume,,,,) = market.resultOf(window);
        (,,, uint256 forfeited) = market.moneyOf(window);
        return Money.share(forfeited, quantity, volume);
    }

    /// @dev The right's part of the deposit, and P_S = β_S·D_S of it (26): β_S = ρ, or 1 from the tolerance on. Rounded
    /// down, the buyers' pool gains.
    function _release(uint256 window, uint256 rightId, uint256 quantity, uint256 fulfilment)
        private
        view
        returns (uint256 deposit, uint256 released)
    {
        (uint256 tick,,,,,) = market.resultOf(window);
        deposit = Money.depositPart(_alphaSeller, RightId.start(rightId), quantity, tick, _tickSize);
        released = fulfilment >= _tolerance ? deposit : Money.share(deposit, fulfilment, PPM);
    }

    function _settleBuyer(uint256 window, uint256 rightId, CapacityRights.Right memory right) private {
        // An unpaid right is in default: it can only be declared so, and settles nothing.
        if (!right.paid) revert Errors.Unpaid(rightId);
        address holder = rights.ownerOf(rightId);
        (uint256 tick,,,,,) = market.resultOf(window);
        uint256 deposit = Money.depositPart(_alphaBuyer, RightId.start(rightId), right.quantity, tick, _tickSize);
        uint256 compensation =
            market.settleBuyer(window, holder, RightId.participant(rightId), deposit, right.quantity);
        emit BuyerSettled(rightId, holder, compensation, deposit);
        rights.settle(
            rightId,
            CapacityRights.Settlement(right.quantity, uint24(PPM), uint96(compensation), uint96(deposit))
        );
    }

    function _sellerRight(uint256 rightId) private view returns (CapacityRights.Right memory) {
        if (RightId.isFinal(rightId) || RightId.side(rightId) != 0) revert Errors.NotSellerRight(rightId);
        return rights.rightOf(rightId);
    }

    /// @dev A part may have drawn up to one unit more than its rounded share; then nothing is due.
    function _undrawn(uint256 rightId, CapacityRights.Right memory right) private view returns (uint256) {
        uint256 entitlement = _entitlement(rightId, right);
        return entitlement > right.drawn ? entitlement - right.drawn : 0;
    }

    /// @dev min(λ·Σu/η, λ·Q_eff), times the part's share of the bid. Every division rounds down, the pool gains.
    function _entitlement(uint256 rightId, CapacityRights.Right memory right) private view returns (uint256) {
        uint256 window = RightId.window(rightId);
        (uint256 tick,,,,,) = market.resultOf(window);
        uint256 delivered = deliveredWh[window][right.device];
        uint256 metered = Money.earned(delivered * PPM, tick, _tickSize) / _efficiency;
        uint256 cap = Money.earned(_obligation(window, right.whole), tick, _tickSize);
        return Money.share(metered < cap ? metered : cap, right.quantity, right.whole);
    }

    /// @dev ρ = min(1, Σu / (η·Q_eff)), rounded down; 1 when every buyer defaulted and nothing is owed.
    function _fulfilment(uint256 rightId, CapacityRights.Right memory right) private view returns (uint256) {
        uint256 window = RightId.window(rightId);
        uint256 obligation = _obligation(window, right.whole);
        if (obligation == 0) return PPM;
        uint256 ratio = (deliveredWh[window][right.device] * PPM * PPM) / (_efficiency * obligation);
        return ratio < PPM ? ratio : PPM;
    }

    /// @dev Q_eff = ⌊Q·κ⌋ with κ = paid volume / V: what a seller still owes after buyers' defaults; the seller gains.
    function _obligation(uint256 window, uint256 quantity) private view returns (uint256) {
        (, uint256 volume,,,,) = market.resultOf(window);
        (,, uint256 paidWh,) = market.moneyOf(window);
        return Money.share(quantity, paidWh, volume);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Calendar} from "./Calendar.sol";
import {CapacityRights} from "./CapacityRights.sol";
import {Market} from "./Market.sol";
import {Metering} from "./Metering.sol";
import {Registry} from "./Registry.sol";
import {Errors} from "./lib/Errors.sol";
import {Money} from "./lib/Money.sol";
import {RightId} from "./lib/RightId.sol";

/// @title Streaming entitlement and final settlement by what devices delivered (26), (27), (30)-(32).
contract Delivery is Metering {
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

    uint256 private constant PPM = 1e6;

    Market public immutable market;
    CapacityRights public immutable rights;

    constructor(Market market_) Calendar(market_.calendar()) Metering(Registry(market_.registry())) {
        market = market_;
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
        Market.SellerSettlement memory s;
        s.window = window;
        s.quantity = right.quantity;
        s.holder = rights.ownerOf(rightId);
        s.depositor = RightId.participant(rightId);
        s.device = right.device;
        s.fulfilment = _fulfilment(rightId, right);
        uint256 payment = _undrawn(rightId, right);
        uint256 forfeitShare = _forfeitShare(window, right.quantity);
        s.payment = payment + forfeitShare;
        (s.deposit, s.released) = _release(rightId, right, s.fulfilment);
        s.units = _unitsOf(rightId, right);
        s.weight = _weight(rightId, right);
        emit SellerSettled(rightId, s.holder, s.fulfilment, payment, forfeitShare, s.released);
        market.settleSeller(s);
        uint256 received = right.drawn + s.payment;
        rights.settle(
            rightId,
            CapacityRights.Settlement(right.quantity, uint24(s.fulfilment), uint96(received), uint96(s.released))
        );
    }

    /// @dev The part's share of the energy units that its bid holds; the parts' shares sum to the whole.
    function _unitsOf(uint256 rightId, CapacityRights.Right memory right) private pure returns (uint256) {
        uint256 start = RightId.start(rightId);
        return Math.ceilDiv(right.units * (start + right.quantity), right.whole)
            - Math.ceilDiv(uint256(right.units) * start, right.whole);
    }

    /// @dev How much the bid's ρ moves its device's reliability: γ times the share of Q_max that was owed, rounded down; so
    /// small sales move little (T44). Counted once a bid, with its first part: splitting a right counts nothing twice.
    function _weight(uint256 rightId, CapacityRights.Right memory right) private view returns (uint256) {
        if (_reliabilityGain == 0 || RightId.start(rightId) != 0) return 0;
        uint256 owed = _obligation(RightId.window(rightId), right.whole);
        return Money.share(_reliabilityGain, owed, registry.windowLimitOf(right.device));
    }

    /// @dev The sellers share the deposits of buyers in default pro rata to their fills; rounded down.
    function _forfeitShare(uint256 window, uint256 quantity) private view returns (uint256) {
        (, uint256 volume,,,,) = market.resultOf(window);
        (,,, uint256 forfeited) = market.moneyOf(window);
        return Money.share(forfeited, quantity, volume);
    }

    /// @dev The right's part of the deposit, and P_S = β_S·D_S of it (26): β_S = ρ, or 1 from the tolerance on. Rounded
    /// down, the buyers' pool gains.
    function _release(uint256 rightId, CapacityRights.Right memory right, uint256 fulfilment)
        private
        view
        returns (uint256 deposit, uint256 released)
    {
        (uint256 tick,,,,,) = market.resultOf(RightId.window(rightId));
        deposit = Money.depositPart(right.alpha, RightId.start(rightId), right.quantity, tick, _tickSize);
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
        uint256 delivered = deliveredWh(window, right.device);
        uint256 metered = Money.earned(delivered * PPM, tick, _tickSize) / _efficiency;
        uint256 cap = Money.earned(_obligation(window, right.whole), tick, _tickSize);
        return Money.share(metered < cap ? metered : cap, right.quantity, right.whole);
    }

    /// @dev ρ = min(1, Σu / (η·Q_eff)), rounded down; 1 when every buyer defaulted and nothing is owed.
    function _fulfilment(uint256 rightId, CapacityRights.Right memory right) private view returns (uint256) {
        uint256 window = RightId.window(rightId);
        uint256 obligation = _obligation(window, right.whole);
        if (obligation == 0) return PPM;
        uint256 ratio = (deliveredWh(window, right.device) * PPM * PPM) / (_efficiency * obligation);
        return ratio < PPM ? ratio : PPM;
    }

    /// @dev Q_eff = ⌊Q·κ⌋ with κ = paid volume / V: what a seller still owes after buyers' defaults; the seller gains.
    function _obligation(uint256 window, uint256 quantity) private view returns (uint256) {
        (, uint256 volume,,,,) = market.resultOf(window);
        (,, uint256 paidWh,) = market.moneyOf(window);
        return Money.share(quantity, paidWh, volume);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "./Bidding.sol";
import {Errors} from "./lib/Errors.sol";
import {PriceBook} from "./lib/PriceBook.sol";
import {StatusWord, ResultWord, MoneyWord} from "./lib/WindowWords.sol";

/// @title Clearing a window at one uniform price (8)-(22), and voiding one that nobody cleared (§3, §4).
abstract contract Clearing is Bidding {
    using StatusWord for uint256;

    /// @notice What a clearing found: the price and volume, what the rationing and the certificate need (supply below the
    /// price, asks at it, demand above it, bids at it), the seed, and what was never opened.
    struct Outcome {
        uint256 tick;
        uint256 volume;
        uint256 supplyBelow; // S(λ−)
        uint256 supplyAt;
        uint256 demandAbove; // D(λ+)
        uint256 demandAt;
        uint256 seed;
        uint256 unopenedSellers;
        uint256 unopenedBuyers;
        uint256 digest; // of all commitments, see StatusWord
    }

    /// @notice A trade.
    event Cleared(uint256 indexed window, Outcome outcome);
    /// @notice No trade is possible: there is no price. The unopened commitments' bonds go to the treasury.
    event NoTrade(
        uint256 indexed window, uint256 seed, uint256 unopenedSellers, uint256 unopenedBuyers, uint256 digest
    );
    event Voided(uint256 indexed window, uint256 digest);

    /// @notice Clears the window, once its reveal deadline has passed or all its commitments are opened. Anybody may.
    /// @dev Its gas depends on the price grid alone (T11, T12).
    function clear(uint256 window) external nonReentrantView {
        (uint256 round, uint256 place) = _ringOf(window);
        uint256 status = _status[window];
        Phase phase = _phase(window, status.status(), block.timestamp);
        if (phase != Phase.Clearing && phase != Phase.Reveal) revert Errors.WrongPhase(window, uint8(phase));

        PriceBook.Totals memory totals = PriceBook.totals(PriceBook.baseOf(place), round, _ticks);
        Outcome memory o;
        o.unopenedSellers = status.sellers() - totals.openedSellers;
        o.unopenedBuyers = status.buyers() - totals.openedBuyers;
        if (phase == Phase.Reveal && o.unopenedSellers + o.unopenedBuyers != 0) {
            revert Errors.WrongPhase(window, uint8(phase));
        }
        o.seed = _seed(window, place);
        o.digest = status.digest();
        if (totals.supply != 0 && totals.demand != 0) _cross(o, PriceBook.baseOf(place), round, totals);

        uint256 bonds = (o.unopenedSellers + o.unopenedBuyers) * _bond;
        if (o.volume != 0) {
            _status[window] = StatusWord.ended(STATUS_TRADED, o.unopenedSellers, o.unopenedBuyers);
            _money[window] = MoneyWord.make(bonds, 0, 0);
            _result[window] = _packed(o);
            emit Cleared(window, o);
        } else {
            _status[window] = StatusWord.ended(STATUS_NO_TRADE, o.unopenedSellers, o.unopenedBuyers);
            _credit(treasury, bonds);
            emit NoTrade(window, o.seed, o.unopenedSellers, o.unopenedBuyers, o.digest);
        }
    }

    /// @notice Voids a window that was not cleared in time: everybody gets everything back (T16). Anybody may.
    function voidWindow(uint256 window) external nonReentrantView {
        _ringOf(window);
        uint256 status = _inPhase(window, Phase.Lapsed);
        _status[window] = StatusWord.ended(STATUS_VOID, status.sellers(), status.buyers());
        emit Voided(window, status.digest());
    }

    /// @dev Finds the crossing at the price that the window's rule picks from [λ_lo, λ_hi], and the volume there.
    function _cross(Outcome memory o, uint256 base, uint256 round, PriceBook.Totals memory totals) private view {
        PriceBook.Crossing memory at = PriceBook.lowest(base, round, totals);
        o.volume = _volume(at, totals.demand);
        // Without a trade at λ_lo there is none at any minimiser, and above it there may be nothing to find.
        if (o.volume == 0) return;
        if (_priceRule != PRICE_LOWEST) at = _pick(base, round, totals, at, o.seed);
        o.tick = at.tick;
        o.supplyBelow = at.supplyBelow;
        o.supplyAt = at.supplyAt;
        o.demandAbove = totals.demand - at.demandBelow - at.demandAt;
        o.demandAt = at.demandAt;
    }

    /// @dev Midpoint (rounded down) or seeded pick between the lowest crossing and the highest.
    function _pick(
        uint256 base,
        uint256 round,
        PriceBook.Totals memory totals,
        PriceBook.Crossing memory low,
        uint256 seed
    ) private view returns (PriceBook.Crossing memory at) {
        at = PriceBook.highest(base, round, totals, low);
        uint256 tick =
            _priceRule == PRICE_MIDPOINT ? (low.tick + at.tick) / 2 : low.tick + seed % (at.tick - low.tick + 1);
        if (tick == low.tick) return low;
        // Strictly between the ends there is neither supply nor demand.
        if (tick != at.tick) (at.tick, at.supplyAt, at.demandAt) = (tick, 0, 0);
    }

    /// @dev V = min(S(λ), D(λ)): of the welfare-equal optima, the largest trade.
    function _volume(PriceBook.Crossing memory at, uint256 totalDemand) private pure returns (uint256) {
        uint256 supply = at.supplyBelow + at.supplyAt;
        uint256 demand = totalDemand - at.demandBelow;
        return supply < demand ? supply : demand;
    }

    /// @dev One cohort at most is rationed, since V is all of S(λ) or all of D(λ).
    function _packed(Outcome memory o) private pure returns (uint256) {
        uint256 residual = o.volume - o.supplyBelow;
        uint256 total = o.supplyAt;
        uint256 side = SELL;
        if (residual == total) {
            residual = o.volume - o.demandAbove;
            total = o.demandAt;
            side = residual == total ? ResultWord.NO_SIDE : BUY;
        }
        return ResultWord.make(o.tick, o.volume, residual, total, total == 0 ? 0 : o.seed % total, side);
    }

    /// @dev The seed of the window (§5): fixed by the opened blinders, whatever their order and whoever clears (T19).
    function _seed(uint256 window, uint256 place) internal view virtual returns (uint256) {
        unchecked {
            return uint256(keccak256(abi.encode(window, _blinders[place] - 1)));
        }
    }
}

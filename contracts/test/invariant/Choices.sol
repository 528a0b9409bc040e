// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {Seal} from "../utils/Seal.sol";
import {Steps} from "./Steps.sol";

/// @title Which steps are possible now, by the model, and the choice of one by a seed.
abstract contract Choices is Steps {
    // --------------------------------------------------------------------------------------------------- what is possible

    function _inCommit(uint256 w) internal view returns (bool) {
        return _modelPhase(w) == Calendar.Phase.Commit;
    }

    /// @dev Some lapsed windows stay in their place until the next could be opened there.
    function _isLapsed(uint256 w) internal view returns (bool) {
        return _modelPhase(w) == Calendar.Phase.Lapsed && (w % 2 == 0 || _now() > _startsAt(w) + SUB_SLOT);
    }

    function _isClearable(uint256 w) internal view returns (bool) {
        Calendar.Phase p = _modelPhase(w);
        // Nobody hurries to clear every window: some lapse.
        if (p == Calendar.Phase.Clearing) return w % 5 != 3;
        return p == Calendar.Phase.Reveal && _days[w].sealedSellers + _days[w].sealedBuyers == 0
            && _days[w].openedSellers + _days[w].openedBuyers > 3;
    }

    /// @dev The account may commit in the window: no commitment there, and nothing left to claim of an earlier one.
    function _isFreePlace(address a, uint256 w) internal view returns (bool) {
        uint256 latest = _latest[a][w % PLACES];
        return latest == 0 || _bids[latest - 1].stage > Stage.Opened;
    }

    function _isReplaceable(uint256 i) internal view returns (bool) {
        return _bids[i].stage == Stage.Sealed && _modelPhase(_bids[i].window) == Calendar.Phase.Commit;
    }

    /// @dev One bid in nine is never opened.
    function _isOpenable(uint256 i) internal view returns (bool) {
        return _bids[i].stage == Stage.Sealed && i % 9 != 4 && _modelPhase(_bids[i].window) == Calendar.Phase.Reveal
            && _affordable(i);
    }

    function _isClaimable(uint256 i) internal view returns (bool) {
        return _bids[i].stage == Stage.Opened && _days[_bids[i].window].status > 1;
    }

    /// @dev One bid in five is claimed only when its window is to be settled.
    function _isClaimedInTime(uint256 i) internal view returns (bool) {
        return _isClaimable(i) && (i % 5 != 2 || _modelPhase(_bids[i].window) >= Calendar.Phase.Settlement);
    }

    function _isRefundable(uint256 i) internal view returns (bool) {
        return
            _bids[i].stage == Stage.Forfeited || (_bids[i].stage == Stage.Sealed && _days[_bids[i].window].status == 4);
    }

    function _isLiving(uint256 k) internal view returns (bool) {
        return _parts[k].state == State.Living;
    }

    function _isPayable(uint256 k) internal view returns (bool) {
        return _isLiving(k) && !_parts[k].paid && _phaseOfPart(k) == Calendar.Phase.Payment;
    }

    function _isDefaultable(uint256 k) internal view returns (bool) {
        return _isLiving(k) && !_parts[k].paid && _phaseOfPart(k) > Calendar.Phase.Payment;
    }

    function _isSplittable(uint256 k) internal view returns (bool) {
        return _isLiving(k) && _parts[k].paid && _parts[k].quantity > 1;
    }

    function _isSplittableAndDrawn(uint256 k) internal view returns (bool) {
        return _isSplittable(k) && _parts[k].drawn != 0;
    }

    function _isDrawable(uint256 k) internal view returns (bool) {
        return _isLiving(k) && _bids[_parts[k].bid].side == SELL && _phaseOfPart(k) > Calendar.Phase.Payment;
    }

    function _isSettleable(uint256 k) internal view returns (bool) {
        Part storage p = _parts[k];
        if (p.state != State.Living || !p.paid || _phaseOfPart(k) != Calendar.Phase.Settlement) return false;
        Day storage d = _days[_bids[p.bid].window];
        return d.resolved == 2 * d.volume && (_bids[p.bid].side == SELL || d.settled >= d.volume);
    }

    function _isMetered(uint256 k) internal view returns (bool) {
        if (!_isLiving(k) || _bids[_parts[k].bid].side == BUY) return false;
        (uint256 device, uint256 w,) = _meterOf(k);
        return _nextSubSlot(device, w) < LENGTH / SUB_SLOT;
    }

    function _meterOf(uint256 k) internal view returns (uint256 device, uint256 w, uint256 fill) {
        Bid storage b = _bids[_parts[k].bid];
        return (uint32(b.opening.terms), b.window, b.fill);
    }

    /// @dev The first sub-slot of the window that has ended and comes after the device's last; 3 if there is none.
    function _nextSubSlot(uint256 device, uint256 w) internal view returns (uint256) {
        uint256 t = _now();
        if (t >= _startsAt(w) + LENGTH + GRACE) return 3;
        for (uint256 s; s < 3; ++s) {
            bool later = w * 3 + s + 1 > _position[device] && s >= _covered[w][device];
            if (later && t >= _startsAt(w) + (s + 1) * SUB_SLOT) return s;
        }
        return 3;
    }

    /// @dev A voucher of the right's device could add to what was counted of its window.
    function _isVouchable(uint256 k) internal view returns (bool) {
        if (!_isLiving(k) || _bids[_parts[k].bid].side == BUY) return false;
        (uint256 device, uint256 w,) = _meterOf(k);
        uint256 ended = _endedSubSlots(w);
        return ended != 0 && ended >= _covered[w][device] && _metered[w][device] < ended * SLOT_MOST;
    }

    /// @dev Sub-slots of the window that have ended; 0 once its readings are closed.
    function _endedSubSlots(uint256 w) internal view returns (uint256) {
        uint256 t = _now();
        if (t < _startsAt(w) || t >= _startsAt(w) + LENGTH + GRACE) return 0;
        uint256 ended = (t - _startsAt(w)) / SUB_SLOT;
        return ended > LENGTH / SUB_SLOT ? LENGTH / SUB_SLOT : ended;
    }

    /// @dev Units of the account's energy that a commitment in this window could hold, with what it gives back itself.
    function _unitsLeft(address a, uint256 w) internal view returns (uint256) {
        uint256 promised = _modelPromised(a);
        uint256 latest = _latest[a][w % PLACES];
        if (latest != 0) {
            Bid storage b = _bids[latest - 1];
            if (b.stage == Stage.Forfeited || (b.stage == Stage.Sealed && b.window == w)) promised -= b.units;
        }
        return promised < _energy[a] ? _energy[a] - promised : 0;
    }

    /// @dev Units for a seller's curve: what it needs, or more, up to all that a window can take; 0 if there are too few left.
    function _unitsFor(address a, uint256 w, bytes memory curve, uint256 seed) internal view returns (uint256) {
        uint256 quantity;
        for (uint256 i; i < curve.length; i += 6) {
            quantity += _number(curve, i + 2, 4);
        }
        uint256 needed = _up(quantity * 64, LIMIT);
        uint256 left = _unitsLeft(a, w);
        if (left > 64) left = 64;
        return needed > left ? 0 : needed + (seed >> 200) % (left - needed + 1);
    }

    // ------------------------------------------------------------------------------------------------------------- choice

    function _chooseWindow(function(uint256) view returns (bool) fits, uint256 seed)
        internal
        view
        returns (bool, uint256)
    {
        uint256[] memory hits = new uint256[](_windows.length);
        uint256 n;
        for (uint256 i; i < hits.length; ++i) {
            if (fits(_windows[i])) hits[n++] = _windows[i];
        }
        return n == 0 ? (false, 0) : (true, hits[seed % n]);
    }

    function _chooseBid(function(uint256) view returns (bool) fits, uint256 seed)
        internal
        view
        returns (bool, uint256)
    {
        return _choose(_bids.length, fits, seed);
    }

    function _choosePart(function(uint256) view returns (bool) fits, uint256 seed)
        internal
        view
        returns (bool, uint256)
    {
        return _choose(_parts.length, fits, seed);
    }

    function _choose(uint256 count, function(uint256) view returns (bool) fits, uint256 seed)
        private
        view
        returns (bool, uint256)
    {
        uint256[] memory hits = new uint256[](count);
        uint256 n;
        for (uint256 i; i < count; ++i) {
            if (fits(i)) hits[n++] = i;
        }
        return n == 0 ? (false, 0) : (true, hits[seed % n]);
    }

    function _phaseOfPart(uint256 k) internal view returns (Calendar.Phase) {
        return _modelPhase(_bids[_parts[k].bid].window);
    }

    function _actor(uint256 seed) internal view returns (address) {
        return _actors_[seed % ACTORS];
    }

    /// @dev Who has a device mostly sells.
    function _sideFor(address a, uint256 seed) internal view returns (uint256) {
        (,, uint32 device,) = _admission(a);
        return device == 0 || seed % 6 == 0 ? BUY : SELL;
    }

    /// @dev One to four segments on few ticks, so that ties are common; asks mostly below bids.
    function _curve(uint256 side, uint256 seed) internal pure returns (bytes memory curve) {
        seed = uint256(keccak256(abi.encode("curve", seed)));
        uint256 tick = side == SELL ? 2 + seed % 5 : 40 - seed % 33;
        for (uint256 i; i <= (seed >> 8) % 4; ++i) {
            curve = bytes.concat(curve, Seal.segment(tick, 1 + (seed >> (16 + 16 * i)) % 2500));
            uint256 gap = 3 * (1 + (seed >> (96 + 8 * i)) % 4);
            tick = side == SELL ? tick + gap : gap < tick ? tick - gap : 0;
            if (side == BUY && tick == 0) break;
        }
    }
}

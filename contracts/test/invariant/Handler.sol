// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Choices} from "./Choices.sol";

/// @title What a campaign calls: one function for each action, all taking a seed.
/// @notice An action that is impossible now gives way to one that is possible, so that few calls are wasted and whole
/// lives of windows happen often.
abstract contract Handler is Choices {
    uint256 private constant KINDS = 24;

    mapping(string action => uint256) internal _count;
    string[] internal _actionNames;
    uint256 internal _steps;
    bool internal _phaseWentBack;
    bool internal _statusWentBack;
    bool internal _countersWentBack;
    mapping(uint256 window => uint256) private _lastStatus;
    mapping(uint256 device => uint256) private _lastProgress;

    modifier observed() {
        _;
        _observe();
        _settleOutOfTurn();
    }

    // ------------------------------------------------------------------------------------------------------------ actions

    function deposit(uint256 seed) external observed {
        _do(_tryDeposit, seed);
    }

    function withdraw(uint256 seed) external observed {
        _do(_tryWithdraw, seed);
    }

    function open(uint256 seed) external observed {
        _do(_tryOpen, seed);
    }

    function commit(uint256 seed) external observed {
        _do(_tryCommit, seed);
    }

    function replace(uint256 seed) external observed {
        _do(_tryReplace, seed);
    }

    function withdrawCommitment(uint256 seed) external observed {
        _do(_tryWithdrawCommitment, seed);
    }

    function reveal(uint256 seed) external observed {
        _do(_tryReveal, seed);
    }

    function revealMany(uint256 seed) external observed {
        _do(_tryRevealMany, seed);
    }

    function clear(uint256 seed) external observed {
        _do(_tryClear, seed);
    }

    function voidWindow(uint256 seed) external observed {
        _do(_tryVoid, seed);
    }

    function claim(uint256 seed) external observed {
        _do(_tryClaim, seed);
    }

    function claimMany(uint256 seed) external observed {
        _do(_tryClaimMany, seed);
    }

    function pay(uint256 seed) external observed {
        _do(_tryPay, seed);
    }

    function declareDefault(uint256 seed) external observed {
        _do(_tryDefault, seed);
    }

    function refund(uint256 seed) external observed {
        _do(_tryRefund, seed);
    }

    function split(uint256 seed) external observed {
        _do(_trySplit, seed);
    }

    function transfer(uint256 seed) external observed {
        _do(_tryTransfer, seed);
    }

    function read(uint256 seed) external observed {
        _do(_tryRead, seed);
    }

    function redeem(uint256 seed) external observed {
        _do(_tryRedeem, seed);
    }

    function openSealed(uint256 seed) external observed {
        _do(_tryOpenSealed, seed);
    }

    function draw(uint256 seed) external observed {
        _do(_tryDraw, seed);
    }

    function settle(uint256 seed) external observed {
        _do(_trySettle, seed);
    }

    function settleMany(uint256 seed) external observed {
        _do(_trySettleMany, seed);
    }

    function newDevice(uint256 seed) external observed {
        _do(_tryNewDevice, seed);
    }

    function anything(uint256 seed) external observed {
        _any(_mix(seed));
    }

    function refresh(uint256 seed) external observed {
        _do(_tryRefresh, seed);
    }

    function jump(uint256 seed) external observed {
        _jump(_mix(seed));
    }

    /// @dev The action, or any that is possible.
    function _do(function(uint256) returns (bool) action, uint256 seed) private {
        seed = _mix(seed);
        if (!action(seed)) _any(uint256(keccak256(abi.encode(seed))));
    }

    /// @dev Campaigns repeat their seeds; no two steps shall.
    function _mix(uint256 seed) internal returns (uint256) {
        return uint256(keccak256(abi.encode(seed, ++_steps)));
    }

    /// @dev A possible action, tried from a random one on; if nothing is possible, time passes.
    function _any(uint256 seed) internal {
        if (seed % 12 == 0) return _jump(seed >> 8);
        for (uint256 i; i < KINDS; ++i) {
            if (_tryKind((seed + i) % KINDS, seed >> 8)) return;
        }
        _jump(seed >> 8);
    }

    /// @dev The steps of a window's life come more than once, in no order.
    function _tryKind(uint256 kind, uint256 seed) private returns (bool) {
        if (kind == 0 || kind == 7) return _tryOpen(seed);
        if (kind == 1 || kind == 8 || kind == 14) return _tryCommit(seed);
        if (kind == 2 || kind == 16) return _tryReveal(seed);
        if (kind == 9) return _tryRevealMany(seed);
        if (kind == 3 || kind == 13) return _tryClear(seed);
        if (kind == 4 || kind == 17) return _tryClaim(seed);
        if (kind == 10) return _tryPay(seed);
        if (kind == 5 || kind == 15) return _tryDefault(seed);
        if (kind == 11 || kind == 19) return _tryRead(seed);
        if (kind == 6 || kind == 18) return _trySettle(seed);
        if (kind == 12) return seed % 4 == 0 && _tryRefund(seed);
        if (kind == 22) return seed % 2 == 0 ? _tryRedeem(seed) : _trySettle(seed);
        if (kind == 23) return seed % 2 == 0 ? _tryOpenSealed(seed) : _tryClear(seed);
        if (kind == 20) return seed % 2 == 0 && _tryDraw(seed);
        return seed % 3 == 0 && _trySplit(seed);
    }

    /// @dev To the next deadline (all lie on a grid of 300 seconds), or to the second before it.
    function _jump(uint256 seed) internal {
        uint256 t = _now();
        uint256 next = ORIGIN + ((t + 100 * SUB_SLOT - ORIGIN) / SUB_SLOT + 1) * SUB_SLOT - 100 * SUB_SLOT;
        vm.warp(seed % 4 == 0 && t + 1 < next ? next - 1 : next);
        ++_count["jump"];
    }

    // -------------------------------------------------------------------------------------------------------------- vault

    function _tryDeposit(uint256 seed) internal returns (bool) {
        _stepDeposit(_actor(seed), 1 + seed / ACTORS % 4000);
        return _did("deposit");
    }

    function _tryWithdraw(uint256 seed) internal returns (bool) {
        address a = _actor(seed);
        uint256 free = _free[a];
        if (free == 0) return false;
        _stepWithdraw(a, _actor(seed >> 8), seed % 3 == 0 ? free : 1 + (seed >> 16) % free);
        return _did("withdraw");
    }

    function _tryNewDevice(uint256 seed) internal returns (bool) {
        if (seed % 4 != 0) return false;
        address a = _actors_[(seed >> 8) % WITH_DEVICE];
        // Rather one with a record, to see that it is lost.
        for (uint256 i; i < WITH_DEVICE && _record[a] == 0; ++i) {
            a = _actors_[((seed >> 8) + i) % WITH_DEVICE];
        }
        // The energy of one, two or four windows.
        _stepDevice(a, LIMIT << ((seed >> 16) % 3));
        return _did("newDevice");
    }

    /// @dev Anybody, for anybody with a device; mostly it changes nothing.
    function _tryRefresh(uint256 seed) internal returns (bool) {
        if (seed % 3 != 0) return false;
        _stepRefresh(_actors_[(seed >> 8) % WITH_DEVICE]);
        return _did("refresh");
    }

    // ------------------------------------------------------------------------------------------------------------ bidding

    function _tryOpen(uint256) internal returns (bool) {
        uint256 w = _windows.length == 0 ? 0 : _windows[_windows.length - 1] + 1;
        while (_now() + COMMIT_LEAD >= _startsAt(w)) ++w;
        if (_startsAt(w) >= _now() + PLACES * LENGTH) return false;
        for (uint256 before = w % PLACES; before < w; before += PLACES) {
            if (_days[before].status == 1) return false;
        }
        _stepOpen(w);
        return _did("open");
    }

    function _tryCommit(uint256 seed) internal returns (bool) {
        (bool found, uint256 w) = _chooseWindow(_inCommit, seed);
        if (!found) return false;
        for (uint256 i; i < ACTORS; ++i) {
            address a = _actor(seed / 7 + i);
            if (_free[a] < BOND || !_isFreePlace(a, w)) continue;
            if (_commitSuitably(w, a, seed)) return _did("commit");
        }
        return false;
    }

    function _tryReplace(uint256 seed) internal returns (bool) {
        (bool found, uint256 i) = _chooseBid(_isReplaceable, seed);
        if (!found) return false;
        return _commitSuitably(_bids[i].window, _bids[i].who, seed >> 8) && _did("replace");
    }

    /// @dev Commits on the account's side; a seller only with the energy for it.
    function _commitSuitably(uint256 w, address a, uint256 seed) private returns (bool) {
        uint256 side = _sideFor(a, seed);
        bytes memory curve = _curve(side, seed);
        // Who has another device asks for its energy as soon as it may.
        if (_energy[a] != _certified[a] && _modelPromised(a) == 0) _stepRefresh(a);
        uint256 units = side == SELL ? _unitsFor(a, w, curve, seed) : 0;
        if (side == SELL && units == 0) return false;
        _stepCommit(w, a, side, units, curve);
        return true;
    }

    function _tryWithdrawCommitment(uint256 seed) internal returns (bool) {
        (bool found, uint256 i) = _chooseBid(_isReplaceable, seed);
        if (!found || seed % 4 != 0) return false;
        _stepWithdrawCommitment(i);
        return _did("withdrawCommitment");
    }

    function _tryReveal(uint256 seed) internal returns (bool) {
        (bool found, uint256 i) = _chooseBid(_isOpenable, seed);
        if (!found) return false;
        _stepReveal(i);
        return _did("reveal");
    }

    /// @dev Most openings of a window in one batch, the first of them twice, and once with a wrong blinder.
    function _tryRevealMany(uint256 seed) internal returns (bool) {
        (bool found, uint256 first) = _chooseBid(_isOpenable, seed);
        if (!found) return false;
        uint256[] storage all = _bidsOf[_bids[first].window];
        uint256[] memory chosen = new uint256[](all.length);
        uint256 n;
        for (uint256 k; k < all.length; ++k) {
            if (_isOpenable(all[k]) && (all[k] == first || (seed >> (k + 8)) % 8 != 0)) chosen[n++] = all[k];
        }
        Bidding.Opening[] memory batch = new Bidding.Opening[](n + 2);
        for (uint256 k; k < n; ++k) {
            batch[k + 1] = _bids[chosen[k]].opening;
        }
        batch[0] = _bids[first].opening;
        ++batch[0].blinder;
        batch[n + 1] = batch[1];
        assertEq(market.revealMany(batch), n, "opened");
        for (uint256 k; k < n; ++k) {
            _opened(chosen[k]);
        }
        return _did("revealMany");
    }

    function _tryClear(uint256 seed) internal returns (bool) {
        (bool found, uint256 w) = _chooseWindow(_isClearable, seed);
        if (!found) return false;
        _stepClear(w);
        return _did(_days[w].status == 2 ? "clear, trade" : "clear, no trade");
    }

    function _tryVoid(uint256 seed) internal returns (bool) {
        (bool found, uint256 w) = _chooseWindow(_isLapsed, seed);
        if (!found) return false;
        _stepVoid(w);
        return _did("void");
    }

    // -------------------------------------------------------------------------------------------------------------- issue

    function _tryClaim(uint256 seed) internal returns (bool) {
        (bool found, uint256 i) = _chooseBid(_isClaimedInTime, seed);
        if (!found) return false;
        _stepClaim(i);
        return _did("claim");
    }

    /// @dev Every claim of a window at once, and one of them again.
    function _tryClaimMany(uint256 seed) internal returns (bool) {
        (bool found, uint256 first) = _chooseBid(_isClaimedInTime, seed);
        if (!found) return false;
        uint256[] storage all = _bidsOf[_bids[first].window];
        Issue.Claim[] memory claims = new Issue.Claim[](all.length + 1);
        uint256 n;
        for (uint256 k; k < all.length; ++k) {
            if (_isClaimedInTime(all[k])) claims[n++] = _claimOf(all[k]);
        }
        claims[n] = claims[0];
        assembly ("memory-safe") {
            mstore(claims, add(n, 1))
        }
        assertEq(market.claimMany(claims), n, "issued");
        for (uint256 k; k < all.length; ++k) {
            if (_isClaimedInTime(all[k])) _claimed(all[k]);
        }
        return _did("claimMany");
    }

    function _tryPay(uint256 seed) internal returns (bool) {
        (bool found, uint256 k) = _choosePart(_isPayable, seed);
        if (!found) return false;
        uint256 payment = _modelPayment(_parts[k].quantity, _days[_bids[_parts[k].bid].window].tick);
        address payer = _actor(seed >> 8);
        if (_free[payer] < payment) return false;
        _stepPay(k, payer);
        return _did("pay");
    }

    function _tryDefault(uint256 seed) internal returns (bool) {
        (bool found, uint256 k) = _choosePart(_isDefaultable, seed);
        // Some are declared late.
        if (!found || (k % 3 == 1 && _phaseOfPart(k) != Calendar.Phase.Settlement)) return false;
        _stepDefault(k);
        return _did("declareDefault");
    }

    function _tryRefund(uint256 seed) internal returns (bool) {
        (bool found, uint256 i) = _chooseBid(_isRefundable, seed);
        if (!found) return false;
        _stepRefund(i);
        return _did("refund");
    }

    // --------------------------------------------------------------------------------------------------- rights, delivery

    function _trySplit(uint256 seed) internal returns (bool) {
        // Rather a right that was drawn on: its parts share what was drawn.
        (bool found, uint256 k) = _choosePart(_isSplittableAndDrawn, seed);
        if (!found) (found, k) = _choosePart(_isSplittable, seed);
        if (!found) return false;
        _stepSplit(k, 1 + (seed >> 8) % (_parts[k].quantity - 1));
        return _did("split");
    }

    function _tryTransfer(uint256 seed) internal returns (bool) {
        (bool found, uint256 k) = _choosePart(_isLiving, seed);
        if (!found) return false;
        _stepTransfer(k, _actor(seed >> 8));
        return _did("transfer");
    }

    /// @dev The next sub-slot that a device may report, of a window in which it sold.
    function _tryRead(uint256 seed) internal returns (bool) {
        (bool found, uint256 k) = _choosePart(_isMetered, seed);
        if (!found) return false;
        (uint256 device, uint256 w, uint256 fill) = _meterOf(k);
        uint256 s = _nextSubSlot(device, w);
        // What is owed, half of it, a third more, or nothing.
        uint256 energy = fill * [uint256(95), 95, 95, 50, 130, 0][(seed >> 8) % 6] / 300;
        _stepRead(device, w, s, energy > 6667 ? 6667 : energy);
        return _did("read");
    }

    function _tryRedeem(uint256 seed) internal returns (bool) {
        (bool found, uint256 k) = _choosePart(_isVouchable, seed);
        if (!found) return false;
        (uint256 device, uint256 w,) = _meterOf(k);
        (uint256 through, uint256 energy) = _sumOf(k, seed >> 8);
        _stepRedeem(device, w, through, energy);
        return _did("redeem");
    }

    function _tryOpenSealed(uint256 seed) internal returns (bool) {
        (bool found, uint256 k) = _choosePart(_isVouchable, seed);
        if (!found) return false;
        (uint256 device, uint256 w,) = _meterOf(k);
        (uint256 through, uint256 energy) = _sumOf(k, seed >> 8);
        _stepOpenSealed(device, w, through, energy);
        return _did("openSealed");
    }

    /// @dev A voucher's sub-slots, some or all that ended, and its sum: at least what was counted, at most what the device can give.
    function _sumOf(uint256 k, uint256 seed) private view returns (uint256 through, uint256 energy) {
        (uint256 device, uint256 w, uint256 fill) = _meterOf(k);
        (uint256 covered, uint256 ended) = (_covered[w][device], _endedSubSlots(w));
        uint256 first = covered == 0 ? 1 : covered;
        through = first + seed % (ended - first + 1);
        // Over the same sub-slots only a larger sum adds.
        if (through == covered && _metered[w][device] >= through * SLOT_MOST) through = ended;
        uint256 least = _metered[w][device] + (through == covered ? 1 : 0);
        energy = fill * through * [uint256(95), 95, 95, 50, 130, 0][(seed >> 8) % 6] / 300;
        if (energy < least) energy = least;
        if (energy > through * SLOT_MOST) energy = through * SLOT_MOST;
    }

    function _tryDraw(uint256 seed) internal returns (bool) {
        (bool found, uint256 k) = _choosePart(_isDrawable, seed);
        if (!found) return false;
        _stepDraw(k);
        return _did("draw");
    }

    function _trySettle(uint256 seed) internal returns (bool) {
        (bool found, uint256 k) = _choosePart(_isSettleable, seed);
        if (!found) return false;
        _stepSettle(k);
        return _did(_bids[_parts[k].bid].side == SELL ? "settle, seller" : "settle, buyer");
    }

    /// @dev All rights of one side of a window, and one that exists no more.
    function _trySettleMany(uint256 seed) internal returns (bool) {
        (bool found, uint256 first) = _choosePart(_isSettleable, seed);
        if (!found) return false;
        uint256 side = _bids[_parts[first].bid].side;
        uint256[] storage all = _partsOf[_bids[_parts[first].bid].window];
        uint256[] memory ids = new uint256[](all.length + 1);
        uint256 n;
        for (uint256 k; k < all.length; ++k) {
            if (_isSettleable(all[k]) && _bids[_parts[all[k]].bid].side == side) ids[n++] = _parts[all[k]].id;
        }
        ids[n] = ids[0];
        assembly ("memory-safe") {
            mstore(ids, add(n, 1))
        }
        assertEq(delivery.settleMany(ids), n, "settled");
        uint256[] memory done = new uint256[](n);
        n = 0;
        for (uint256 k; k < all.length; ++k) {
            if (_isSettleable(all[k]) && _bids[_parts[all[k]].bid].side == side) done[n++] = all[k];
        }
        for (uint256 k; k < n; ++k) {
            _settled(done[k]);
        }
        return _did("settleMany");
    }

    // ------------------------------------------------------------------------------------------------------------- notes

    function _did(string memory action) internal returns (bool) {
        if (_count[action]++ == 0) _actionNames.push(action);
        return true;
    }

    /// @dev After every action: phases, statuses and readings only go forward. What is not open is never open again.
    function _observe() internal {
        for (uint256 i; i < _windows.length; ++i) {
            uint256 w = _windows[i];
            Day storage d = _days[w];
            uint256 rank = uint256(market.phaseOf(w));
            if (rank < d.rank) _phaseWentBack = true;
            d.rank = rank;
            (uint256 status,,,,) = market.statusOf(w);
            if (_lastStatus[w] > 1 && status != _lastStatus[w] || status == 0) _statusWentBack = true;
            _lastStatus[w] = status;
        }
        for (uint256 device = registry.deviceCount(); device > 0; --device) {
            (uint256 counter, uint256 position) = delivery.progressOf(device);
            uint256 word = (counter << 64) | position;
            if (word < _lastProgress[device] || position < uint64(_lastProgress[device])) _countersWentBack = true;
            _lastProgress[device] = word;
        }
    }

    /// @dev After every action: what may not be settled yet is tried.
    function _settleOutOfTurn() internal virtual;
}

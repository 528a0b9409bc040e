// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Metering} from "../../src/Metering.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {Handler} from "./Handler.sol";

/// @title What nobody may do, tried at any moment of a campaign: it must be refused, and the model stays as it is.
abstract contract Misuse is Handler {
    string[] internal _accepted; // names of misuses that went through

    function misuse(uint256 seed) external observed {
        seed = _mix(seed);
        _misuseBids(seed);
        _misuseOpenings(seed);
        _misuseWindows();
        _misuseClaims();
        _misuseRights(seed);
        _misuseReadings(seed);
        _misuseVouchers(seed);
        _misuseSettlement(seed);
        _misuseMoney(seed);
    }

    function _misuseBids(uint256 seed) private {
        for (uint256 i; i < _windows.length; ++i) {
            for (uint256 j; j < ACTORS; ++j) {
                _commitWrongly(_windows[i], _actors_[j]);
                _oversell(_windows[i], _actors_[j]);
            }
        }
        if (_bids.length == 0) return;
        Bid storage b = _bids[seed % _bids.length];
        if (b.stage == Stage.Sealed && _inCommit(b.window)) return;
        if (_latest[b.who][b.window % PLACES] != seed % _bids.length + 1) return;
        vm.prank(b.who);
        try market.withdrawCommitment(b.window) {
            _went("withdrawCommitment");
        } catch {}
    }

    /// @dev Not in time, or over an earlier bid that is still to be claimed.
    function _commitWrongly(uint256 w, address a) private {
        uint256 latest = _latest[a][w % PLACES];
        bool own = latest != 0 && _bids[latest - 1].window == w;
        if (_inCommit(w) && (own || _isFreePlace(a, w))) return;
        vm.prank(a);
        try market.commit(w, NO_UNITS, 1) {
            _went("commit");
        } catch {}
    }

    /// @dev One unit more than the battery has left, whatever is free of places and money.
    function _oversell(uint256 w, address a) private {
        uint256 units = _unitsLeft(a, w) + 1;
        if (!_inCommit(w) || units > 64) return;
        vm.prank(a);
        try market.commit(w, units, 1) {
            _went("commit beyond the battery's energy");
        } catch {}
    }

    function _misuseOpenings(uint256 seed) private {
        if (_bids.length == 0) return;
        Bid storage b = _bids[seed % _bids.length];
        Bidding.Opening memory o = b.opening;
        // As it is, if it is not the time for it or was done already.
        if (b.stage != Stage.Sealed || _modelPhase(b.window) != Calendar.Phase.Reveal) _tryOpening(o, "reveal");
        o.curve = bytes.concat(o.curve, _one(GRID - 1, 1));
        _tryOpening(o, "reveal, another curve");
        o = b.opening;
        o.blinder ^= 1;
        _tryOpening(o, "reveal, another blinder");
        o = b.opening;
        o.participant = _actor(seed >> 8);
        if (o.participant != b.who) _tryOpening(o, "reveal, another participant");
        o = b.opening;
        o.terms += 1 << 32;
        _tryOpening(o, "reveal, another limit");
        o = b.opening;
        o.terms ^= uint96(1 << (64 + (seed >> 16) % 32));
        _tryOpening(o, "reveal, another coefficient or other units");
        o = b.opening;
        o.window += uint32(PLACES);
        _tryOpening(o, "reveal, another window");
    }

    function _tryOpening(Bidding.Opening memory o, string memory name) private {
        try market.reveal(o) {
            _went(name);
        } catch {}
    }

    function _misuseWindows() private {
        for (uint256 i; i < _windows.length; ++i) {
            uint256 w = _windows[i];
            Calendar.Phase p = _modelPhase(w);
            bool early = p == Calendar.Phase.Reveal && _days[w].sealedSellers + _days[w].sealedBuyers == 0;
            if (p != Calendar.Phase.Clearing && !early) {
                try market.clear(w) {
                    _went("clear");
                } catch {}
            }
            if (p != Calendar.Phase.Lapsed) {
                try market.voidWindow(w) {
                    _went("voidWindow");
                } catch {}
            }
            try market.open(w, 1) {
                _went("open again");
            } catch {}
            // The next window of the ring place of one that is still open.
            if (_days[w].status == 1) {
                try market.open(w + PLACES, 1) {
                    _went("open an occupied place");
                } catch {}
            }
        }
    }

    function _misuseClaims() private {
        for (uint256 i; i < _bids.length; ++i) {
            Bid storage b = _bids[i];
            if (b.stage != Stage.Gone && !_isClaimable(i)) {
                try market.claim(_claimOf(i)) {
                    _went("claim");
                } catch {}
            }
            if (!_isRefundable(i) && _latest[b.who][b.window % PLACES] == i + 1) {
                try market.refundCommitment(b.window, b.who) {
                    _went("refundCommitment");
                } catch {}
            }
        }
    }

    function _misuseRights(uint256 seed) private {
        if (_parts.length == 0) return;
        uint256 k = seed % _parts.length;
        Part storage p = _parts[k];
        address other = _actor(seed >> 8);
        if (other != p.holder || !_isSplittable(k)) {
            vm.prank(other);
            try rights.split(p.id, 1) {
                _went("split");
            } catch {}
        }
        if (other != p.holder || p.state != State.Living) {
            vm.prank(other);
            try rights.transferFrom(p.holder, other, p.id) {
                _went("transfer");
            } catch {}
        }
        if (!_isPayable(k)) {
            vm.prank(other);
            try market.pay(p.id) {
                _went("pay");
            } catch {}
        }
        if (!_isDefaultable(k)) {
            try market.declareDefault(p.id) {
                _went("declareDefault");
            } catch {}
        }
    }

    /// @dev A replay, a reading with an old counter, one of the future, one signed by another meter, too much energy.
    function _misuseReadings(uint256 seed) private {
        uint256 device = 1 + seed % registry.deviceCount();
        uint256 key = _meterKey(_keys[_ownerOf[device]]);
        if (_lastReading[device].counter != 0) {
            Metering.Reading memory r = _lastReading[device];
            _tryReading(r, _lastSignature[device], "a replayed reading");
            r.counter = uint64(_counter[device] + 1);
            _tryReading(r, _signReading(r, key), "a second reading of a sub-slot");
        }
        for (uint256 i; i < _windows.length; ++i) {
            uint256 w = _windows[i];
            uint256 s = (seed >> 8) % 3;
            bool inTime = _now() >= _startsAt(w) + (s + 1) * SUB_SLOT && _now() < _startsAt(w) + LENGTH + GRACE
                && w * 3 + s + 1 > _position[device] && s >= _covered[w][device];
            Metering.Reading memory r = _reading(device, w, s, 10, _counter[device] + 1);
            if (!inTime) _tryReading(r, _signReading(r, key), "a reading early, late or out of order");
            _tryReading(r, _signReading(r, key + 1), "another meter's reading");
            r.counter += 1;
            _tryReading(r, _signReading(r, key), "a counter skipped by a stranger");
            r.counter = uint64(_counter[device]);
            _tryReading(r, _signReading(r, key), "an old counter");
            r.counter += 1;
            r.energy = uint48(SLOT_MOST + 1);
            _tryReading(r, _signReading(r, key), "more than the device can give");
        }
    }

    /// @dev The last voucher again; one that shrinks, runs ahead, is another meter's, or is opened wrongly.
    function _misuseVouchers(uint256 seed) private {
        uint256 device = 1 + seed % registry.deviceCount();
        uint256 key = _meterKey(_keys[_ownerOf[device]]);
        if (_lastVoucher[device].through != 0) {
            _tryVoucher(_lastVoucher[device], _lastVoucherSignature[device], "a replayed voucher");
        }
        for (uint256 i; i < _windows.length; ++i) {
            uint256 w = _windows[i];
            (uint256 covered, uint256 metered) = (_covered[w][device], _metered[w][device]);
            Metering.Voucher memory v = Metering.Voucher(uint32(device), uint32(w), uint16(covered), uint48(metered));
            _tryVoucher(v, _signVoucher(v, key), "a voucher that adds nothing");
            v.energy += 1;
            v.through = covered == 0 ? 0 : uint16(covered - 1);
            _tryVoucher(v, _signVoucher(v, key), "a voucher of fewer sub-slots");
            v.through = uint16(_endedSubSlots(w) + 1);
            _tryVoucher(v, _signVoucher(v, key), "a voucher early or late");
            if (v.through == 1 || v.through - 1 <= covered) continue;
            v.through -= 1;
            _tryVoucher(v, _signVoucher(v, key + 1), "another meter's voucher");
            v.energy = uint48(v.through * SLOT_MOST + 1);
            _tryVoucher(v, _signVoucher(v, key), "a voucher of more than the device can give");
            if (metered != 0) {
                v.energy = uint48(metered - 1);
                _tryVoucher(v, _signVoucher(v, key), "a voucher that shrinks");
            }
            _misuseSealed(device, w, v.through, key);
        }
    }

    function _misuseSealed(uint256 device, uint256 w, uint256 through, uint256 key) private {
        Metering.SealedVoucher memory s = _sealedVoucher(device, w, through, through * SLOT_MOST - 1);
        bytes memory signature = _signSealed(s, key);
        s.energy += 1;
        _trySealed(s, signature, "a sealed voucher opened with more");
        s.energy -= 1;
        s.blinder ^= 1;
        _trySealed(s, signature, "a sealed voucher opened with another blinder");
        s.blinder ^= 1;
        s.points[63] ^= 0x01;
        _trySealed(s, signature, "sealed sub-slots that were not signed");
    }

    function _trySealed(Metering.SealedVoucher memory s, bytes memory signature, string memory name) private {
        try delivery.openSealed(s, signature) {
            _went(name);
        } catch {}
    }

    function _tryVoucher(Metering.Voucher memory v, bytes memory signature, string memory name) private {
        try delivery.redeem(v, signature) {
            _went(name);
        } catch {}
    }

    function _tryReading(Metering.Reading memory r, bytes memory signature, string memory name) private {
        try delivery.submit(r, signature) {
            _went(name);
        } catch {}
    }

    function _misuseSettlement(uint256 seed) private {
        if (_parts.length == 0) return;
        uint256 k = seed % _parts.length;
        Part storage p = _parts[k];
        try delivery.settle(RightId.finalOf(p.id)) {
            _went("settle a final token");
        } catch {}
        if (!_isDrawable(k)) {
            try delivery.draw(p.id) {
                _went("draw");
            } catch {}
        }
        uint256 w = _bids[p.bid].window;
        vm.prank(p.holder);
        try market.payStream(w, p.holder, 1) {
            _went("payStream");
        } catch {}
        vm.prank(p.holder);
        try market.settleBuyer(w, p.holder, p.holder, 0, 1) {
            _went("settleBuyer");
        } catch {}
        vm.prank(p.holder);
        try rights.mint(p.holder, p.id + (1 << 200), 1) {
            _went("mint");
        } catch {}
    }

    /// @dev In time, but with fills or sellers outstanding; and once at any time.
    function _settleOutOfTurn() internal override {
        for (uint256 i; i < _parts.length; ++i) {
            if (_isSettleable(i) || !_isLiving(i)) continue;
            if (_phaseOfPart(i) != Calendar.Phase.Settlement && i != _steps % _parts.length) continue;
            try delivery.settle(_parts[i].id) {
                _went("settle");
            } catch {}
        }
    }

    function _misuseMoney(uint256 seed) private {
        address a = _actor(seed);
        vm.prank(a);
        try market.withdraw(a, _free[a] + 1) {
            _went("withdraw too much");
        } catch {}
        vm.prank(a);
        try market.withdraw(a, 0) {
            _went("withdraw nothing");
        } catch {}
        vm.prank(a);
        try market.sync(a, 3, type(uint40).max, 1, type(uint32).max, type(uint16).max, bytes32(0)) {
            _went("sync");
        } catch {}
    }

    function _went(string memory name) private {
        _accepted.push(name);
    }
}

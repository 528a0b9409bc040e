// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @title The market as plain records, in step with the contracts: who has what, and what each window took in and paid out.
/// @notice Written from the rules (§3, §5, §6), with every sum kept naively; it shares no code with the contracts. A step of
/// the handler changes the contracts and this model, and the invariants compare the two.
abstract contract Model is Fixture {
    /// @dev A commitment's life. One that was never opened in a cleared window is `Forfeited`, and holds its energy until it is
    /// ended or its place is used again. A replaced, withdrawn or ended one is `Gone`.
    enum Stage {
        Sealed,
        Opened,
        Claimed,
        Forfeited,
        Gone
    }

    struct Bid {
        uint256 window;
        address who;
        uint256 side;
        Stage stage;
        Bidding.Opening opening;
        uint256 point;
        bytes bid; // curve and offsets, once opened
        uint256 width; // Σ width
        uint256 alpha; // ppm, as it was at the commitment
        uint256 units; // of the battery's energy: the commitment's, then those of the fill
        uint256 locked; // bond, then max(bond, reserve)
        uint256 fill;
        uint256 deposit;
        uint256 freed; // what the claim gave back of what was locked
        uint256 claims; // accepted claims
        uint256 drawn; // by all its parts, in base units
    }

    enum State {
        Living,
        Settled,
        Defaulted
    }

    struct Part {
        uint256 id;
        uint256 bid;
        uint256 start;
        uint256 quantity;
        address holder;
        bool paid;
        uint256 drawn; // as recorded: at most one unit above its share
        State state;
        uint256 received; // by its holder at the settlement: compensation, or payment and share of forfeits
        uint256 released; // by the depositor at the settlement
    }

    struct Day {
        uint256 status; // as in the contracts: 0 none, 1 open, 2 traded, 3 no trade, 4 void
        uint256 rank; // of the latest phase seen
        uint256 sealedSellers; // not opened (all, until the window ends)
        uint256 sealedBuyers;
        uint256 openedSellers;
        uint256 openedBuyers;
        uint256 blinders; // Σ keccak256(r) of the openings
        uint256 seed;
        uint256 tick;
        uint256 volume;
        uint256 rationed; // side, 2 for none
        uint256 residual;
        uint256 total;
        uint256 pool;
        uint256 escrow;
        uint256 paid; // Wh
        uint256 forfeited;
        uint256 resolved; // Wh
        uint256 settled; // Wh
        uint256 tookIn;
        uint256 paidOut;
        uint256 shared; // the pool when the first buyer settled
        uint256 bonds; // forfeited
    }

    uint256 internal constant GRID = 64;
    uint256 internal constant TICK_SIZE = 100;
    uint256 internal constant ALPHA_SELLER = 200_000; // of a newcomer
    uint256 internal constant ALPHA_PROVEN = 50_000;
    uint256 internal constant GAIN = 500_000;
    uint256 internal constant LIMIT = 20_000; // Wh, Q_max of every device
    uint256 internal constant SLOT_MOST = 6667; // Wh, what a device can give in one sub-slot
    uint256 internal constant ALPHA_BUYER = 150_000;
    uint256 internal constant ETA = 950_000;
    uint256 internal constant TOLERANCE = 980_000;

    Bid[] internal _bids;
    Part[] internal _parts;
    mapping(uint256 window => Day) internal _days;
    mapping(uint256 window => uint256[]) internal _bidsOf;
    mapping(uint256 window => uint256[]) internal _partsOf;
    mapping(uint256 window => mapping(uint256 side => uint256[64])) internal _book;
    mapping(address account => uint256) internal _free;
    mapping(uint256 window => mapping(uint256 device => uint256)) internal _metered;
    mapping(uint256 window => mapping(uint256 device => uint256)) internal _covered; // sub-slots, from the window's first
    mapping(address account => uint256) internal _current; // its device
    mapping(address account => uint256) internal _energy; // what it may promise, in units
    mapping(address account => uint256) internal _certified; // its device's energy, in units
    mapping(address account => uint256) internal _record; // its device's reliability, ppm
    uint256 internal _treasuryIncome;

    // --------------------------------------------------------------------------------------------------------- clearing

    /// @dev §3 by trying every tick: the first minimiser, the volume there, and the cohort that is rationed.
    function _modelClear(uint256 w) internal {
        Day storage d = _days[w];
        d.seed = uint256(keccak256(abi.encode(w, d.blinders)));
        (uint256 tick, uint256 supply, uint256 above) = (0, _book[w][0][0], 0);
        uint256 demand;
        for (uint256 i; i < GRID; ++i) {
            demand += _book[w][1][i];
        }
        above = demand - _book[w][1][0];
        while (above > supply) {
            ++tick;
            supply += _book[w][0][tick];
            above -= _book[w][1][tick];
        }
        uint256 at = above + _book[w][1][tick];
        d.volume = supply < at ? supply : at;
        d.bonds = (d.sealedSellers + d.sealedBuyers) * BOND;
        if (d.volume == 0) {
            d.status = 3;
            _free[treasury] += d.bonds;
            _treasuryIncome += d.bonds;
            return;
        }
        (d.status, d.tick, d.rationed) = (2, tick, 2);
        if (d.volume < supply) {
            (d.rationed, d.total) = (SELL, _book[w][0][tick]);
            d.residual = d.volume - (supply - d.total);
        } else if (d.volume < at) {
            (d.rationed, d.total) = (BUY, _book[w][1][tick]);
            d.residual = d.volume - above;
        }
        d.pool = d.bonds;
        d.tookIn = d.bonds;
    }

    /// @dev A bid's fill, segment by segment.
    function _modelFill(uint256 index) internal view returns (uint256 fill) {
        Bid storage b = _bids[index];
        Day storage d = _days[b.window];
        if (d.volume == 0) return 0;
        bytes memory bid = b.bid;
        uint256 n = bid.length / 12;
        for (uint256 i; i < n; ++i) {
            uint256 tick = _number(bid, 6 * i, 2);
            uint256 width = _number(bid, 6 * i + 2, 4);
            if (tick == d.tick && b.side == d.rationed) {
                uint256 a = _number(bid, 6 * (n + i), 6);
                uint256 phi = d.seed % d.total;
                fill += ((a + width) * d.residual + phi) / d.total - (a * d.residual + phi) / d.total;
            } else if (tick == d.tick || (tick < d.tick) == (b.side == SELL)) {
                fill += width;
            }
        }
    }

    /// @dev Σ width of the segments at the price or better, and of those strictly better.
    function _modelRange(uint256 index) internal view returns (uint256 least, uint256 most) {
        Bid storage b = _bids[index];
        uint256 price = _days[b.window].tick;
        bytes memory bid = b.bid;
        for (uint256 i; i < bid.length / 12; ++i) {
            uint256 tick = _number(bid, 6 * i, 2);
            uint256 width = _number(bid, 6 * i + 2, 4);
            if (tick == price) most += width;
            else if ((tick < price) == (b.side == SELL)) (least, most) = (least + width, most + width);
        }
    }

    // ------------------------------------------------------------------------------------------------------------- money

    /// @dev max(bond, reserve), the reserve rounded up.
    function _modelLocked(Bid storage b) internal view returns (uint256 locked, uint256 quantity) {
        bytes memory curve = b.opening.curve;
        uint256 value;
        for (uint256 i; i < curve.length; i += 6) {
            uint256 width = _number(curve, i + 2, 4);
            quantity += width;
            // What is bid at tick 0 counts as if at tick 1.
            uint256 tick = _number(curve, i, 2);
            value += width * (tick == 0 ? 1 : tick);
        }
        locked = _modelDeposit(b.alpha, b.side == SELL ? quantity * (GRID - 1) : value);
        if (locked < BOND) locked = BOND;
    }

    function _modelDeposit(uint256 alpha, uint256 whTicks) internal pure returns (uint256) {
        return _up(alpha * whTicks * TICK_SIZE, 1e9);
    }

    /// @dev The coefficient that a commitment of the account would bind now: a part of the newcomer's for its record.
    function _modelAlpha(address a, uint256 side) internal view returns (uint256) {
        if (side == BUY) return ALPHA_BUYER;
        return ALPHA_SELLER - (ALPHA_SELLER - ALPHA_PROVEN) * _record[a] / 1e6;
    }

    /// @dev The part [start, start + quantity) of a bid's deposit.
    function _modelPart(Part storage p, uint256 tick) internal view returns (uint256) {
        uint256 alpha = _bids[p.bid].alpha;
        return _modelDeposit(alpha, (p.start + p.quantity) * tick) - _modelDeposit(alpha, p.start * tick);
    }

    function _modelPayment(uint256 wh, uint256 tick) internal pure returns (uint256) {
        return _up(wh * tick * TICK_SIZE, 1000);
    }

    /// @dev Q_eff of a whole bid.
    function _modelObligation(uint256 bid) internal view returns (uint256) {
        Day storage d = _days[_bids[bid].window];
        return _bids[bid].fill * d.paid / d.volume;
    }

    /// @dev What a whole bid has earned: min(λ·Σu/η, λ·Q_eff).
    function _modelEarned(uint256 bid) internal view returns (uint256) {
        Bid storage b = _bids[bid];
        uint256 price = _days[b.window].tick * TICK_SIZE;
        uint256 metered = _metered[b.window][uint32(b.opening.terms)] * price * 1e6 / (ETA * 1000);
        uint256 cap = _modelObligation(bid) * price / 1000;
        return metered < cap ? metered : cap;
    }

    function _modelEntitlement(Part storage p) internal view returns (uint256) {
        return _modelEarned(p.bid) * p.quantity / _bids[p.bid].fill;
    }

    function _modelUndrawn(Part storage p) internal view returns (uint256) {
        uint256 e = _modelEntitlement(p);
        return e > p.drawn ? e - p.drawn : 0;
    }

    /// @dev ρ in ppm.
    function _modelFulfilment(uint256 bid) internal view returns (uint256) {
        uint256 obligation = _modelObligation(bid);
        if (obligation == 0) return 1e6;
        Bid storage b = _bids[bid];
        uint256 ratio = _metered[b.window][uint32(b.opening.terms)] * 1e12 / (ETA * obligation);
        return ratio < 1e6 ? ratio : 1e6;
    }

    // ------------------------------------------------------------------------------------------------------------ energy

    /// @dev What the account has promised, counted anew from its bids and living rights.
    function _modelPromised(address a) internal view returns (uint256 sum) {
        for (uint256 i; i < _bids.length; ++i) {
            Bid storage b = _bids[i];
            if (b.who == a && b.stage != Stage.Claimed && b.stage != Stage.Gone) sum += b.units;
        }
        for (uint256 k; k < _parts.length; ++k) {
            Part storage p = _parts[k];
            Bid storage b = _bids[p.bid];
            if (b.who != a || p.state != State.Living) continue;
            sum += _up(b.units * (p.start + p.quantity), b.fill) - _up(b.units * p.start, b.fill);
        }
    }

    /// @dev r ← r(1 − w) + ρw, with w the gain's share of what was owed of Q_max.
    function _modelRecord(uint256 bid) internal {
        Bid storage b = _bids[bid];
        if (_current[b.who] != uint32(b.opening.terms)) return;
        uint256 weight = GAIN * _modelObligation(bid) / LIMIT;
        _record[b.who] = (_record[b.who] * (1e6 - weight) + _modelFulfilment(bid) * weight) / 1e6;
    }

    // ----------------------------------------------------------------------------------------------------- moving money

    /// @dev Money enters a window's pool.
    function _poolIn(Day storage d, uint256 amount) internal {
        d.pool += amount;
        d.tookIn += amount;
    }

    function _poolOut(Day storage d, uint256 amount, address to) internal {
        d.pool -= amount;
        d.paidOut += amount;
        _free[to] += amount;
    }

    function _escrowOut(Day storage d, uint256 amount, address to) internal {
        d.escrow -= amount;
        d.paidOut += amount;
        _free[to] += amount;
    }

    /// @dev A buyer's deposit becomes the sellers' to share.
    function _modelDefault(uint256 w, uint256 deposit, uint256 quantity) internal {
        Day storage d = _days[w];
        d.escrow -= deposit;
        d.pool += deposit;
        d.forfeited += deposit;
        d.resolved += quantity;
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _number(bytes memory data, uint256 at, uint256 size) internal pure returns (uint256 value) {
        for (uint256 i; i < size; ++i) {
            value = (value << 8) | uint8(data[at + i]);
        }
    }

    function _up(uint256 a, uint256 b) internal pure returns (uint256) {
        return (a + b - 1) / b;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Delivery} from "../../src/Delivery.sol";
import {Issue} from "../../src/Issue.sol";
import {Metering} from "../../src/Metering.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {SealedPoints} from "../delivery/SealedPoints.sol";
import {Seal} from "../utils/Seal.sol";
import {Model} from "./Model.sol";

/// @title Every step of the market, taken by the contracts and by the model alike. The caller chose a step that is allowed.
abstract contract Steps is Model {
    uint256 internal constant LENGTH = 900;
    uint256 internal constant SUB_SLOT = 300;
    uint256 internal constant COMMIT_LEAD = 1500;
    uint256 internal constant REVEAL_LEAD = 900;
    uint256 internal constant PAYMENT_LEAD = 300;
    uint256 internal constant GRACE = 300;
    uint256 internal constant VOID_DELAY = 300;
    uint256 internal constant PLACES = 4;
    uint256 internal constant ACTORS = 10;
    uint256 internal constant WITH_DEVICE = 5;

    address[] internal _actors_;
    mapping(address account => uint256) internal _keys;
    uint256[] internal _windows; // every window that was opened, in order
    mapping(address account => mapping(uint256 place => uint256 bidPlusOne)) internal _latest;

    mapping(uint256 device => uint256) internal _counter;
    mapping(uint256 device => uint256) internal _position;
    mapping(uint256 device => Metering.Reading) internal _lastReading;
    mapping(uint256 device => bytes) internal _lastSignature;
    mapping(uint256 device => Metering.Voucher) internal _lastVoucher;
    mapping(uint256 device => bytes) internal _lastVoucherSignature;
    mapping(uint256 device => address) internal _ownerOf;

    function _parameters() internal pure virtual override returns (Calendar.Parameters memory p) {
        p = super._parameters();
        p.length = uint32(LENGTH);
        p.subSlot = uint32(SUB_SLOT);
        p.commitLead = uint32(COMMIT_LEAD);
        p.revealLead = uint32(REVEAL_LEAD);
        p.paymentLead = uint32(PAYMENT_LEAD);
        p.readingGrace = uint32(GRACE);
        p.voidDelay = uint32(VOID_DELAY);
        p.ring = uint32(PLACES);
        p.alphaSeller = uint32(ALPHA_SELLER);
        p.alphaBuyer = uint32(ALPHA_BUYER);
        p.alphaProven = uint32(ALPHA_PROVEN);
        p.reliabilityGain = uint32(GAIN);
    }

    /// @dev Ten actors with modest balances, so that reserves and payments sometimes exceed them; five have devices.
    function _cast() internal {
        // Three deadlines before the first window's commitments close.
        vm.warp(ORIGIN - COMMIT_LEAD - 3 * SUB_SLOT);
        for (uint256 i; i < ACTORS; ++i) {
            (address a, uint256 key) = makeAddrAndKey(string.concat("actor", vm.toString(i)));
            _actors_.push(a);
            _keys[a] = key;
            token.mint(a, FUNDS);
            vm.prank(a);
            token.approve(address(market), FUNDS);
            _stepDeposit(a, 6000 - 200 * i);
            if (i >= WITH_DEVICE) continue;
            _stepDevice(a, 4 * LIMIT);
            // A campaign is too short to build a record and sell by it: three of the five have one to begin with.
            if (i < 3) {
                _record[a] = 1e6 - 313_131 * i;
                _setReliability(a, _record[a]);
            }
        }
    }

    // ---------------------------------------------------------------------------------------------------- time and phases

    function _now() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function _startsAt(uint256 w) internal pure returns (uint256) {
        return ORIGIN + w * LENGTH;
    }

    /// @dev The phase that the rules give the window now.
    function _modelPhase(uint256 w) internal view returns (Calendar.Phase) {
        (uint256 t, uint256 start, uint256 status) = (_now(), _startsAt(w), _days[w].status);
        if (status == 0) return Calendar.Phase.NotOpen;
        if (status == 3) return Calendar.Phase.NoTrade;
        if (status == 4) return Calendar.Phase.Void;
        if (status == 1) {
            if (t + COMMIT_LEAD < start) return Calendar.Phase.Commit;
            if (t + REVEAL_LEAD < start) return Calendar.Phase.Reveal;
            return t + REVEAL_LEAD < start + VOID_DELAY ? Calendar.Phase.Clearing : Calendar.Phase.Lapsed;
        }
        if (t + PAYMENT_LEAD < start) return Calendar.Phase.Payment;
        return t < start + LENGTH + GRACE ? Calendar.Phase.Delivery : Calendar.Phase.Settlement;
    }

    // -------------------------------------------------------------------------------------------------------------- vault

    function _stepDeposit(address a, uint256 amount) internal {
        vm.prank(a);
        market.deposit(amount);
        _free[a] += amount;
    }

    function _stepWithdraw(address a, address to, uint256 amount) internal {
        vm.prank(a);
        market.withdraw(to, amount);
        _free[a] -= amount;
    }

    /// @dev A device of `usable` Wh, LIMIT of them a window; the account's record starts anew, its promises stay, and until they
    /// are over there are no new ones.
    function _stepDevice(address a, uint256 usable) internal {
        uint256 device = _device(_certificate(a, _keys[a], uint32(usable), 80_000));
        _ownerOf[device] = a;
        (_current[a], _record[a], _certified[a], _energy[a]) = (device, 0, 64 * usable / LIMIT, 0);
        _takeCapacity(a);
    }

    function _stepRefresh(address a) internal {
        registry.refresh(a);
        _takeCapacity(a);
    }

    function _takeCapacity(address a) private {
        if (_modelPromised(a) == 0) _energy[a] = _certified[a];
    }

    // ------------------------------------------------------------------------------------------------------------ bidding

    function _stepOpen(uint256 w) internal {
        market.open(w, 1);
        _windows.push(w);
        _days[w].status = 1;
    }

    /// @dev Commits, or replaces what the account has in the window.
    function _stepCommit(uint256 w, address a, uint256 side, uint256 units, bytes memory curve) internal {
        Bidding.Opening memory o = _commitUnits(w, a, units, curve);
        Day storage d = _days[w];
        uint256 latest = _latest[a][w % PLACES];
        if (latest != 0 && _bids[latest - 1].window == w && _bids[latest - 1].stage == Stage.Sealed) {
            _unseal(latest - 1);
        } else {
            _free[a] -= BOND;
            if (latest != 0 && _bids[latest - 1].stage == Stage.Forfeited) _bids[latest - 1].stage = Stage.Gone;
        }
        if (side == SELL) ++d.sealedSellers;
        else ++d.sealedBuyers;
        _bidsOf[w].push(_bids.length);
        Bid storage b = _bids.push();
        (b.window, b.who, b.side, b.stage, b.locked) = (w, a, side, Stage.Sealed, BOND);
        b.opening = o;
        (b.alpha, b.units) = (_modelAlpha(a, side), units);
        if (side == SELL) assertLe(_modelPromised(a), _energy[a], "sold beyond the battery");
        b.point = Seal.point(address(market), o, side);
        _latest[a][w % PLACES] = _bids.length;
    }

    function _stepWithdrawCommitment(uint256 i) internal {
        Bid storage b = _bids[i];
        vm.prank(b.who);
        market.withdrawCommitment(b.window);
        _unseal(i);
        _free[b.who] += BOND;
    }

    function _unseal(uint256 i) internal {
        Bid storage b = _bids[i];
        b.stage = Stage.Gone;
        if (b.side == SELL) --_days[b.window].sealedSellers;
        else --_days[b.window].sealedBuyers;
    }

    /// @dev Whether the account's free balance covers what the opening locks beyond the bond.
    function _affordable(uint256 i) internal view returns (bool) {
        (uint256 locked,) = _modelLocked(_bids[i]);
        return _free[_bids[i].who] >= locked - BOND;
    }

    /// @dev The event's bid must be the curve and the offsets that the model's book gives.
    function _stepReveal(uint256 i) internal {
        Issue.Claim memory c = _reveal(_bids[i].opening);
        _opened(i);
        assertEq(keccak256(c.bid), keccak256(_bids[i].bid), "offsets");
    }

    function _opened(uint256 i) internal {
        Bid storage b = _bids[i];
        Day storage d = _days[b.window];
        (b.locked, b.width) = _modelLocked(b);
        _free[b.who] -= b.locked - BOND;
        b.stage = Stage.Opened;
        if (b.side == SELL) (--d.sealedSellers, ++d.openedSellers);
        else (--d.sealedBuyers, ++d.openedBuyers);
        unchecked {
            d.blinders += uint256(keccak256(abi.encode(b.opening.blinder)));
        }
        b.bid = bytes.concat(b.opening.curve, _enterBook(b.window, b.side, b.opening.curve));
    }

    function _enterBook(uint256 w, uint256 side, bytes memory curve) private returns (bytes memory offsets) {
        for (uint256 at; at < curve.length; at += 6) {
            uint256 tick = _number(curve, at, 2);
            offsets = bytes.concat(offsets, bytes6(uint48(_book[w][side][tick])));
            _book[w][side][tick] += _number(curve, at + 2, 4);
        }
    }

    function _stepClear(uint256 w) internal {
        market.clear(w);
        _modelClear(w);
        for (uint256 k; k < _bidsOf[w].length; ++k) {
            Bid storage b = _bids[_bidsOf[w][k]];
            if (b.stage == Stage.Sealed) b.stage = Stage.Forfeited;
        }
    }

    function _stepVoid(uint256 w) internal {
        market.voidWindow(w);
        _days[w].status = 4;
    }

    // -------------------------------------------------------------------------------------------------------------- issue

    function _claimOf(uint256 i) internal view returns (Issue.Claim memory) {
        Bid storage b = _bids[i];
        return Issue.Claim(uint32(b.window), b.who, b.opening.terms, b.bid);
    }

    function _stepClaim(uint256 i) internal {
        market.claim(_claimOf(i));
        _claimed(i);
    }

    function _claimed(uint256 i) internal {
        Bid storage b = _bids[i];
        Day storage d = _days[b.window];
        b.stage = Stage.Claimed;
        ++b.claims;
        b.fill = d.status == 2 ? _modelFill(i) : 0;
        if (b.fill == 0) {
            b.freed = b.locked;
            _free[b.who] += b.locked;
            return;
        }
        b.deposit = _modelDeposit(b.alpha, b.fill * d.tick);
        b.units = b.side == SELL ? _up(b.fill * 64, LIMIT) : 0;
        b.freed = b.locked - b.deposit;
        _free[b.who] += b.freed;
        d.escrow += b.deposit;
        d.tookIn += b.deposit;
        uint256 bonds = BOND * (b.side == SELL ? d.sealedBuyers : d.sealedSellers);
        _poolOut(d, bonds * b.fill / d.volume, b.who);
        if (b.side == BUY && _modelPhase(b.window) != Calendar.Phase.Payment) {
            _modelDefault(b.window, b.deposit, b.fill);
            return;
        }
        Part storage p = _parts.push();
        _partsOf[b.window].push(_parts.length - 1);
        (p.id, p.bid, p.quantity, p.holder) = (RightId.make(b.window, b.side, b.who, 0), i, b.fill, b.who);
        if (b.side == SELL) (p.paid, d.resolved) = (true, d.resolved + b.fill);
        else if (_free[b.who] >= _modelPayment(b.fill, d.tick)) _paid(p, b.who);
    }

    function _paid(Part storage p, address payer) private {
        Day storage d = _days[_bids[p.bid].window];
        uint256 payment = _modelPayment(p.quantity, d.tick);
        _free[payer] -= payment;
        _poolIn(d, payment);
        d.paid += p.quantity;
        d.resolved += p.quantity;
        p.paid = true;
    }

    function _stepPay(uint256 k, address payer) internal {
        vm.prank(payer);
        market.pay(_parts[k].id);
        _paid(_parts[k], payer);
    }

    function _stepDefault(uint256 k) internal {
        Part storage p = _parts[k];
        market.declareDefault(p.id);
        _modelDefault(_bids[p.bid].window, _bids[p.bid].deposit, p.quantity);
        p.state = State.Defaulted;
    }

    /// @dev The bond comes back in a void window; the energy in any.
    function _stepRefund(uint256 i) internal {
        Bid storage b = _bids[i];
        market.refundCommitment(b.window, b.who);
        if (b.stage == Stage.Sealed) _free[b.who] += BOND;
        b.stage = Stage.Gone;
    }

    // ------------------------------------------------------------------------------------------------------------- rights

    function _stepTransfer(uint256 k, address to) internal {
        Part storage p = _parts[k];
        vm.prank(p.holder);
        rights.transferFrom(p.holder, to, p.id);
        p.holder = to;
    }

    function _stepSplit(uint256 k, uint256 quantity) internal {
        Part storage p = _parts[k];
        vm.prank(p.holder);
        uint256 id = rights.split(p.id, quantity);
        Part storage q = _parts.push();
        _partsOf[_bids[p.bid].window].push(_parts.length - 1);
        (q.id, q.bid, q.start, q.quantity) = (id, p.bid, p.start + quantity, p.quantity - quantity);
        (q.holder, q.paid) = (p.holder, true);
        // Each part records its share of what was drawn, rounded up.
        q.drawn = (p.drawn * q.quantity + p.quantity - 1) / p.quantity;
        p.drawn = (p.drawn * quantity + p.quantity - 1) / p.quantity;
        p.quantity = quantity;
    }

    // ----------------------------------------------------------------------------------------------------------- delivery

    function _stepRead(uint256 device, uint256 w, uint256 subSlot, uint256 energy) internal {
        Metering.Reading memory r = _reading(device, w, subSlot, energy, _counter[device] + 1 + energy % 3);
        bytes memory signature = _signReading(r, _meterKey(_keys[_ownerOf[device]]));
        // Only the owner and the meter itself may skip a counter.
        if (energy % 3 != 0) vm.prank(_ownerOf[device]);
        delivery.submit(r, signature);
        _metered[w][device] += energy;
        _covered[w][device] = subSlot + 1;
        (_counter[device], _position[device]) = (r.counter, w * (LENGTH / SUB_SLOT) + subSlot + 1);
        (_lastReading[device], _lastSignature[device]) = (r, signature);
    }

    /// @dev A voucher of all sub-slots before `through`; what it adds is counted.
    function _stepRedeem(uint256 device, uint256 w, uint256 through, uint256 energy) internal {
        Metering.Voucher memory v = Metering.Voucher(uint32(device), uint32(w), uint16(through), uint48(energy));
        bytes memory signature = _signVoucher(v, _meterKey(_keys[_ownerOf[device]]));
        delivery.redeem(v, signature);
        (_lastVoucher[device], _lastVoucherSignature[device]) = (v, signature);
        _counted(device, w, through, energy);
    }

    /// @dev The same, sealed: all but the last sub-slot a third of the energy, the last the rest.
    function _stepOpenSealed(uint256 device, uint256 w, uint256 through, uint256 energy) internal {
        Metering.SealedVoucher memory s = _sealedVoucher(device, w, through, energy);
        delivery.openSealed(s, _signSealed(s, _meterKey(_keys[_ownerOf[device]])));
        _counted(device, w, through, energy);
    }

    function _sealedVoucher(uint256 device, uint256 w, uint256 through, uint256 energy)
        internal
        view
        returns (Metering.SealedVoucher memory s)
    {
        uint256[] memory profile = new uint256[](through);
        for (uint256 i; i < through; ++i) {
            profile[i] = i + 1 < through ? energy / 3 : energy - (through - 1) * (energy / 3);
        }
        (s.device, s.window, s.through) = (uint32(device), uint32(w), uint16(through));
        (uint256 sum, uint256 blinder, bytes memory points) = SealedPoints.seal(profile, w);
        (s.energy, s.blinder, s.points) = (uint48(sum), blinder, points);
    }

    function _counted(uint256 device, uint256 w, uint256 through, uint256 energy) private {
        assertGe(energy, _metered[w][device], "what is counted only grows");
        (_metered[w][device], _covered[w][device]) = (energy, through);
    }

    function _signVoucher(Metering.Voucher memory v, uint256 meterKey) internal view returns (bytes memory) {
        bytes32 typeHash = keccak256("Voucher(uint32 device,uint32 window,uint16 through,uint48 energy)");
        return _sign(meterKey, address(delivery), "Stowatt Delivery", keccak256(abi.encode(typeHash, v)));
    }

    function _signSealed(Metering.SealedVoucher memory s, uint256 meterKey) internal view returns (bytes memory) {
        bytes32 typeHash = keccak256("SealedVoucher(uint32 device,uint32 window,uint16 through,bytes32 points)");
        bytes32 structHash = keccak256(abi.encode(typeHash, s.device, s.window, s.through, keccak256(s.points)));
        return _sign(meterKey, address(delivery), "Stowatt Delivery", structHash);
    }

    function _stepDraw(uint256 k) internal {
        Part storage p = _parts[k];
        uint256 amount = _modelUndrawn(p);
        assertEq(delivery.draw(p.id), amount, "draw");
        p.drawn += amount;
        _bids[p.bid].drawn += amount;
        _poolOut(_days[_bids[p.bid].window], amount, p.holder);
    }

    function _stepSettle(uint256 k) internal {
        delivery.settle(_parts[k].id);
        _settled(k);
    }

    function _settled(uint256 k) internal {
        if (_bids[_parts[k].bid].side == SELL) _settledSeller(_parts[k]);
        else _settledBuyer(_parts[k]);
    }

    function _settledSeller(Part storage p) private {
        Bid storage b = _bids[p.bid];
        Day storage d = _days[b.window];
        uint256 ratio = _modelFulfilment(p.bid);
        uint256 earned = _modelUndrawn(p);
        uint256 deposit = _modelPart(p, d.tick);
        p.released = ratio >= TOLERANCE ? deposit : deposit * ratio / 1e6;
        p.received = earned + d.forfeited * p.quantity / d.volume;
        p.state = State.Settled;
        b.drawn += earned;
        // Counted once a bid, with its first part.
        if (p.start == 0) _modelRecord(p.bid);
        d.settled += p.quantity;
        _poolOut(d, p.received, p.holder);
        _escrowOut(d, p.released, b.who);
        d.escrow -= deposit - p.released;
        d.pool += deposit - p.released;
        if (d.settled == d.volume && d.paid == 0) {
            _treasuryIncome += d.pool;
            _poolOut(d, d.pool, treasury);
        }
    }

    function _settledBuyer(Part storage p) private {
        Bid storage b = _bids[p.bid];
        Day storage d = _days[b.window];
        uint256 before = d.settled - d.volume;
        if (before == 0) d.shared = d.pool;
        p.received = d.shared * (before + p.quantity) / d.paid - d.shared * before / d.paid;
        p.released = _modelPart(p, d.tick);
        p.state = State.Settled;
        d.settled += p.quantity;
        _poolOut(d, p.received, p.holder);
        _escrowOut(d, p.released, b.who);
    }
}

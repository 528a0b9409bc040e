// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Metering} from "../../src/Metering.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {EvidenceFixture} from "./EvidenceFixture.sol";

/// @notice One random window, four ways: readings drawn on as they come (stream), vouchers, sealed vouchers (private), and
/// readings in one batch at the end (open). Every account ends with the same word, to the unit; and no unit appears or is
/// lost at any step.
/// @dev A run is one market with random parameters, and EVIDENCE_WINDOWS random windows of it; `make evidence` takes 625
/// markets of 16 windows, 10,000 in all.
contract EvidenceFormsTest is EvidenceFixture {
    uint256 private constant STREAM = 0;
    uint256 private constant VOUCHER = 1;
    uint256 private constant PRIVATE = 2;
    uint256 private constant OPEN = 3;

    uint256 private _seed;
    uint256 private _slots; // sub-slots of the window
    uint256[] private _ofSellers;
    uint256[] private _ofBuyers;
    uint256[] private _unpaid;
    uint256[2] private _filled; // Wh by device
    address[6] private _accounts;

    /// @dev What a settlement leaves behind.
    struct Outcome {
        uint256[6] accounts; // whole words: balance, promised energy and reliability
        bytes32 tokens; // final tokens with their holders and records
    }

    function setUp() public override {
        _actors();
        _accounts = [seller, seller2, buyer, buyer2, stranger, treasury];
    }

    /// when a window is settled by any form of evidence > all accounts and final tokens are the same, and pools are empty
    function testFuzz_StreamVoucherPrivateAndOpenPayTheSame(uint256 seed) external {
        _seed = seed;
        _market();
        uint256 fresh = vm.snapshotState();
        uint256 windows = vm.envOr("EVIDENCE_WINDOWS", uint256(1));
        for (uint256 i; i < windows; ++i) {
            _seed = uint256(keccak256(abi.encode(seed, i)));
            _fourWays();
            vm.revertToState(fresh);
        }
    }

    function _fourWays() private {
        _trade();
        _split();
        uint256 before = vm.snapshotState();
        Outcome memory wanted;
        for (uint256 form; form < 4; ++form) {
            _evidence(form);
            Outcome memory o = _settled();
            if (form == 0) wanted = o;
            for (uint256 i; i < 6; ++i) {
                assertEq(uint96(o.accounts[i]), uint96(wanted.accounts[i]), "balance");
                assertEq(o.accounts[i], wanted.accounts[i], "account");
            }
            assertEq(o.tokens, wanted.tokens, "final tokens");
            vm.revertToState(before);
        }
    }

    // --------------------------------------------------------------------------------------------------------- the scene

    /// @dev A market with parameters of its own, two sellers and two buyers.
    function _market() private {
        Calendar.Parameters memory p = _parameters();
        p.subSlot = uint32(900 / [uint256(1), 2, 3, 5][_random("sub-slots", 0, 3)]);
        p.tickSize = uint96(_random("tick size", 1, 1e6));
        p.priceRule = uint8(_random("price rule", 0, 2));
        p.rationing = uint8(_random("rationing", 0, 1));
        p.bond = uint96(_random("bond", 0, 1000));
        p.alphaSeller = uint32(_random("alpha seller", 1, 1e6));
        p.alphaProven = uint32(_random("alpha proven", 1, p.alphaSeller));
        p.reliabilityGain = uint32(_random("gain", 0, 1e6));
        p.alphaBuyer = uint32(_random("alpha buyer", 1, 1e6));
        p.efficiency = uint32(_random("efficiency", 500_000, 1e6));
        p.tolerance = uint32(_random("tolerance", 1, 1e6));
        _slots = p.length / p.subSlot;
        _deploy(p, false);
        _enrol();
    }

    /// @dev Two asks, two bids, the clearing, all claims. A buyer whose balance is gone ends in default.
    function _trade() private {
        _open(W);
        Bidding.Opening[4] memory o;
        o[0] = _commit(W, seller, SELL, _one(_random("ask", 0, 30), _random("offer", 1, 15_000)));
        o[1] = _commit(W, seller2, SELL, _one(_random("ask 2", 0, 30), _random("offer 2", 1, 15_000)));
        o[2] = _commit(W, buyer, BUY, _one(_random("bid", 31, 63), _random("demand", 1, 15_000)));
        o[3] = _commit(W, buyer2, BUY, _one(_random("bid 2", 31, 63), _random("demand 2", 1, 15_000)));
        _toReveal(W);
        Issue.Claim[] memory claims = new Issue.Claim[](4);
        for (uint256 i; i < 4; ++i) {
            claims[i] = _reveal(o[i]);
        }
        market.clear(W);
        if (_random("default", 0, 3) == 0) _drain(buyer, 0);
        if (_random("default 2", 0, 3) == 0) _drain(buyer2, 0);
        market.claimMany(claims);
        for (uint256 i; i < 4; ++i) {
            _note(_right(W, i / 2, claims[i].participant), i);
        }
        _assertAll();
    }

    /// @dev Notes a right, if the bid was filled.
    function _note(uint256 id, uint256 i) private {
        try rights.quantityAndPaid(id) returns (uint256 quantity, bool paid) {
            if (i < 2) {
                _filled[i] = quantity;
                _ofSellers.push(id);
            } else if (paid) {
                _ofBuyers.push(id);
            } else {
                _unpaid.push(id);
            }
        } catch {}
    }

    /// @dev Some rights are split before the delivery, and some parts sold.
    function _split() private {
        _splitSome(_ofSellers);
        _splitSome(_ofBuyers);
    }

    function _splitSome(uint256[] storage ids) private {
        uint256 n = ids.length;
        for (uint256 i; i < n; ++i) {
            (uint256 quantity,) = rights.quantityAndPaid(ids[i]);
            if (quantity < 2 || _flip("split", ids[i], 0)) continue;
            address holder = rights.ownerOf(ids[i]);
            vm.startPrank(holder);
            uint256 part = rights.split(ids[i], _random("cut", 1, quantity - 1));
            if (_random("sold", 0, 1) == 0) rights.transferFrom(holder, stranger, part);
            vm.stopPrank();
            ids.push(part);
        }
    }

    // ------------------------------------------------------------------------------------------------------ the evidence

    function _evidence(uint256 form) private {
        if (form == OPEN) return _batch();
        for (uint256 through = 1; through <= _slots; ++through) {
            vm.warp(_start(W) + through * (900 / _slots) + _random("delay", 0, 599) % (900 / _slots));
            for (uint256 d; d < 2; ++d) {
                if (form == STREAM) _stream(d, through);
                // vouchers are lost on their way, but the last
                else if (through == _slots || _flip("lost", form, through)) _sum(form, d, through);
            }
            _assertAll();
            if (_flip("drawn", form, through)) _draw();
        }
    }

    function _stream(uint256 d, uint256 through) private {
        Metering.Reading memory r = _reading(d + 1, W, through - 1, _energy(d, through - 1), through);
        delivery.submit(r, _signReading(r, _meterOf(d)));
    }

    function _sum(uint256 form, uint256 d, uint256 through) private {
        uint256[] memory u = new uint256[](through);
        uint256 energy;
        for (uint256 i; i < through; ++i) {
            u[i] = _energy(d, i);
            energy += u[i];
        }
        if (form == VOUCHER) {
            Metering.Voucher memory v = _voucher(d + 1, W, through, energy);
            delivery.redeem(v, _signVoucher(v, _meterOf(d)));
        } else {
            Metering.SealedVoucher memory s = _sealed(d + 1, W, u, _seed % 2 ** 128 + d);
            delivery.openSealed(s, _signSealed(s, _meterOf(d)));
        }
    }

    function _batch() private {
        Metering.Reading[] memory readings = new Metering.Reading[](2 * _slots);
        bytes[] memory signatures = new bytes[](2 * _slots);
        for (uint256 i; i < 2 * _slots; ++i) {
            uint256 slot = i / 2;
            readings[i] = _reading(i % 2 + 1, W, slot, _energy(i % 2, slot), slot + 1);
            signatures[i] = _signReading(readings[i], _meterOf(i % 2));
        }
        vm.warp(_end(W) + _random("late", 0, 599));
        assertEq(delivery.submitMany(readings, signatures), 2 * _slots, "readings");
        _assertAll();
    }

    function _draw() private {
        for (uint256 i; i < _ofSellers.length; ++i) {
            delivery.draw(_ofSellers[i]);
            _assertAll();
        }
    }

    /// @dev What device `d` discharges in a sub-slot: around its share of what it sold, or nothing, or all that it can.
    function _energy(uint256 d, uint256 slot) private view returns (uint256) {
        uint256 most = (uint256(80_000) * (900 / _slots) + 3599) / 3600;
        uint256 random = uint256(keccak256(abi.encode(_seed, "energy", d, slot)));
        if (random % 16 == 0) return 0;
        if (random % 16 == 1) return most;
        uint256 u = (random >> 8) % (2 * _filled[d] / _slots + 2);
        return u < most ? u : most;
    }

    // ---------------------------------------------------------------------------------------------------- the settlement

    function _settled() private returns (Outcome memory o) {
        vm.warp(_readingsClose(W));
        for (uint256 i; i < _unpaid.length; ++i) {
            market.declareDefault(_unpaid[i]);
            _assertAll();
        }
        _settleAll(_ofSellers);
        _settleAll(_ofBuyers);
        (uint256 pool, uint256 escrow,,) = market.moneyOf(W);
        assertEq(pool + escrow, 0, "nothing stays in the window");
        for (uint256 i; i < 6; ++i) {
            o.accounts[i] = market.accountOf(_accounts[i]);
        }
        o.tokens = keccak256(abi.encode(_records(_ofSellers), _records(_ofBuyers)));
    }

    function _settleAll(uint256[] storage ids) private {
        for (uint256 i; i < ids.length; ++i) {
            delivery.settle(ids[i]);
            _assertAll();
        }
    }

    function _records(uint256[] storage ids) private view returns (bytes memory out) {
        for (uint256 i; i < ids.length; ++i) {
            uint256 id = RightId.finalOf(ids[i]);
            out = bytes.concat(out, abi.encode(id, rights.ownerOf(id), rights.settlementOf(id)));
        }
    }

    // ----------------------------------------------------------------------------------------------------------- helpers

    /// @dev Balances, pool and escrow make up the market's tokens: nothing is locked in a bid any more.
    function _assertAll() private view {
        (uint256 sum, uint256 escrow,,) = market.moneyOf(W);
        sum += escrow;
        for (uint256 i; i < 6; ++i) {
            sum += market.balanceOf(_accounts[i]);
        }
        assertEq(sum, token.balanceOf(address(market)), "conservation");
    }

    function _meterOf(uint256 d) private view returns (uint256) {
        return _meterKey(d == 0 ? sellerKey : seller2Key);
    }

    function _random(string memory what, uint256 lowest, uint256 highest) private view returns (uint256) {
        return bound(uint256(keccak256(abi.encode(_seed, what))), lowest, highest);
    }

    function _flip(string memory what, uint256 a, uint256 b) private view returns (bool) {
        return uint256(keccak256(abi.encode(_seed, what, a, b))) % 2 == 0;
    }
}

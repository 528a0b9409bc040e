// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Clearing} from "../../src/Clearing.sol";
import {Issue} from "../../src/Issue.sol";
import {BookModel} from "../utils/BookModel.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Seal} from "../utils/Seal.sol";

/// @title Random sealed books through the whole market, against the definitions of §3 by brute force.
/// @notice Twelve accounts, a grid of ten ticks, small widths: ties, balanced books, flat intervals, one-sided and empty
/// books are all common. Each test is one property; the concrete contracts are the price and rationing rules.
/// forge-config: default.fuzz.runs = 24
abstract contract ClearingFixture is Fixture {
    struct Placed {
        address account;
        uint256 side;
        bytes curve;
        uint256 fill;
        Issue.Claim claim;
    }

    uint256 private constant ACCOUNTS = 12;
    uint256 private constant TICKS = 10;

    BookModel private model;
    Placed[] private placed;
    Clearing.Outcome private outcome;
    bool private traded;

    /// @dev The rules under test: price and rationing.
    function _rules() internal pure virtual returns (uint8 price, uint8 rationing);

    function setUp() public override {
        _actors();
        Calendar.Parameters memory p = _parameters();
        (p.priceRule, p.rationing) = _rules();
        p.ticks = uint16(TICKS);
        _deployOpen(p);
        for (uint256 i; i < ACCOUNTS; ++i) {
            (address account, uint256 key) = makeAddrAndKey(string.concat("account ", vm.toString(i)));
            _sellerWith(account, key, 100, 400);
        }
        model = new BookModel(TICKS);
    }

    /// when it clears > it trades exactly if some price lets anything trade; else there is no price
    function testFuzz_TradesWheneverItCan(uint256 seed) external {
        _run(seed);
        assertEq(traded, model.largestTrade() != 0, "trade");
        _assertPhase(W, traded ? Calendar.Phase.Payment : Calendar.Phase.NoTrade);
        (uint256 tick, uint256 volume,,,,) = market.resultOf(W);
        if (!traded) assertEq(tick + volume, 0, "no price");
    }

    /// when it clears > the price is the rule's pick in [lo, hi] (§3)
    function testFuzz_ThePriceIsTheRulesPick(uint256 seed) external {
        _run(seed);
        if (!traded) return;
        (uint256 lo, uint256 hi) = (model.lowest(), model.highest());
        (uint8 rule,) = _rules();
        uint256 pick = rule == 0 ? lo : rule == 1 ? (lo + hi) / 2 : lo + outcome.seed % (hi - lo + 1);
        assertEq(outcome.tick, pick, "price");
    }

    /// when it clears > the price minimises the dual (9), and the lowest minimiser is its lower end
    function testFuzz_ThePriceMinimisesTheDual(uint256 seed) external {
        _run(seed);
        if (!traded) return;
        uint256 least = model.dual(outcome.tick);
        for (uint256 i; i < TICKS; ++i) {
            assertGe(model.dual(i), least, "no tick is better");
        }
    }

    /// when it clears > the volume is the largest trade at any price
    function testFuzz_TheVolumeIsTheLargest(uint256 seed) external {
        _run(seed);
        if (!traded) return;
        assertEq(outcome.volume, model.largestTrade(), "volume");
    }

    /// when it clears > the event's quantities are the book's at the price
    function testFuzz_TheCertificatesQuantities(uint256 seed) external {
        _run(seed);
        if (!traded) return;
        assertEq(outcome.supplyBelow, model.supplyBelow(outcome.tick), "S(l-)");
        assertEq(outcome.supplyAt, model.supplyAt(outcome.tick), "asks at l");
        assertEq(outcome.demandAbove, model.demandAbove(outcome.tick), "D(l+)");
        assertEq(outcome.demandAt, model.demandAt(outcome.tick), "bids at l");
    }

    /// when all are claimed > what is sold is what is bought, the volume (T6)
    function testFuzz_SoldIsBought(uint256 seed) external {
        _run(seed);
        _claimAll();
        (uint256 sold, uint256 bought) = _sums();
        assertEq(sold, bought, "sold = bought");
        assertEq(sold, traded ? outcome.volume : 0, "volume");
    }

    /// when all are claimed > asks below and bids above the price are filled whole, others not at all, ties in part
    function testFuzz_EveryFillIsAdmissible(uint256 seed) external {
        _run(seed);
        _claimAll();
        for (uint256 i; i < placed.length; ++i) {
            (uint256 whole, uint256 marginal) = _bounds(placed[i]);
            assertGe(placed[i].fill, whole, "at least what the price gives");
            assertLe(placed[i].fill, whole + marginal, "at most with the marginal segment");
        }
    }

    /// when all are claimed > a rationed segment gets what the rule gives its place in the order of reveal (20)-(22)
    function testFuzz_TheRuleSharesTheResidual(uint256 seed) external {
        _run(seed);
        _claimAll();
        if (!traded) return;
        uint256[2] memory at;
        for (uint256 i; i < placed.length; ++i) {
            (uint256 whole, uint256 width) = _bounds(placed[i]);
            uint256 side = placed[i].side;
            (uint256 total, uint256 residual) = side == SELL
                ? (outcome.supplyAt, outcome.volume - outcome.supplyBelow)
                : (outcome.demandAt, outcome.volume - outcome.demandAbove);
            assertEq(placed[i].fill - whole, _ruled(at[side], width, residual, total), "share");
            at[side] += width;
        }
    }

    /// when all are claimed > the fills' welfare is the best of any trade, and equals the dual: the gap is zero
    function testFuzz_TheWelfareIsTheBest(uint256 seed) external {
        _run(seed);
        _claimAll();
        int256 welfare;
        for (uint256 i; i < placed.length; ++i) {
            welfare += _value(placed[i]);
        }
        assertEq(welfare, int256(model.bestWelfare()), "primal");
        if (traded) assertEq(welfare, int256(model.dual(outcome.tick)), "dual");
    }

    /// when all are claimed > nobody is worse off than without a trade, at its own prices
    function testFuzz_NobodyLoses(uint256 seed) external {
        _run(seed);
        _claimAll();
        for (uint256 i; i < placed.length; ++i) {
            int256 money = int256(placed[i].fill * outcome.tick);
            int256 gain = _value(placed[i]) + (placed[i].side == SELL ? money : -money);
            assertTrue(gain >= 0, "individually rational");
        }
    }

    // ---------------------------------------------------------------------------------------------------------- a window

    /// @dev Commits, reveals in a random order, clears. Some seeds give empty and one-sided books.
    function _run(uint256 seed) private {
        _open(W);
        uint256 shape = seed % 7; // 0: asks alone, 1: bids alone, 2: at most two accounts
        uint256 n = shape == 2 ? seed % 3 : 2 + (seed >> 8) % (ACCOUNTS - 1);
        Bidding.Opening[] memory openings = new Bidding.Opening[](n);
        for (uint256 i; i < n; ++i) {
            uint256 x = uint256(keccak256(abi.encode(seed, i)));
            uint256 side = shape < 2 ? shape : x & 1;
            address account = makeAddr(string.concat("account ", vm.toString(i)));
            openings[i] = _commit(W, account, side, _randomCurve(x, side));
            placed.push();
            (placed[i].account, placed[i].side, placed[i].curve) = (account, side, openings[i].curve);
        }
        _toReveal(W);
        for (uint256 i; i < n; ++i) {
            placed[i].claim = _reveal(openings[i]);
            _enterModel(placed[i]);
        }
        vm.recordLogs();
        market.clear(W);
        bytes memory data = vm.getRecordedLogs()[0].data;
        traded = data.length == 320;
        if (traded) outcome = abi.decode(data, (Clearing.Outcome));
    }

    function _claimAll() private {
        for (uint256 i; i < placed.length; ++i) {
            market.claim(placed[i].claim);
            uint256 id = _right(W, placed[i].side, placed[i].account);
            try rights.quantityAndPaid(id) returns (uint256 quantity, bool) {
                placed[i].fill = quantity;
            } catch {}
        }
    }

    /// @dev One to three segments, asks ascending, bids descending; widths 1 to 4.
    function _randomCurve(uint256 x, uint256 side) private pure returns (bytes memory curve) {
        uint256 n = 1 + (x >> 8) % 3;
        uint256 tick = (x >> 16) % 5;
        for (uint256 i; i < n && tick < TICKS; ++i) {
            bytes memory segment = Seal.segment(side == SELL ? tick : TICKS - 1 - tick, 1 + (x >> (32 + 8 * i)) % 4);
            curve = bytes.concat(curve, segment);
            tick += 1 + (x >> (64 + 8 * i)) % 3;
        }
    }

    function _enterModel(Placed storage p) private {
        for (uint256 i; i < p.curve.length / 6; ++i) {
            (uint256 tick, uint256 width) = _segment(p.curve, i);
            uint256 before = model.add(p.side, tick, width);
            assertEq(_offset(p.claim.bid, p.curve.length / 6 + i), before, "offset");
        }
    }

    // ------------------------------------------------------------------------------------------------------ what to expect

    /// @dev What the price fills for certain, and the width of the segment at the price.
    function _bounds(Placed storage p) private view returns (uint256 whole, uint256 marginal) {
        if (!traded) return (0, 0);
        for (uint256 i; i < p.curve.length / 6; ++i) {
            (uint256 tick, uint256 width) = _segment(p.curve, i);
            if (tick == outcome.tick) marginal += width;
            else if (p.side == SELL ? tick < outcome.tick : tick > outcome.tick) whole += width;
        }
    }

    /// @dev The share of [at, at + width) of the cohort, unit by unit: no formula of the contract.
    function _ruled(uint256 at, uint256 width, uint256 residual, uint256 total) private view returns (uint256 share) {
        if (total == 0) return 0;
        (, uint8 rationing) = _rules();
        uint256 phase = outcome.seed % total;
        for (uint256 unit = at; unit < at + width; ++unit) {
            if (rationing == 1) {
                if ((unit + total - phase) % total < residual) ++share;
            } else if (((unit + 1) * residual + phase) / total > (unit * residual + phase) / total) {
                ++share;
            }
        }
    }

    /// @dev The fill's value at the account's own ticks: its best segments first; a seller's is negative.
    function _value(Placed storage p) private view returns (int256 value) {
        uint256 left = p.fill;
        for (uint256 i; i < p.curve.length / 6 && left != 0; ++i) {
            (uint256 tick, uint256 width) = _segment(p.curve, i);
            uint256 part = width < left ? width : left;
            value += int256(part * tick);
            left -= part;
        }
        if (p.side == SELL) value = -value;
    }

    function _sums() private view returns (uint256 sold, uint256 bought) {
        for (uint256 i; i < placed.length; ++i) {
            if (placed[i].side == SELL) sold += placed[i].fill;
            else bought += placed[i].fill;
        }
    }

    function _segment(bytes memory curve, uint256 i) private pure returns (uint256 tick, uint256 width) {
        uint256 word = _offset(curve, i);
        return (word >> 32, word & 0xffffffff);
    }

    /// @dev The i-th group of six bytes.
    function _offset(bytes memory data, uint256 i) private pure returns (uint256 word) {
        for (uint256 j; j < 6; ++j) {
            word = (word << 8) | uint8(data[6 * i + j]);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {PriceBook} from "../../src/lib/PriceBook.sol";
import {Rationing} from "../../src/lib/Rationing.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Seal} from "../utils/Seal.sol";

/// @notice Attacks on the price book, the clearing and the rationing (T6-T8, T11, T12, T18, T19, T37).
contract BookAttacks is Fixture {
    /// More winners than supply: the claims must sum to the cleared volume on both sides, whatever the rule and the seed.
    function testFuzz_T06_FillsSumToTheVolume(uint256 salt, bool seededOrder) external {
        Calendar.Parameters memory p = _parameters();
        p.rationing = seededOrder ? 1 : 0;
        _deploy(p, false);
        _enrol();
        _open(W);
        Bidding.Opening[4] memory o;
        // Ties on both sides, some beyond the price.
        o[0] = _commit(W, seller, SELL, Seal.two(10, _pick(salt, 0), 11, _pick(salt, 1)));
        o[1] = _commit(W, seller2, SELL, Seal.two(9, _pick(salt, 2), 10, _pick(salt, 3)));
        o[2] = _commit(W, buyer, BUY, Seal.two(11, _pick(salt, 4), 10, _pick(salt, 5)));
        o[3] = _commit(W, buyer2, BUY, Seal.two(12, _pick(salt, 6), 10, _pick(salt, 7)));
        _toReveal(W);
        Issue.Claim[4] memory c;
        for (uint256 i; i < 4; ++i) {
            c[i] = _reveal(o[i]);
        }
        market.clear(W);
        (, uint256 volume,,,,) = market.resultOf(W);
        uint256[4] memory fills;
        for (uint256 i; i < 4; ++i) {
            market.claim(c[i]);
            fills[i] = _quantity(W, i < 2 ? SELL : BUY, c[i].participant);
        }
        assertEq(fills[0] + fills[1], volume, "sold");
        assertEq(fills[2] + fills[3], volume, "bought");
    }

    /// A bid is split over two accounts whose segments lie side by side: together they get what the whole would get.
    function testFuzz_T07_SplittingABidGainsNothing(
        uint256 total,
        uint256 residual,
        uint256 phase,
        uint256 offset,
        uint256 width,
        uint256 part,
        bool seededOrder
    ) external pure {
        total = bound(total, 2, (1 << 48) - 1);
        residual = bound(residual, 0, total);
        phase = bound(phase, 0, total - 1);
        offset = bound(offset, 0, total - 2);
        width = bound(width, 2, total - offset);
        part = bound(part, 1, width - 1);
        uint8 rule = seededOrder ? 1 : 0;
        uint256 whole = Rationing.fill(rule, offset, width, residual, total, phase);
        uint256 one = Rationing.fill(rule, offset, part, residual, total, phase);
        uint256 two = Rationing.fill(rule, offset + part, width - part, residual, total, phase);
        assertEq(one + two, whole);
        assertLe(whole, width);
    }

    /// Odd quantities, prices and deliveries: no rounding leaves a window's escrow short, and all of it gets out.
    function testFuzz_T07_RoundingNeverLeavesTheEscrowShort(uint256 salt, uint16 delivered) external {
        Calendar.Parameters memory p = _parameters();
        (p.tickSize, p.bond, p.alphaSeller, p.alphaBuyer) = (7, 3, 333_333, 142_857);
        _deploy(p, false);
        _enrol();
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(13, _pick(salt, 0)));
        Bidding.Opening memory b = _commit(W, seller2, SELL, _one(13, _pick(salt, 1)));
        Bidding.Opening memory c = _commit(W, buyer, BUY, _one(17, _pick(salt, 2)));
        Bidding.Opening memory d = _commit(W, buyer2, BUY, _one(17, _pick(salt, 3)));
        _toReveal(W);
        Issue.Claim[] memory claims = new Issue.Claim[](4);
        (claims[0], claims[1], claims[2], claims[3]) = (_reveal(a), _reveal(b), _reveal(c), _reveal(d));
        market.clear(W);
        if (salt & 1 != 0) _drain(buyer2, 0);
        market.claimMany(claims);
        vm.warp(_paymentDeadline(W));
        _deliver(sellerKey, 1, W, bound(delivered, 0, 5000));
        if (_quantity(W, SELL, seller) != 0) delivery.draw(_right(W, SELL, seller));
        vm.warp(_readingsClose(W));
        _finish(claims);
        (uint256 pool, uint256 escrow,,) = market.moneyOf(W);
        assertEq(escrow, 0, "escrow");
        assertEq(pool, 0, "pool");
        _assertConserved(W, 0);
    }

    /// Bids at price 0 would fill a lane for nothing and shut the others out: each Wh in the book ties money down.
    function testFuzz_T08_FillingALaneTiesMoneyDown(uint32 width) external {
        width = uint32(bound(width, 1, type(uint32).max));
        _open(W);
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(0, width));
        _toReveal(W);
        market.reveal(o);
        uint256 reserve = (uint256(width) * 100 * 200_000 + 1e9 - 1) / 1e9;
        assertEq(FUNDS - market.balanceOf(buyer), reserve > BOND ? reserve : BOND, "locked as at tick 1");
        vm.warp(_revealDeadline(W));
        market.clear(W);
        market.claim(Issue.Claim(o.window, buyer, 0, bytes.concat(o.curve, bytes6(0))));
        assertEq(market.balanceOf(buyer), FUNDS, "and frees it again");
    }

    /// A lane that is full refuses: it never wraps into its neighbour.
    function testFuzz_T08_AFullLaneRefuses(uint32 width, bool buys, bool odd) external {
        width = uint32(bound(width, 1, 20_000));
        (address account, uint256 side, uint256 tick) = (buys ? buyer : seller, buys ? BUY : SELL, odd ? 21 : 20);
        _open(W);
        Bidding.Opening memory o = _commit(W, account, side, _one(tick, width));
        _toReveal(W);
        uint256 shift = (side * 2) * 48; // group 0 is even
        bytes32 sums = bytes32(PriceBook.baseOf(W));
        vm.store(address(market), sums, bytes32((((1 << 48) - 1) - uint256(width) + 1) << shift));
        vm.expectRevert(abi.encodeWithSelector(Errors.LaneFull.selector, tick));
        market.reveal(o);
        vm.store(address(market), sums, bytes32((((1 << 48) - 1) - uint256(width)) << shift));
        market.reveal(o);
        uint256 word = uint256(vm.load(address(market), sums)) & ((1 << 192) - 1);
        assertEq(word, ((1 << 48) - 1) << shift, "full to the brim, nothing beside it");
    }

    /// Many tiny bids at distinct prices: the clearing reads the same words as for two bids.
    function test_T11_ClearingCostsTheSameForManyBids() external {
        uint256 few = _gasOfClearing(0);
        setUp();
        uint256 many = _gasOfClearing(24);
        assertLe(many, few + few / 100, "not dearer");
        assertLe(few, many + many / 100, "nor cheaper");
    }

    /// The largest grids fit into one transaction with room to spare (16,777,216 gas since EIP-7825).
    function test_T12_ClearingTheLargestGridFitsATransaction() external {
        for (uint8 rule; rule < 3; ++rule) {
            Calendar.Parameters memory p = _parameters();
            p.priceRule = rule;
            p.ticks = rule == 0 ? 16_384 : 8192;
            _deploy(p, false);
            _enrol();
            _open(W);
            // The crossing lies at the far end: all sums and a whole group of leaves are walked.
            Bidding.Opening memory a = _commit(W, seller, SELL, _one(p.ticks - 2, 1000));
            Bidding.Opening memory b = _commit(W, buyer, BUY, _one(p.ticks - 1, 1000));
            _toReveal(W);
            market.reveal(a);
            market.reveal(b);
            market.clear(W);
            assertLt(vm.lastCallGas().gasTotalUsed, 16_777_216 / 8);
        }
    }

    /// A block's proposer orders the openings as it likes: nobody wins or loses more than 1 Wh under pro rata.
    function testFuzz_T18_TheOrderOfRevealMovesAtMostOneWh(uint256 salt) external {
        _open(W);
        Bidding.Opening[3] memory o;
        o[0] = _commit(W, seller, SELL, _one(10, _pick(salt, 0)));
        o[1] = _commit(W, seller2, SELL, _one(10, _pick(salt, 1)));
        uint256 total = _pick(salt, 0) + _pick(salt, 1);
        o[2] = _commit(W, buyer, BUY, _one(20, bound(salt, 1, total)));
        _toReveal(W);
        uint256 before = vm.snapshotState();
        uint256 first = _fillOfSeller(o[0], o[1], o[2]);
        vm.revertToState(before);
        uint256 second = _fillOfSeller(o[1], o[0], o[2]);
        assertLe(first > second ? first - second : second - first, 1);
    }

    /// The seed is the same whatever the order of reveal, whoever clears, and whatever the block's own randomness.
    function test_T19_TheSeedDependsOnTheBlindersAlone() external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(10, 1000));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, 300));
        _toReveal(W);
        uint256 before = vm.snapshotState();
        bytes32 first = _seedAfter(a, b, seller, bytes32(uint256(1)));
        vm.revertToState(before);
        bytes32 second = _seedAfter(b, a, stranger, keccak256("biased"));
        assertEq(first, second);
        uint256 sum;
        unchecked {
            sum = uint256(keccak256(abi.encode(a.blinder))) + uint256(keccak256(abi.encode(b.blinder)));
        }
        assertEq(first, keccak256(abi.encode(W, sum)));
    }

    /// A coalition holds one opening back to turn the seed: it costs that opening's bond, and moves 1 Wh under pro rata.
    function testFuzz_T37_TurningTheSeedCostsABondAndMovesOneWh(uint256 salt) external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(10, _pick(salt, 0)));
        Bidding.Opening memory b = _commit(W, seller2, SELL, _one(10, _pick(salt, 1)));
        Bidding.Opening memory c = _commit(W, buyer, BUY, _one(20, bound(salt, 1, _pick(salt, 0) + _pick(salt, 1))));
        Bidding.Opening memory sleeper = _commit(W, buyer2, BUY, _one(1, 1)); // trades nothing
        _toReveal(W);
        uint256 before = vm.snapshotState();
        market.reveal(sleeper);
        uint256 opened = _fillOfSeller(a, b, c);
        vm.revertToState(before);
        uint256 turned = _fillOfSeller(a, b, c);
        assertLe(opened > turned ? opened - turned : turned - opened, 1);
        assertEq(market.balanceOf(buyer2), FUNDS - BOND, "the bond is the price of it");
    }

    // ----------------------------------------------------------------------------------------------------------- helpers

    function _pick(uint256 salt, uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(salt, i))) % 997 + 1;
    }

    function _quantity(uint256 window, uint256 side, address account) private view returns (uint256 quantity) {
        try rights.quantityAndPaid(_right(window, side, account)) returns (uint256 q, bool) {
            quantity = q;
        } catch {}
    }

    function _finish(Issue.Claim[] memory claims) private {
        for (uint256 i = 2; i < 4; ++i) {
            uint256 id = _right(W, BUY, claims[i].participant);
            try rights.quantityAndPaid(id) returns (uint256, bool paid) {
                if (!paid) market.declareDefault(id);
            } catch {}
        }
        for (uint256 i; i < 4; ++i) {
            uint256 id = _right(W, i < 2 ? SELL : BUY, claims[i].participant);
            if (_quantity(W, i < 2 ? SELL : BUY, claims[i].participant) != 0) delivery.settle(id);
        }
    }

    function _fillOfSeller(Bidding.Opening memory x, Bidding.Opening memory y, Bidding.Opening memory z)
        private
        returns (uint256)
    {
        Issue.Claim memory cx = _reveal(x);
        Issue.Claim memory cy = _reveal(y);
        _reveal(z);
        vm.warp(_revealDeadline(W));
        market.clear(W);
        market.claim(x.participant == seller ? cx : cy);
        return _quantity(W, SELL, seller);
    }

    function _seedAfter(Bidding.Opening memory x, Bidding.Opening memory y, address caller, bytes32 randao)
        private
        returns (bytes32 seed)
    {
        market.reveal(x);
        market.reveal(y);
        vm.prevrandao(randao);
        vm.recordLogs();
        vm.prank(caller);
        market.clear(W);
        bytes memory data = vm.getRecordedLogs()[0].data;
        assembly ("memory-safe") {
            seed := mload(add(data, 0xe0)) // the seventh field of Outcome
        }
    }

    /// @dev A window with a large pair of bids and `n` small ones on each side at prices of their own.
    function _gasOfClearing(uint256 n) private returns (uint256) {
        Bidding.Opening[] memory all = new Bidding.Opening[](2 * n + 2);
        _open(W);
        all[2 * n] = _commit(W, seller, SELL, _one(31, 20_000));
        all[2 * n + 1] = _commit(W, buyer, BUY, _one(32, 10_000));
        for (uint256 i; i < n; ++i) {
            (address s, uint256 key) = makeAddrAndKey(string.concat("s", vm.toString(i)));
            address b = makeAddr(string.concat("b", vm.toString(i)));
            _seller(s, key);
            _buyer(b);
            all[2 * i] = _commit(W, s, SELL, _one(i % 30, 1 + i));
            all[2 * i + 1] = _commit(W, b, BUY, _one(60 - i % 30, 1 + i));
        }
        _toReveal(W);
        assertEq(market.revealMany(all), all.length);
        vm.cool(address(market));
        market.clear(W);
        return vm.lastCallGas().gasTotalUsed;
    }
}

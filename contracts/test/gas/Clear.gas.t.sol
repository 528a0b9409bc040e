// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Seal} from "../utils/Seal.sol";
import {GasFixture} from "./GasFixture.sol";

/// @notice Gas of clear: it depends on the price grid, not on the number of bids (T11, T12).
contract ClearGasTest is GasFixture {
    /// @dev The price: the last tick of its group, so that the whole group is read.
    uint256 private constant PRICE = 2047;
    uint256 private constant BATCH = 100;

    function test_Clear10Bids() external {
        _table(10);
    }

    function test_Clear100Bids() external {
        _table(100);
    }

    function test_Clear1000Bids() external {
        _table(1000);
    }

    function test_Clear10000Bids() external {
        _table(10_000);
    }

    /// @dev Every sums word and a whole group of leaves of the largest grid.
    function test_ClearWorstLowest() external {
        _worst("clear, worst case, lowest, 16384 ticks", 16_384, 0, 16_383);
    }

    /// @dev Half the grid, but a second group of leaves, for the interval's other end.
    function test_ClearWorstMidpoint() external {
        _worst("clear, worst case, midpoint, 8192 ticks", 8192, 1, 127);
    }

    function test_ClearWorstSeed() external {
        _worst("clear, worst case, seed, 8192 ticks", 8192, 2, 127);
    }

    function test_VoidWindow() external {
        _open(W);
        vm.warp(_lapse(W));
        market.voidWindow(W);
        _record("clearing", "voidWindow", W, _used());
    }

    // -------------------------------------------------------------------------------------------------- number of bids

    /// @dev `n` bids in the ring's second round: half of them asks, each with 100 Wh somewhere below the price and 100 Wh
    /// at it, half bids of 150 Wh somewhere above. Accounts are written to storage; commitments and openings are real.
    function _table(uint256 n) private {
        _openInTime(STEADY);
        Bidding.Opening[] memory batch = new Bidding.Opening[](BATCH < n ? BATCH : n);
        for (uint256 i; i < n; i += batch.length) {
            this.commitBatch(i, batch.length);
        }
        _toReveal(STEADY);
        for (uint256 i; i < n; i += batch.length) {
            this.revealBatch(i, batch.length);
        }
        market.clear(STEADY);
        _recordHeld("clearing", string.concat("clear, ", vm.toString(n), " bids"), STEADY, _used(), HOLD_CLEAR);
        (uint256 tick, uint256 volume,,,,) = market.resultOf(STEADY);
        assertEq(tick, PRICE, "price");
        assertEq(volume, n / 2 * 150, "volume");
    }

    /// @dev External, so that each batch has memory of its own.
    function commitBatch(uint256 first, uint256 count) external {
        for (uint256 i = first; i < first + count; ++i) {
            (address who, uint256 side, Bidding.Opening memory o) = _bid(i);
            _endow(who);
            uint256 point = Seal.point(address(market), o, side);
            vm.prank(who);
            market.commit(STEADY, side == SELL ? ALL_UNITS : NO_UNITS, point);
        }
    }

    function revealBatch(uint256 first, uint256 count) external {
        Bidding.Opening[] memory batch = new Bidding.Opening[](count);
        for (uint256 i; i < count; ++i) {
            (,, batch[i]) = _bid(first + i);
        }
        assertEq(market.revealMany(batch), count, "opened");
    }

    function _bid(uint256 i) private pure returns (address who, uint256 side, Bidding.Opening memory o) {
        uint256 h = uint256(keccak256(abi.encode("bid", i)));
        who = address(uint160(h));
        side = i % 2;
        o.window = uint32(STEADY);
        o.participant = who;
        o.blinder = h % (Seal.ORDER - 1) + 1;
        if (side == SELL) {
            o.terms = uint96(1 | (uint256(type(uint32).max) << 32) | (200_000 << 64) | (ALL_UNITS << 88));
            o.curve = Seal.two(h % PRICE, 100, PRICE, 100);
        } else {
            o.curve = Seal.segment(PRICE + 1 + h % (TICKS - PRICE - 1), 150);
        }
    }

    /// @dev A balance, and a device of one window's energy, straight into the account's word (the vault's first slot).
    function _endow(address who) private {
        vm.store(
            address(market),
            keccak256(abi.encode(who, uint256(0))),
            bytes32(FUNDS | (uint256(1) << 96) | (uint256(type(uint32).max) << 128) | (ALL_UNITS << 180))
        );
    }

    // -------------------------------------------------------------------------------------------------------- worst cases

    /// @dev One ask of 1,000 Wh at `low` and one bid of as much at the highest tick.
    function _worst(string memory name, uint256 ticks, uint8 rule, uint256 low) private {
        Calendar.Parameters memory p = _parameters();
        (p.ticks, p.priceRule) = (uint16(ticks), rule);
        _deployOpen(p);
        _endow(buyer);
        _seller(seller, sellerKey);
        _openInTime(STEADY);
        (Bidding.Opening memory ask,) = _commitMeasured(STEADY, seller, SELL, _one(low, 1000));
        (Bidding.Opening memory bid,) = _commitMeasured(STEADY, buyer, BUY, _one(ticks - 1, 1000));
        _toReveal(STEADY);
        market.reveal(ask);
        market.reveal(bid);
        market.clear(STEADY);
        _recordHeld("clearing", name, STEADY, _used(), HOLD_CLEAR);
    }
}

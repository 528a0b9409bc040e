// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {BookHarness} from "../harness/BookHarness.sol";
import {Test} from "../utils/Test.sol";
import {Vm} from "../utils/Vm.sol";

/// @title Engine and contract agree bit for bit, on forge's EVM (§3)
/// @notice Plays tests/vectors/books/books.json: 256 windows for each price rule and rationing rule, in two rounds of one
/// ring. A window's digest covers price, volume, S(λ−), asks at λ, D(λ+), bids at λ, seed, unopened bids, and each
/// bid's offsets, fill and lock, as the Python engine computed them; tests/differential/test_books.py shows the values.
contract BooksTest is Test {
    string private constant FILE = "tests/vectors/books/books.json";
    uint256 private constant START = 1_900_000_000;
    uint256 private constant LENGTH = 2 ** 20;

    function test_lowest_proRata() external {
        _play(0);
    }

    function test_lowest_seededOrder() external {
        _play(1);
    }

    function test_midpoint_proRata() external {
        _play(2);
    }

    function test_midpoint_seededOrder() external {
        _play(3);
    }

    function test_seed_proRata() external {
        _play(4);
    }

    function test_seed_seededOrder() external {
        _play(5);
    }

    function _play(uint256 market) private {
        string memory json = vm.readFile(FILE);
        string memory key = string.concat(".markets[", vm.toString(market), "]");
        uint256 aRound = vm.parseJsonUint(json, ".a_round");
        uint256 ring = vm.parseJsonUint(json, ".ring");
        bytes[] memory cases = vm.parseJsonBytesArray(json, string.concat(key, ".cases"));
        assertEq(cases.length, 2 * aRound, "cases");

        vm.warp(START);
        BookHarness harness = new BookHarness(_calendar(json, key, aRound, ring));
        for (uint256 i; i < cases.length; ++i) {
            vm.warp(START + i / aRound * ring * LENGTH);
            _playOne(harness, cases[i], i / aRound * ring + i % aRound, i);
        }
    }

    function _playOne(BookHarness harness, bytes memory packed, uint256 window, uint256 index) private {
        BookHarness.Case[] memory one = new BookHarness.Case[](1);
        uint256 at = 1;
        if (packed[0] != 0) {
            (one[0].seeded, one[0].seed) = (true, uint256(_word(packed, at)));
            at += 32;
        }
        (one[0].unopenedSellers, one[0].unopenedBuyers) = (uint8(packed[at]), uint8(packed[at + 1]));
        bytes32 want = _word(packed, at + 2);
        one[0].bids = _from(packed, at + 34);
        one[0].window = uint32(window);
        one[0].accumulator = _drawn("accumulator 0 ", index);
        one[0].digest = _drawn("digest 0 ", index) % 2 ** 200;

        vm.recordLogs();
        harness.play(one);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 2, "events: Cleared or NoTrade, and Filled");
        assertEq(uint256(logs[0].topics[1]), window, "window");
        assertEq(keccak256(bytes.concat(logs[0].data, logs[1].data)), want, string.concat("case ", vm.toString(index)));
    }

    function _calendar(string memory json, string memory key, uint256 aRound, uint256 ring)
        private
        pure
        returns (Calendar.Parameters memory p)
    {
        uint256 lead = aRound / 2 * LENGTH;
        p.origin = uint64(START + LENGTH / 2);
        p.length = uint32(LENGTH);
        p.subSlot = uint32(LENGTH);
        p.commitLead = uint32(2 * lead);
        p.revealLead = uint32(lead);
        p.voidDelay = uint32(lead);
        p.ring = uint32(ring);
        p.ticks = uint16(vm.parseJsonUint(json, string.concat(key, ".ticks")));
        p.priceRule = uint8(vm.parseJsonUint(json, string.concat(key, ".price_rule")));
        p.rationing = uint8(vm.parseJsonUint(json, string.concat(key, ".rationing")));
        p.tickSize = uint96(vm.parseJsonUint(json, ".tick_size"));
        p.bond = uint96(vm.parseJsonUint(json, ".bond"));
        p.alphaSeller = uint32(vm.parseJsonUint(json, ".alpha_seller"));
        p.alphaBuyer = uint32(vm.parseJsonUint(json, ".alpha_buyer"));
        p.efficiency = uint32(vm.parseJsonUint(json, ".efficiency"));
        p.tolerance = uint32(vm.parseJsonUint(json, ".tolerance"));
        p.alphaProven = p.alphaSeller;
    }

    function _drawn(string memory word, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(bytes(string.concat(word, vm.toString(index)))));
    }

    function _word(bytes memory data, uint256 at) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), at))
        }
    }

    function _from(bytes memory data, uint256 at) private pure returns (bytes memory rest) {
        rest = new bytes(data.length - at);
        for (uint256 i; i < rest.length; ++i) {
            rest[i] = data[at + i];
        }
    }
}

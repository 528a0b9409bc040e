// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Seal} from "../utils/Seal.sol";

/// @notice Market.messageOf(opening, side): the hash that a commitment binds (§5).
contract MessageOfTest is Fixture {
    /// it is the hash of §5, modulo the group order
    function testFuzz_IsTheHashOfItsParts(Bidding.Opening memory o, uint8 side) external view {
        assertEq(market.messageOf(o, side), Seal.message(address(market), o, side), "m");
    }

    /// when the chain is another > it is another (T1, T2)
    function testFuzz_BindsTheChain(Bidding.Opening memory o, uint64 chain) external {
        chain = uint64(bound(chain, 1, type(uint64).max - 1));
        vm.assume(chain != block.chainid);
        uint256 here = market.messageOf(o, BUY);
        vm.chainId(chain);
        assertNotEq(market.messageOf(o, BUY), here, "chain");
    }

    /// when the market is another > it is another (T1)
    function testFuzz_BindsTheMarket(Bidding.Opening memory o) external {
        uint256 here = market.messageOf(o, BUY);
        _deploy(_parameters(), false);
        assertNotEq(market.messageOf(o, BUY), here, "market");
    }

    /// when the window is another > it is another (T2)
    function testFuzz_BindsTheWindow(Bidding.Opening memory o, uint32 other) external view {
        vm.assume(other != o.window);
        uint256 here = market.messageOf(o, BUY);
        o.window = other;
        assertNotEq(market.messageOf(o, BUY), here, "window");
    }

    /// when the participant is another > it is another (T1)
    function testFuzz_BindsTheParticipant(Bidding.Opening memory o, address other) external view {
        vm.assume(other != o.participant);
        uint256 here = market.messageOf(o, BUY);
        o.participant = other;
        assertNotEq(market.messageOf(o, BUY), here, "participant");
    }

    /// when the side is another > it is another (T1)
    function testFuzz_BindsTheSide(Bidding.Opening memory o) external view {
        assertNotEq(market.messageOf(o, SELL), market.messageOf(o, BUY), "side");
    }

    /// when the device or its fingerprint is another > it is another (T1)
    function testFuzz_BindsTheDevice(Bidding.Opening memory o, uint32 device, bytes32 fingerprint) external view {
        vm.assume(device != uint32(o.terms) || fingerprint != o.fingerprint);
        uint256 here = market.messageOf(o, SELL);
        (o.terms, o.fingerprint) = (device, fingerprint);
        assertNotEq(market.messageOf(o, SELL), here, "device");
    }

    /// when the curve is another > it is another
    function testFuzz_BindsTheCurve(Bidding.Opening memory o, bytes memory other) external view {
        vm.assume(keccak256(other) != keccak256(o.curve));
        uint256 here = market.messageOf(o, SELL);
        o.curve = other;
        assertNotEq(market.messageOf(o, SELL), here, "curve");
    }
}

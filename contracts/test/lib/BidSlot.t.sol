// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BidSlot} from "../../src/lib/BidSlot.sol";
import {Test} from "../utils/Test.sol";

/// @notice The word in a participant's ring place (§4, §5).
contract BidSlotTest is Test {
    struct Terms {
        uint16 round;
        uint8 units;
        uint32 window;
        uint256 point;
        uint96 terms;
        bytes32 fingerprint;
    }

    /// committed > it says its round, kind, side and units: none is a buyer's
    function testFuzz_CommittedReadsBack(Terms memory t) external pure {
        uint256 word = _committed(t);
        assertEq(BidSlot.roundOf(word), t.round, "round");
        assertEq(BidSlot.kindOf(word), BidSlot.COMMITTED, "kind");
        assertEq(BidSlot.sideOf(word), t.units % 65 == 0 ? 1 : 0, "side");
        assertEq(BidSlot.unitsOf(word), t.units % 65, "units");
    }

    /// committed > it is round, kind, side and units beside 231 bits of the hash of window, point, terms and fingerprint
    function testFuzz_CommittedIsTheHashOfItsTerms(Terms memory t) external pure {
        uint256 hash = uint256(keccak256(abi.encode(t.window, t.point, t.terms, t.fingerprint)));
        uint256 word = _committed(t);
        assertEq(word << 25, hash << 25, "low 231 bits");
        uint256 units = t.units % 65;
        uint256 head = units == 0 ? 64 : units - 1;
        assertEq(word >> 231, (uint256(t.round) << 9) | (1 << 7) | head, "high bits");
    }

    /// committed > when the window differs > it differs
    function testFuzz_CommittedBindsTheWindow(Terms memory t, uint32 other) external pure {
        vm.assume(other != t.window);
        uint256 word = _committed(t);
        t.window = other;
        assertNotEq(word, _committed(t), "window");
    }

    /// committed > when any bit of the point differs > it differs (T2)
    function testFuzz_CommittedBindsEveryBitOfThePoint(Terms memory t, uint8 bit) external pure {
        uint256 word = _committed(t);
        t.point ^= 1 << bit;
        assertNotEq(word, _committed(t), "point");
    }

    /// committed > when any bit of the terms differs > it differs
    function testFuzz_CommittedBindsEveryBitOfTheTerms(Terms memory t, uint8 bit) external pure {
        uint256 word = _committed(t);
        t.terms ^= uint96(1 << (bit % 96));
        assertNotEq(word, _committed(t), "terms");
    }

    /// committed > when the fingerprint differs > it differs
    function testFuzz_CommittedBindsTheFingerprint(Terms memory t, bytes32 other) external pure {
        vm.assume(other != t.fingerprint);
        uint256 word = _committed(t);
        t.fingerprint = other;
        assertNotEq(word, _committed(t), "fingerprint");
    }

    /// opened > it says its round and kind, and keeps side and units of the commitment
    function testFuzz_OpenedReadsBack(Terms memory t, bytes memory bid) external pure {
        uint256 word = BidSlot.opened(t.round, _committed(t), t.window, t.terms, bid);
        assertEq(BidSlot.roundOf(word), t.round, "round");
        assertEq(BidSlot.kindOf(word), BidSlot.OPENED, "kind");
        assertEq(BidSlot.sideOf(word), t.units % 65 == 0 ? 1 : 0, "side");
        assertEq(BidSlot.unitsOf(word), t.units % 65, "units");
        uint256 hash = uint256(keccak256(abi.encode(t.window, t.terms, keccak256(bid))));
        assertEq(word << 25, hash << 25, "low 231 bits");
    }

    /// opened > when it is made again from its own word > it is the same, which is how a claim is checked
    function testFuzz_OpenedIsItsOwnSource(Terms memory t, bytes memory bid) external pure {
        uint256 word = BidSlot.opened(t.round, _committed(t), t.window, t.terms, bid);
        assertEq(BidSlot.opened(t.round, word, t.window, t.terms, bid), word, "opened");
    }

    /// opened > when a byte of the bid differs > it differs
    function testFuzz_OpenedBindsTheBid(Terms memory t, bytes memory bid, uint256 at) external pure {
        vm.assume(bid.length != 0);
        uint256 word = BidSlot.opened(t.round, 0, t.window, t.terms, bid);
        bid[at % bid.length] ^= 0x01;
        assertNotEq(word, BidSlot.opened(t.round, 0, t.window, t.terms, bid), "bid");
    }

    /// opened > when the window or any bit of the terms differs > it differs
    function testFuzz_OpenedBindsWindowAndTerms(Terms memory t, uint8 bit, bytes memory bid) external pure {
        uint256 word = BidSlot.opened(0, 0, t.window, t.terms, bid);
        assertNotEq(word, BidSlot.opened(0, 0, uint256(t.window) + 1, t.terms, bid), "window");
        assertNotEq(word, BidSlot.opened(0, 0, t.window, t.terms ^ uint96(1 << (bit % 96)), bid), "terms");
    }

    /// resolved > it is never zero, of its round, and neither committed nor opened
    function testFuzz_ResolvedIsItsOwnKind(uint16 round) external pure {
        uint256 word = BidSlot.resolved(round);
        assertNotEq(word, 0, "not empty");
        assertEq(BidSlot.roundOf(word), round, "round");
        assertEq(BidSlot.kindOf(word), BidSlot.RESOLVED, "kind");
        assertFalse(BidSlot.isCommitted(word, round), "not committed");
    }

    /// isCommitted > when the word is of the round > it is true; when of another > it is false
    function testFuzz_IsCommittedOnlyInItsRound(Terms memory t, uint16 other) external pure {
        uint256 word = _committed(t);
        assertTrue(BidSlot.isCommitted(word, t.round), "its round");
        if (other != t.round) assertFalse(BidSlot.isCommitted(word, other), "another round");
    }

    /// isCommitted > when the word is opened or empty > it is false
    function testFuzz_IsCommittedNotWhenOpened(Terms memory t, bytes memory bid) external pure {
        assertFalse(BidSlot.isCommitted(BidSlot.opened(t.round, _committed(t), 1, 1, bid), t.round), "opened");
        assertFalse(BidSlot.isCommitted(0, t.round), "empty");
    }

    function _committed(Terms memory t) private pure returns (uint256) {
        return BidSlot.committed(t.round, t.units % 65, t.window, t.point, t.terms, t.fingerprint);
    }
}

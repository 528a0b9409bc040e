// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BidSlot} from "../../src/lib/BidSlot.sol";
import {Test} from "../utils/Test.sol";

/// @notice The word in a participant's ring place (§4, §5).
contract BidSlotTest is Test {
    struct Terms {
        uint16 round;
        uint8 side;
        uint32 window;
        uint256 point;
        uint32 device;
        uint32 limitWh;
        bytes32 fingerprint;
    }

    /// committed > it says its round, kind and side
    function testFuzz_CommittedReadsBack(Terms memory t) external pure {
        uint256 word = _committed(t);
        assertEq(BidSlot.roundOf(word), t.round, "round");
        assertEq(BidSlot.kindOf(word), BidSlot.COMMITTED, "kind");
        assertEq(BidSlot.sideOf(word), t.side % 2, "side");
    }

    /// committed > it binds 232 bits of the hash of window, point, device, limit and fingerprint
    function testFuzz_CommittedIsTheHashOfItsTerms(Terms memory t) external pure {
        uint256 hash = uint256(keccak256(abi.encode(t.window, t.point, t.device, t.limitWh, t.fingerprint)));
        assertEq(_committed(t) << 24, hash << 24, "low 232 bits");
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

    /// committed > when the device differs > it differs
    function testFuzz_CommittedBindsTheDevice(Terms memory t, uint32 other) external pure {
        vm.assume(other != t.device);
        uint256 word = _committed(t);
        t.device = other;
        assertNotEq(word, _committed(t), "device");
    }

    /// committed > when the device's limit differs > it differs
    function testFuzz_CommittedBindsTheLimit(Terms memory t, uint32 other) external pure {
        vm.assume(other != t.limitWh);
        uint256 word = _committed(t);
        t.limitWh = other;
        assertNotEq(word, _committed(t), "limit");
    }

    /// committed > when the fingerprint differs > it differs
    function testFuzz_CommittedBindsTheFingerprint(Terms memory t, bytes32 other) external pure {
        vm.assume(other != t.fingerprint);
        uint256 word = _committed(t);
        t.fingerprint = other;
        assertNotEq(word, _committed(t), "fingerprint");
    }

    /// opened > it says its round, kind and side
    function testFuzz_OpenedReadsBack(uint16 round, uint8 side, uint32 window, uint32 device, bytes memory bid)
        external
        pure
    {
        uint256 word = BidSlot.opened(round, side % 2, window, device, bid);
        assertEq(BidSlot.roundOf(word), round, "round");
        assertEq(BidSlot.kindOf(word), BidSlot.OPENED, "kind");
        assertEq(BidSlot.sideOf(word), side % 2, "side");
    }

    /// opened > when a byte of the bid differs > it differs
    function testFuzz_OpenedBindsTheBid(uint16 round, uint32 window, uint32 device, bytes memory bid, uint256 at)
        external
        pure
    {
        vm.assume(bid.length != 0);
        uint256 word = BidSlot.opened(round, 0, window, device, bid);
        bid[at % bid.length] ^= 0x01;
        assertNotEq(word, BidSlot.opened(round, 0, window, device, bid), "bid");
    }

    /// opened > when the window or the device differs > it differs
    function testFuzz_OpenedBindsWindowAndDevice(uint32 window, uint32 device, bytes memory bid) external pure {
        uint256 word = BidSlot.opened(0, 0, window, device, bid);
        assertNotEq(word, BidSlot.opened(0, 0, uint256(window) + 1, device, bid), "window");
        assertNotEq(word, BidSlot.opened(0, 0, window, uint256(device) + 1, bid), "device");
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
    function testFuzz_IsCommittedNotWhenOpened(uint16 round, uint8 side, bytes memory bid) external pure {
        assertFalse(BidSlot.isCommitted(BidSlot.opened(round, side % 2, 1, 1, bid), round), "opened");
        assertFalse(BidSlot.isCommitted(0, round), "empty");
    }

    function _committed(Terms memory t) private pure returns (uint256) {
        return BidSlot.committed(t.round, t.side % 2, t.window, t.point, t.device, t.limitWh, t.fingerprint);
    }
}

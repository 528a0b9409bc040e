// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RightId} from "../../src/lib/RightId.sol";
import {Test} from "../utils/Test.sol";

/// @notice The token id of a right (25).
contract RightIdTest is Test {
    /// make > it keeps participant, window, side and start
    function testFuzz_ReadsBack(uint32 window, uint8 side, address participant, uint40 start) external pure {
        uint256 id = RightId.make(window, side, participant, start);
        assertEq(RightId.window(id), window, "window");
        assertEq(RightId.side(id), side, "side");
        assertEq(RightId.participant(id), participant, "participant");
        assertEq(RightId.start(id), start, "start");
        assertFalse(RightId.isFinal(id), "final");
    }

    /// make > when any part differs > the ids differ
    function testFuzz_DistinctPartsDistinctIds(uint32 w1, uint8 s1, address p1, uint32 w2, uint8 s2, address p2)
        external
        pure
    {
        vm.assume(w1 != w2 || s1 != s2 || p1 != p2);
        assertNotEq(RightId.make(w1, s1, p1, 0), RightId.make(w2, s2, p2, 0), "distinct");
    }

    /// later > it moves the start alone
    function testFuzz_LaterMovesTheStart(uint32 window, uint8 side, address participant, uint32 start, uint32 by)
        external
        pure
    {
        uint256 id = RightId.later(RightId.make(window, side, participant, start), by);
        assertEq(RightId.start(id), uint256(start) + by, "start");
        assertEq(id, RightId.make(window, side, participant, uint256(start) + by), "nothing else");
    }

    /// finalOf > it marks the id and keeps every part
    function testFuzz_FinalKeepsTheParts(uint32 window, uint8 side, address participant, uint40 start) external pure {
        uint256 id = RightId.make(window, side, participant, start);
        uint256 finalId = RightId.finalOf(id);
        assertTrue(RightId.isFinal(finalId), "final");
        assertNotEq(finalId, id, "another id");
        assertEq(RightId.window(finalId), window, "window");
        assertEq(RightId.start(finalId), start, "start");
        assertEq(RightId.participant(finalId), participant, "participant");
        assertEq(RightId.finalOf(finalId), finalId, "idempotent");
    }
}

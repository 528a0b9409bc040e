// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RightWord} from "../../src/lib/RightWord.sol";
import {Test} from "../utils/Test.sol";

/// @notice The word of a capacity right (25).
contract RightWordTest is Test {
    struct Parts {
        uint40 quantity;
        uint32 device;
        uint24 alpha;
        uint8 units;
        bool paid;
        uint96 drawn;
    }

    /// make > every field reads back, the whole is the quantity, and nothing is drawn
    function testFuzz_ReadsBack(Parts memory p) external pure {
        uint256 word = _made(p);
        assertEq(RightWord.quantity(word), p.quantity, "quantity");
        assertEq(RightWord.whole(word), p.quantity, "whole");
        assertEq(RightWord.device(word), p.device, "device");
        assertEq(RightWord.paid(word), p.paid, "paid");
        assertEq(RightWord.alpha(word), p.alpha, "alpha");
        assertEq(RightWord.units(word), p.units, "units");
        assertEq(RightWord.drawn(word), 0, "drawn");
    }

    /// make > it is the fields end to end: 40, 40, 32, 8, 24, 8 and 96 bits
    function testFuzz_IsPacked(Parts memory p) external pure {
        bytes memory packed =
            abi.encodePacked(uint104(0), p.units, p.alpha, uint8(p.paid ? 1 : 0), p.device, p.quantity, p.quantity);
        assertEq(_made(p), uint256(bytes32(packed)), "word");
    }

    /// asPaid > it is paid, and nothing else changes
    function testFuzz_AsPaid(Parts memory p) external pure {
        uint256 before = RightWord.withDrawn(_made(p), p.drawn);
        p.paid = true;
        assertEq(RightWord.asPaid(before), RightWord.withDrawn(_made(p), p.drawn), "word");
    }

    /// withDrawn > it holds the amount in place of the old one, and nothing else changes
    function testFuzz_WithDrawn(Parts memory p, uint96 old) external pure {
        uint256 word = RightWord.withDrawn(RightWord.withDrawn(_made(p), old), p.drawn);
        assertEq(RightWord.drawn(word), p.drawn, "drawn");
        assertEq(word & ((1 << 152) - 1), _made(p), "the rest");
    }

    /// part > it has its quantity, and everything else but its share of what was drawn
    function testFuzz_PartKeepsTheRest(Parts memory p, uint40 cut) external pure {
        p.quantity = uint40(bound(p.quantity, 1, type(uint40).max));
        cut = uint40(bound(cut, 1, p.quantity));
        uint256 word = RightWord.withDrawn(_made(p), p.drawn);
        uint256 part = RightWord.part(word, cut);
        assertEq(RightWord.quantity(part), cut, "quantity");
        assertEq(RightWord.whole(part), p.quantity, "whole");
        uint256 middle = ((1 << 152) - 1) ^ ((1 << 40) - 1);
        assertEq(part & middle, word & middle, "whole, device, paid, alpha, units");
        assertEq(RightWord.drawn(part), (uint256(p.drawn) * cut + p.quantity - 1) / p.quantity, "its share, rounded up");
    }

    /// part > when a right is cut in two > the parts record what was drawn, or one unit more: never less (T7)
    function testFuzz_PartsRecordAllThatWasDrawn(Parts memory p, uint40 cut) external pure {
        p.quantity = uint40(bound(p.quantity, 2, type(uint40).max));
        cut = uint40(bound(cut, 1, p.quantity - 1));
        uint256 word = RightWord.withDrawn(_made(p), p.drawn);
        uint256 sum =
            RightWord.drawn(RightWord.part(word, cut)) + RightWord.drawn(RightWord.part(word, p.quantity - cut));
        assertGe(sum, p.drawn, "at least");
        assertLe(sum, uint256(p.drawn) + 1, "rounded up once");
    }

    function _made(Parts memory p) private pure returns (uint256) {
        return RightWord.make(p.quantity, p.device, p.alpha, p.units, p.paid);
    }
}

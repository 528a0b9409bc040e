// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {RightWord} from "../../src/lib/RightWord.sol";

/// @notice Proofs on the word of a capacity right: each field comes out as it went in, and no change touches another (T8).
contract RightWordProofs {
    using RightWord for uint256;

    function check_rightWordRoundTrip(uint40 quantity, uint32 device, uint24 alpha, uint8 units, bool paid)
        external
        pure
    {
        uint256 word = RightWord.make(quantity, device, alpha, units, paid);
        assert(word.quantity() == quantity && word.whole() == quantity && word.device() == device);
        assert(word.alpha() == alpha && word.units() == units && word.paid() == paid && word.drawn() == 0);
    }

    /// @notice Payment and draws change their own field alone, from any word.
    function check_rightWordChanges(uint256 word, uint96 drawn) external pure {
        uint256 paid = word.asPaid();
        assert(paid.paid() && paid | (1 << 112) == word | (1 << 112));
        uint256 after_ = word.withDrawn(drawn);
        assert(after_.drawn() == drawn && after_ & ((1 << 152) - 1) == word & ((1 << 152) - 1));
    }

    /// @notice A part has its own quantity and keeps whole, device, payment, coefficient and units.
    /// @dev The share of what was drawn divides by a variable: fuzzed in RightWord.t.sol instead.
    function check_rightWordPart(uint40 quantity, uint32 device, uint24 alpha, uint8 units, uint40 part) external pure {
        require(part != 0 && part < quantity);
        uint256 word = RightWord.make(quantity, device, alpha, units, true).part(part);
        assert(word.quantity() == part && word.whole() == quantity && word.device() == device);
        assert(word.alpha() == alpha && word.units() == units && word.paid() && word.drawn() == 0);
    }
}

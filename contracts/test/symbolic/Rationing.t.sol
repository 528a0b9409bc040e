// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Rationing} from "../../src/lib/Rationing.sol";

/// @notice Proofs on the rationing rules (§3, T6, T7, T18): a fill lies between 0 and its segment's width, parts sum to the whole,
/// all fills sum to the residual.
/// @dev A symbolic quotient of 256 bits is hard for today's solvers: pro rata is proved for cohorts below 2^BITS Wh; seeded
/// order, which only compares and subtracts, for 16 bits. Fuzzing covers all 48 bits (attacks/Books.t.sol).
contract RationingProofs {
    uint256 private constant BITS = 3;

    function check_proRataFillsAreWithinTheirSegments(
        uint8 total,
        uint8 residual,
        uint8 phase,
        uint8 offset,
        uint8 width
    ) external pure {
        _small(total, residual, phase, offset, width);
        assert(Rationing.fill(0, offset, width, residual, total, phase) <= width);
    }

    function check_proRataFillsSumToTheResidual(uint8 total, uint8 residual, uint8 phase) external pure {
        _small(total, residual, phase, 0, total);
        assert(Rationing.fill(0, 0, total, residual, total, phase) == residual);
    }

    function check_seededOrderFillsAreWithinTheirSegments(
        uint16 total,
        uint16 residual,
        uint16 phase,
        uint16 offset,
        uint16 width
    ) external pure {
        _valid(total, residual, phase, offset, width);
        assert(Rationing.fill(1, offset, width, residual, total, phase) <= width);
    }

    function check_seededOrderFillsSumToTheResidual(uint16 total, uint16 residual, uint16 phase) external pure {
        _valid(total, residual, phase, 0, total);
        assert(Rationing.fill(1, 0, total, residual, total, phase) == residual);
    }

    function check_partsSumToTheWhole(
        uint16 total,
        uint16 residual,
        uint16 phase,
        uint16 offset,
        uint16 width,
        uint16 part
    ) external pure {
        _valid(total, residual, phase, offset, width);
        require(part <= width);
        uint256 cut = uint256(offset) + part;
        uint256 one = Rationing.fill(1, offset, part, residual, total, phase);
        uint256 two = Rationing.fill(1, cut, uint256(width) - part, residual, total, phase);
        assert(one + two == Rationing.fill(1, offset, width, residual, total, phase));
    }

    function _small(uint256 total, uint256 residual, uint256 phase, uint256 offset, uint256 width) private pure {
        require(total < 1 << BITS);
        _valid(total, residual, phase, offset, width);
    }

    function _valid(uint256 total, uint256 residual, uint256 phase, uint256 offset, uint256 width) private pure {
        require(total != 0 && residual <= total && phase < total && offset + width <= total);
    }
}

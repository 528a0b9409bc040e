// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Sharing the marginal cohort's residual by seed (20)-(22), (§3).
/// @notice The cohort's segments lie end to end in order of reveal on [0, total); a segment [a, a + w) is filled with
/// f(a + w) − f(a). Both rules sum to the residual exactly and pay nothing for splitting a bid.
/// @dev residual <= total < 2^48 and phase < total, so no product overflows.
library Rationing {
    uint8 internal constant PRO_RATA = 0;
    uint8 internal constant SEEDED_ORDER = 1;

    function fill(uint8 rule, uint256 offset, uint256 width, uint256 residual, uint256 total, uint256 phase)
        internal
        pure
        returns (uint256)
    {
        if (rule == PRO_RATA) {
            return proRata(offset + width, residual, total, phase) - proRata(offset, residual, total, phase);
        }
        return seededOrder(offset + width, residual, total, phase) - seededOrder(offset, residual, total, phase);
    }

    /// @dev Rounds down; the seed's phase decides who gets the odd Wh.
    function proRata(uint256 x, uint256 residual, uint256 total, uint256 phase) internal pure returns (uint256) {
        return (x * residual + phase) / total;
    }

    /// @dev The length of [0, x) inside the circular interval [phase, phase + residual). Exact.
    function seededOrder(uint256 x, uint256 residual, uint256 total, uint256 phase) internal pure returns (uint256) {
        uint256 end = phase + residual;
        if (end <= total) return _within(x, phase, end);
        return _within(x, 0, end - total) + _within(x, phase, total);
    }

    /// @dev The length of [0, x) inside [from, to).
    function _within(uint256 x, uint256 from, uint256 to) private pure returns (uint256) {
        if (x <= from) return 0;
        return (x < to ? x : to) - from;
    }
}

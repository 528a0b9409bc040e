// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Money in base units of the settlement token (§1, §6).
/// @notice Every function says which way it rounds; whoever receives gets the smaller amount.
/// @dev Bounds: wh < 2^56, tick < 2^14, tickSize < 2^96, ppm <= 1e6 < 2^20, so no product exceeds 2^186.
library Money {
    uint256 internal constant PPM = 1e6;
    uint256 private constant WH_PER_KWH = 1e3;

    /// @dev What a buyer owes for `wh` at `tick`: rounds up, the pool gains.
    function owed(uint256 wh, uint256 tick, uint256 tickSize) internal pure returns (uint256) {
        unchecked {
            return Math.ceilDiv(wh * tick * tickSize, WH_PER_KWH);
        }
    }

    /// @dev The most that sellers of `wh` at `tick` can earn: rounds down, the pool gains.
    function earned(uint256 wh, uint256 tick, uint256 tickSize) internal pure returns (uint256) {
        unchecked {
            return (wh * tick * tickSize) / WH_PER_KWH;
        }
    }

    /// @dev A deposit (23), (24) on a value in Wh·ticks: rounds up, the escrow gains.
    function deposit(uint256 alpha, uint256 whTicks, uint256 tickSize) internal pure returns (uint256) {
        unchecked {
            return Math.ceilDiv(alpha * whTicks * tickSize, WH_PER_KWH * PPM);
        }
    }

    /// @dev The part [start, start + wh) of a deposit; the parts of a bid sum to the whole exactly.
    function depositPart(uint256 alpha, uint256 start, uint256 wh, uint256 tick, uint256 tickSize)
        internal
        pure
        returns (uint256)
    {
        return deposit(alpha, (start + wh) * tick, tickSize) - deposit(alpha, start * tick, tickSize);
    }

    /// @dev `amount · part / whole`, rounded down: the receiver of the part loses at most one unit.
    function share(uint256 amount, uint256 part, uint256 whole) internal pure returns (uint256) {
        return (amount * part) / whole;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title A window's book as two plain arrays, and §3 by brute force: every definition tried on every tick.
/// @notice Written from the definitions; it shares no code and no closed form with the contracts.
contract BookModel {
    uint256 public immutable ticks;
    uint256[] public supplyAt;
    uint256[] public demandAt;
    uint256 public totalSupply;
    uint256 public totalDemand;

    constructor(uint256 ticks_) {
        ticks = ticks_;
        supplyAt = new uint256[](ticks_);
        demandAt = new uint256[](ticks_);
    }

    function add(uint256 side, uint256 tick, uint256 width) external returns (uint256 before) {
        if (side == 0) {
            before = supplyAt[tick];
            supplyAt[tick] += width;
            totalSupply += width;
        } else {
            before = demandAt[tick];
            demandAt[tick] += width;
            totalDemand += width;
        }
    }

    /// @notice S(λ): supply at ticks <= λ.
    function supply(uint256 tick) public view returns (uint256 sum) {
        for (uint256 i; i < ticks && i <= tick; ++i) {
            sum += supplyAt[i];
        }
    }

    /// @notice S(λ−).
    function supplyBelow(uint256 tick) public view returns (uint256) {
        return supply(tick) - supplyAt[tick];
    }

    /// @notice D(λ): demand at ticks >= λ.
    function demand(uint256 tick) public view returns (uint256 sum) {
        for (uint256 i = tick; i < ticks; ++i) {
            sum += demandAt[i];
        }
    }

    /// @notice D(λ+).
    function demandAbove(uint256 tick) public view returns (uint256) {
        return demand(tick) - demandAt[tick];
    }

    /// @notice λ_lo = min { λ : D(λ+) <= S(λ) } (19).
    function lowest() public view returns (uint256 tick) {
        while (demandAbove(tick) > supply(tick)) ++tick;
    }

    /// @notice λ_hi = max { λ : S(λ−) <= D(λ) }.
    function highest() public view returns (uint256 tick) {
        tick = ticks - 1;
        while (supplyBelow(tick) > demand(tick)) --tick;
    }

    /// @notice V = min(S(λ), D(λ)).
    function volume(uint256 tick) public view returns (uint256) {
        (uint256 s, uint256 d) = (supply(tick), demand(tick));
        return s < d ? s : d;
    }

    /// @notice The largest trade at any one price.
    function largestTrade() external view returns (uint256 best) {
        for (uint256 i; i < ticks; ++i) {
            uint256 v = volume(i);
            if (v > best) best = v;
        }
    }

    /// @notice The dual Φ (9): both sides' surplus at a price, in Wh·ticks; λ clears iff it is a minimiser.
    function dual(uint256 tick) public view returns (uint256 sum) {
        for (uint256 i; i < ticks; ++i) {
            if (i < tick) sum += supplyAt[i] * (tick - i);
            else sum += demandAt[i] * (i - tick);
        }
    }

    /// @notice The greatest welfare of any trade: serve the highest bids from the lowest asks, Wh by Wh.
    function bestWelfare() external view returns (uint256 welfare) {
        uint256 ask;
        uint256 bid = ticks - 1;
        uint256 askLeft = supplyAt[0];
        uint256 bidLeft = demandAt[bid];
        while (true) {
            while (askLeft == 0) {
                if (++ask == ticks) return welfare;
                askLeft = supplyAt[ask];
            }
            while (bidLeft == 0) {
                if (bid == 0) return welfare;
                bidLeft = demandAt[--bid];
            }
            if (ask >= bid) return welfare;
            uint256 step = askLeft < bidLeft ? askLeft : bidLeft;
            welfare += step * (bid - ask);
            askLeft -= step;
            bidLeft -= step;
        }
    }
}

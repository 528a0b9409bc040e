// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {CapacityRights} from "../../src/CapacityRights.sol";
import {Clearing} from "../../src/Clearing.sol";
import {Issue} from "../../src/Issue.sol";
import {MarketState} from "../../src/MarketState.sol";
import {Vault} from "../../src/Vault.sol";
import {Rationing} from "../../src/lib/Rationing.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Books without seals: the market's own price book, clearing and fills, many windows in one transaction
/// @notice Used by the differential tests of Python and of forge. Bids enter by the market's `_enter`, windows are cleared by
/// its `clear`, fills come from its `_measure`; only commitments and money are left out. Windows are in phase Reveal or
/// Clearing by the calendar that the test chooses.
contract BookHarness is Issue {
    /// @notice One window. `bids` in order of reveal: side, number of segments (one byte each), then the curve.
    struct Case {
        uint32 window;
        bool seeded; // `seed` is the window's seed; else it is computed from `accumulator`
        uint256 seed;
        uint256 accumulator; // the sum of the blinders' hashes
        uint24 unopenedSellers;
        uint24 unopenedBuyers;
        uint256 digest; // 200 bits
        bytes bids;
    }

    /// @notice One marginal segment's share.
    struct Share {
        uint8 rule;
        uint256 offset;
        uint256 width;
        uint256 residual;
        uint256 total;
        uint256 phase;
    }

    /// @notice The window's bids with their offsets, what each gets, and what each keeps locked.
    event Filled(uint256 indexed window, bytes[] bids, uint256[] fills, uint256[] locked);

    mapping(uint256 window => bool) private _seeded;
    mapping(uint256 window => uint256) private _seeds;

    constructor(Calendar.Parameters memory p)
        Calendar(p)
        Vault(IERC20(address(1)), address(1))
        MarketState(address(1))
        Bidding(true)
        Issue(CapacityRights(address(1)))
    {}

    /// @notice Enters, clears and fills windows.
    function play(Case[] calldata cases) external {
        for (uint256 i; i < cases.length; ++i) {
            (bytes[] memory bids, uint256[] memory sides) = _load(cases[i]);
            Clearing(address(this)).clear(cases[i].window);
            _fill(cases[i].window, bids, sides);
        }
    }

    /// @notice What an opened bid keeps locked, and its fill.
    function measure(Claim calldata bid, uint256 side) external view returns (uint256, uint256) {
        return _measure(bid, side, _result[bid.window]);
    }

    /// @notice Shares of the residual, as a claim computes them.
    function shares(Share[] calldata cases) external pure returns (uint256[] memory filled) {
        filled = new uint256[](cases.length);
        for (uint256 i; i < cases.length; ++i) {
            Share calldata s = cases[i];
            filled[i] = Rationing.fill(s.rule, s.offset, s.width, s.residual, s.total, s.phase);
        }
    }

    function _load(Case calldata c) private returns (bytes[] memory bids, uint256[] memory sides) {
        (uint256 round, uint256 place) = _ringOf(c.window);
        (_seeded[c.window], _seeds[c.window]) = (c.seeded, c.seed);
        unchecked {
            _blinders[place] = c.accumulator + 1;
        }
        uint256[2] memory counts = [uint256(c.unopenedSellers), c.unopenedBuyers];
        (bids, sides) = _sized(c.bids);
        uint256 at;
        for (uint256 i; i < bids.length; ++i) {
            uint256 end = at + 2 + uint256(uint8(c.bids[at + 1])) * 6;
            bids[i] = _enter(c.bids[at + 2:end], round, place, sides[i]);
            ++counts[sides[i]];
            at = end;
        }
        _status[c.window] = STATUS_OPEN | (counts[0] << 8) | (counts[1] << 32) | (c.digest << 56);
    }

    /// @dev Room for the bids, and their sides.
    function _sized(bytes calldata packed) private pure returns (bytes[] memory bids, uint256[] memory sides) {
        uint256 n;
        for (uint256 at; at < packed.length; at += 2 + uint256(uint8(packed[at + 1])) * 6) {
            ++n;
        }
        (bids, sides) = (new bytes[](n), new uint256[](n));
        uint256 place;
        for (uint256 i; i < n; ++i) {
            sides[i] = uint8(packed[place]);
            place += 2 + uint256(uint8(packed[place + 1])) * 6;
        }
    }

    function _fill(uint256 window, bytes[] memory bids, uint256[] memory sides) private {
        uint256[] memory fills = new uint256[](bids.length);
        uint256[] memory locked = new uint256[](bids.length);
        for (uint256 i; i < bids.length; ++i) {
            // The terms of a device without a record.
            Claim memory claim = Claim(uint32(window), address(0), uint96(_terms(0)), bids[i]);
            (locked[i], fills[i]) = this.measure(claim, sides[i]);
        }
        emit Filled(window, bids, fills, locked);
    }

    /// @dev The market's own seed, unless the case gives one.
    function _seed(uint256 window, uint256 place) internal view override returns (uint256) {
        return _seeded[window] ? _seeds[window] : super._seed(window, place);
    }
}

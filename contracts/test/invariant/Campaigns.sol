// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Wind} from "./Wind.sol";

/// @title Whole campaigns in one test, and what became of their windows.
abstract contract Campaigns is Wind {
    function afterInvariant() external {
        _windUp();
        _everySentence();
        assertEq(token.balanceOf(address(market)), 0, "money left in the market");
        for (uint256 i; i < ACTORS; ++i) {
            assertEq(_promised(_actors_[i]), 0, "energy left promised");
        }
    }

    /// @dev Walks like those of the campaigns; three quarters at least must settle a window. README.md quotes the counts.
    function test_CampaignsSeeWholeLivesOfWindows() external {
        uint256 walks = vm.envOr("WALKS", 8);
        uint256 settled;
        bytes4[] memory s = _selectors();
        uint256 state = vm.snapshotState();
        for (uint256 walk; walk < walks; ++walk) {
            for (uint256 i; i < 200; ++i) {
                uint256 h = uint256(keccak256(abi.encode(walk, i)));
                (bool ok, bytes memory reason) = address(this).call(abi.encodeWithSelector(s[h % s.length], h));
                assertTrue(ok, vm.toString(reason));
            }
            for (uint256 i; i < _actionNames.length; ++i) {
                emit log_named_uint(_actionNames[i], _count[_actionNames[i]]);
            }
            if (_report() != 0) ++settled;
            _everySentence();
            vm.revertToState(state);
        }
        emit log_named_uint("walks that settled a window", settled);
        assertGe(settled, walks * 3 / 4);
    }

    /// @dev Logs how the walk's windows ended; returns how many were settled to the last right.
    function _report() private returns (uint256 settled) {
        uint256[5] memory statuses;
        for (uint256 i; i < _windows.length; ++i) {
            Day storage d = _days[_windows[i]];
            ++statuses[d.status];
            if (d.status == 2 && d.settled == d.volume + d.paid) ++settled;
        }
        emit log_named_uint("windows still open", statuses[1]);
        emit log_named_uint("windows traded", statuses[2]);
        emit log_named_uint("windows without trade", statuses[3]);
        emit log_named_uint("windows void", statuses[4]);
        emit log_named_uint("windows settled", settled);
    }

    /// @dev Checks every sentence of the invariants.
    function _everySentence() internal view virtual;
}

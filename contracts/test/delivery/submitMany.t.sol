// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Metering} from "../../src/Metering.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Delivery.submitMany(readings, signatures).
contract SubmitManyTest is Fixture {
    /// when the arrays differ in length > it reverts with LengthMismatch
    function testFuzz_RevertWhen_LengthsDiffer(uint8 a, uint8 b) external {
        vm.assume(a != b);
        vm.expectRevert(Errors.LengthMismatch.selector);
        delivery.submitMany(new Metering.Reading[](a), new bytes[](b));
    }

    /// when a reading is refused > it is skipped, and the others are accepted
    function test_SkipsRefusedReadings() external {
        (Metering.Reading[] memory r, bytes[] memory s) = _batch();
        s[1] = s[0];
        // the third now skips a counter: a gap, from a stranger
        assertEq(delivery.submitMany(r, s), 1, "accepted");
        assertEq(delivery.deliveredWh(W, 1), 1, "delivered");
    }

    /// when one is replayed in the batch > it counts once (T23)
    function testFuzz_CountsOnce(uint8 which) external {
        (Metering.Reading[] memory r, bytes[] memory s) = _batch();
        uint256 i = which % 2;
        (r[i + 1], s[i + 1]) = (r[i], s[i]);
        uint256 accepted = delivery.submitMany(r, s);
        assertEq(accepted, i == 0 ? 1 : 2, "accepted");
    }

    /// when all is well > it accepts all
    function test_AcceptsAll() external {
        (Metering.Reading[] memory r, bytes[] memory s) = _batch();
        assertEq(delivery.submitMany(r, s), 3, "accepted");
        assertEq(delivery.deliveredWh(W, 1), 1 + 2 + 3, "delivered");
    }

    function _batch() private returns (Metering.Reading[] memory r, bytes[] memory s) {
        vm.warp(_end(W));
        r = new Metering.Reading[](3);
        s = new bytes[](3);
        for (uint256 i; i < 3; ++i) {
            r[i] = _reading(1, W, i, i + 1, i + 1);
            s[i] = _signReading(r[i], _meterKey(sellerKey));
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Metering} from "../../src/Metering.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {EvidenceFixture} from "./EvidenceFixture.sol";

/// @notice Delivery.redeemMany(vouchers, signatures).
contract RedeemManyTest is EvidenceFixture {
    /// when the arrays differ in length > it reverts with LengthMismatch
    function testFuzz_RevertWhen_LengthsDiffer(uint8 a, uint8 b) external {
        vm.assume(a != b);
        vm.expectRevert(Errors.LengthMismatch.selector);
        delivery.redeemMany(new Metering.Voucher[](a), new bytes[](b));
    }

    /// when there is none > it accepts none
    function test_AnEmptyBatch() external {
        assertEq(delivery.redeemMany(new Metering.Voucher[](0), new bytes[](0)), 0, "none");
    }

    /// when all are next > it accepts all
    function test_AcceptsAll() external {
        (Metering.Voucher[] memory v, bytes[] memory s) = _batch();
        assertEq(delivery.redeemMany(v, s), 3, "accepted");
        _assertCounted(DEVICE, 60, 3);
    }

    /// when one is refused > it is skipped, and the others are accepted; the last restores what the lost one said (T45)
    function testFuzz_SkipsRefusedVouchers(uint8 which) external {
        (Metering.Voucher[] memory v, bytes[] memory s) = _batch();
        which %= 3;
        s[which] = "";
        assertEq(delivery.redeemMany(v, s), 2, "accepted");
        _assertCounted(DEVICE, which == 2 ? 30 : 60, which == 2 ? 2 : 3);
    }

    /// when they come in another order > the highest wins, and the count says how many were news
    function testFuzz_AnyOrder(uint8 first, uint8 second) external {
        (Metering.Voucher[] memory v, bytes[] memory s) = _batch();
        (first, second) = (first % 3, second % 3);
        (v[0], v[first]) = (v[first], v[0]);
        (s[0], s[first]) = (s[first], s[0]);
        (v[1], v[second]) = (v[second], v[1]);
        (s[1], s[second]) = (s[second], s[1]);
        uint256 news;
        uint256 highest;
        for (uint256 i; i < 3; ++i) {
            if (v[i].through > highest) (highest, news) = (v[i].through, news + 1);
        }
        assertEq(delivery.redeemMany(v, s), news, "accepted");
        _assertCounted(DEVICE, 60, 3);
    }

    /// when several devices and windows are in one batch > each counts for itself
    function test_ManyDevices() external {
        Metering.Voucher[] memory v = new Metering.Voucher[](3);
        bytes[] memory s = new bytes[](3);
        vm.warp(_start(W + 1) + 300);
        v[0] = _voucher(DEVICE, W, 3, 10);
        v[1] = _voucher(DEVICE2, W, 2, 20);
        v[2] = _voucher(DEVICE, W + 1, 1, 30);
        s[0] = _signVoucher(v[0]);
        s[1] = _signVoucher(v[1], _meterKey(seller2Key));
        s[2] = _signVoucher(v[2]);
        assertEq(delivery.redeemMany(v, s), 3, "accepted");
        _assertCounted(DEVICE, 10, 3);
        _assertCounted(DEVICE2, 20, 2);
        assertEq(delivery.deliveredWh(W + 1, DEVICE), 30, "the next window");
    }

    function _batch() private returns (Metering.Voucher[] memory v, bytes[] memory s) {
        vm.warp(_end(W));
        v = new Metering.Voucher[](3);
        s = new bytes[](3);
        uint256 sum;
        for (uint256 i; i < 3; ++i) {
            sum += 10 * (i + 1);
            v[i] = _voucher(DEVICE, W, i + 1, sum);
            s[i] = _signVoucher(v[i]);
        }
    }
}

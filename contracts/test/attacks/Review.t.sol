// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Metering} from "../../src/Metering.sol";
import {EvidenceFixture} from "../delivery/EvidenceFixture.sol";

/// @notice What a review of promises and evidence tried, each as it should be.
contract ReviewAttacks is EvidenceFixture {
    /// A seller's device is revoked while it has promises (or replaced by a smaller one): it can still buy.
    function test_T42_APromiseBeyondTheDeviceDoesNotStopABuyer() external {
        market.open(0, 2);
        _commitUnits(0, seller, 64, _one(10, 20_000));
        vm.prank(issuer);
        registry.revokeDevice(DEVICE);
        assertGt(_promised(seller), _capacity(seller), "promised beyond");
        vm.prank(seller);
        market.commit(1, NO_UNITS, 1);
    }

    /// The same seller gives its promise up by turning its commitment into a buyer's.
    function test_T42_ACommitmentBecomesABuyersWhateverIsPromised() external {
        market.open(0, 2);
        _commitUnits(0, seller, 64, _one(10, 20_000));
        _commitUnits(1, seller, 64, _one(10, 20_000));
        vm.prank(issuer);
        registry.revokeDevice(DEVICE);
        vm.prank(seller);
        market.commit(1, NO_UNITS, 1);
        assertEq(_promised(seller), 64, "what window 0 holds");
    }

    /// A reading was lost and skipped by the owner. The meter's voucher of the whole window is on its way; a buyer, who gains by
    /// what is not counted, sends the window's last reading first.
    function test_T45_ALastReadingDoesNotCutAVoucherOff() external {
        _issued();
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(DEVICE, W, 1, 300, 2);
        bytes memory signature = _signReading(r, _meterKey(sellerKey));
        vm.prank(seller);
        delivery.submit(r, signature);
        r = _reading(DEVICE, W, 2, 350, 3);
        signature = _signReading(r, _meterKey(sellerKey));
        vm.prank(buyer);
        delivery.submit(r, signature);
        _assertCounted(DEVICE, 650, 3);
        _redeem(_voucher(DEVICE, W, 3, 950));
        _assertCounted(DEVICE, 950, 3);
        _redeemRefused(_voucher(DEVICE, W, 3, 950), Metering.Refusal.Superseded);
        _redeemRefused(_voucher(DEVICE, W, 3, 949), Metering.Refusal.Superseded);
    }

    /// The same battery of 20 kWh is certified again with less power (its units are smaller) while all of it is promised.
    function test_T42_ANewCertificateOfOneBatteryDoesNotSellItTwice() external {
        _device(_certificate(seller, sellerKey, 20_000, 80_000));
        market.open(0, 3);
        _commitUnits(0, seller, 64, _one(10, 20_000));
        _device(_certificate(seller, sellerKey, 20_000, 40_000)); // 10,000 Wh a window, 128 units
        uint256 point = 1;
        vm.prank(seller);
        (bool sold,) = address(market).call(abi.encodeCall(market.commit, (1, 64, point)));
        assertFalse(sold, "30 kWh of 20 are promised");
    }

    /// The meter signs a window's sum anew because it was too low (a late sample, a counter read again). Of two vouchers over the
    /// same sub-slots the highest wins, whichever a stranger redeems first.
    function test_T45_ALowerVoucherOfTheSameSubSlotsDoesNotCutTheHigherOff() external {
        _issued();
        vm.warp(_end(W));
        Metering.Voucher memory low = _voucher(DEVICE, W, 3, 650);
        bytes memory signature = _signVoucher(low);
        vm.prank(buyer);
        delivery.redeem(low, signature);
        _redeem(_voucher(DEVICE, W, 3, 950));
        _assertCounted(DEVICE, 950, 3);
        _redeemRefused(low, Metering.Refusal.Superseded);
        assertEq(delivery.draw(_right(W, SELL, seller)), 1000, "the whole payment");
    }

    /// Another device has nothing to sell until what the old one promised is over, a forgotten commitment too; then anybody can
    /// have the registry asked again, and before that it gains nothing.
    function test_T42_AnotherDeviceSellsOnceTheOldPromisesAreOver() external {
        _open(0);
        _commitUnits(0, seller, 64, _one(10, 20_000));
        _device(_certificate(seller, sellerKey, 20_000, 40_000));
        vm.prank(stranger);
        registry.refresh(seller);
        assertEq(_capacity(seller), 0, "not yet");
        vm.warp(_revealDeadline(0));
        market.clear(0); // never opened
        registry.refresh(seller);
        assertEq(_capacity(seller), 0, "the forgotten commitment holds its units");
        market.refundCommitment(0, seller);
        vm.prank(stranger);
        registry.refresh(seller);
        assertEq(_capacity(seller), 128, "free");
        _open(3);
        _commitUnits(3, seller, 64, _one(10, 10_000));
        registry.refresh(seller);
        assertEq(_capacity(seller), 128, "as it was");
        assertEq(_promised(seller), 64, "kept");
    }

    /// Asking the registry again changes nothing else: money, record, roles.
    function test_T43_ARefreshKeepsMoneyRecordAndRoles() external {
        _setReliability(seller, 700_000);
        uint256 word = market.accountOf(seller);
        vm.prank(stranger);
        registry.refresh(seller);
        assertEq(market.accountOf(seller), word, "seller");
        registry.refresh(stranger);
        assertEq(market.accountOf(stranger), 0, "nobody");
    }
}

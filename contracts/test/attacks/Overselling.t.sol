// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Registry} from "../../src/Registry.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Seal} from "../utils/Seal.sol";

/// @notice Attacks on a battery's energy and on its record: sold twice, whitewashed, farmed (T42-T44).
contract OversellingAttacks is Fixture {
    uint256 private constant GAIN = 250_000;

    function _parameters() internal pure virtual override returns (Calendar.Parameters memory p) {
        p = super._parameters();
        p.reliabilityGain = uint32(GAIN);
    }

    // --------------------------------------------------------------------------------------------------------------- T42

    /// A battery that is full once is sold whole in three windows that overlap in time.
    function test_T42_OneBatteryIsNotSoldInManyWindows() external {
        _oneWindowsEnergy();
        market.open(0, 3);
        _commitUnits(0, seller, 64, _one(10, 20_000));
        for (uint256 w = 1; w < 3; ++w) {
            for (uint256 units = 1; units <= 64; units += 63) {
                vm.expectRevert(abi.encodeWithSelector(Errors.Oversold.selector, seller, 64 + units, 64));
                vm.prank(seller);
                market.commit(w, units, 1);
            }
        }
    }

    /// The whole battery is committed to one unit a window, and opened with all of Q_max.
    function test_T42_AnOpeningCannotOfferMoreThanItsUnits() external {
        _oneWindowsEnergy();
        _open(W);
        Bidding.Opening memory o = _openingOf(W, seller, 1, _one(10, 20_000));
        uint256 point = Seal.point(address(market), o, SELL);
        vm.prank(seller);
        market.commit(W, 1, point);
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.BeyondDevice.selector));
        market.reveal(o);
        o.terms = _terms(seller, 64);
        vm.expectRevert(_refused(o, Errors.OpeningMismatch.selector));
        market.reveal(o);
    }

    /// The seller fills its promises, and tries every step that could free them before it has delivered.
    function test_T42_NothingFreesWhatIsSoldBeforeItsSettlement() external {
        _oneWindowsEnergy();
        (uint256 s,) = _sold(W, 20_000);
        _open(W + 1);
        uint256 part = _split(s, 7000);
        vm.prank(seller);
        rights.transferFrom(seller, stranger, part);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoCommitment.selector, W, seller));
        market.refundCommitment(W, seller);
        _register(seller, 3);
        _read(sellerKey, 3, W, 0, 6000);
        delivery.draw(s);
        assertEq(_promised(seller), 64, "still promised");
        vm.warp(_readingsClose(W) - 1);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Delivery));
        delivery.settle(s);
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        delivery.settle(part);
        assertEq(_promised(seller), 0, "then all of it is free, once");
    }

    /// Commitments are made, not opened, and made again: each holds its energy until it is ended, and comes back once.
    function testFuzz_T42_ForfeitedCommitmentsGiveTheirEnergyBackOnce(uint8 units, bool refunded) external {
        _oneWindowsEnergy();
        uint256 held = bound(units, 1, 64);
        _open(W);
        _commitUnits(W, seller, held, _one(10, 1));
        vm.warp(_revealDeadline(W));
        market.clear(W);
        assertEq(_promised(seller), held, "held");
        if (refunded) {
            market.refundCommitment(W, seller);
            assertEq(_promised(seller), 0, "back");
            vm.expectRevert(abi.encodeWithSelector(Errors.NoCommitment.selector, W, seller));
            market.refundCommitment(W, seller);
        }
        uint256 later = W + market.calendar().ring;
        vm.warp(_start(W) + 1);
        _open(later);
        _commitUnits(later, seller, 64, _one(10, 1));
        assertEq(_promised(seller), 64, "the new one's alone");
    }

    /// A battery is sold and replaced by another, larger or smaller, whose units are of another size: nothing more is sold
    /// until all that the old one promised is over.
    function testFuzz_T42_AnotherDeviceDoesNotShedPromises(uint32 usable, uint32 exportW, uint8 sold) external {
        market.open(0, 2);
        _commitUnits(0, seller, bound(sold, 1, 64), _one(10, 1));
        _device(
            _certificate(
                seller, sellerKey, uint32(bound(usable, 1, 2 ** 32 - 1)), uint32(bound(exportW, 4, 2 ** 32 - 1))
            )
        );
        registry.refresh(seller);
        vm.expectRevert(abi.encodeWithSelector(Errors.Oversold.selector, seller, bound(sold, 1, 64) + 1, 0));
        vm.prank(seller);
        market.commit(1, 1, 1);
        vm.prank(seller);
        market.withdrawCommitment(0);
        registry.refresh(seller);
        vm.prank(seller);
        market.commit(1, 1, 1);
    }

    /// The account goes through devices to come back to one with free energy: each has a number of its own.
    function test_T42_AChainOfDevicesDoesNotShedPromises() external {
        market.open(0, 2);
        _commitUnits(0, seller, 64, _one(10, 1));
        for (uint256 i; i < 3; ++i) {
            _device(_certificate(seller, sellerKey, 160_000, 80_000));
            _register(seller, 3);
            registry.refresh(seller);
            vm.expectRevert(abi.encodeWithSelector(Errors.Oversold.selector, seller, 65, 0));
            vm.prank(seller);
            market.commit(1, 1, 1);
        }
    }

    // --------------------------------------------------------------------------------------------------------------- T43

    /// A seller that failed registers the same battery again: its record is gone, and its coefficient is the highest there is.
    function test_T43_ANewDeviceIsNotCheaperThanABadRecord() external {
        _setReliability(seller, 100_000);
        uint256 bad = _alpha(seller);
        _device(_certificate(seller, sellerKey, 160_000, 80_000));
        assertEq(_reliability(seller), 0, "a newcomer");
        assertGt(_alpha(seller), bad, "pays more than the worst record");
        assertEq(_alpha(seller), 200_000, "the most");
    }

    /// A proven seller knows that it will fail, and registers another device before the settlement can tell.
    function test_T43_AFailureIsNotEscapedByANewDevice() external {
        _setReliability(seller, 1e6);
        (uint256 s,) = _sold(W, 20_000);
        uint256 state = vm.snapshotState();
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        uint256 stayed = _reliability(seller);
        assertEq(stayed, 750_000, "a quarter is lost");
        vm.revertToState(state);
        _device(_certificate(seller, sellerKey, 160_000, 80_000));
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        assertLt(_reliability(seller), stayed, "by the new device all is lost");
    }

    /// The record is moved to another account with the same battery: there it is none.
    function test_T43_ARecordDoesNotTravel() external {
        _setReliability(seller, 1e6);
        vm.prank(issuer);
        registry.revokeDevice(1);
        assertEq(_reliability(seller), 0, "revoked");
        _device(_certificate(seller2, sellerKey, 160_000, 80_000));
        assertEq(_reliability(seller2), 0, "another account");
        // After a revocation an issuer itself sends the next certificate (T30).
        Registry.DeviceCertificate memory c = _certificate(seller, sellerKey, 160_000, 80_000);
        bytes memory signature = _signCertificate(c, issuerKey);
        vm.prank(issuer);
        registry.registerDevice(c, signature);
        assertEq(_reliability(seller), 0, "back again");
    }

    /// A credential is renewed, revoked and renewed: the device is the same, and so is its record, good or bad.
    function test_T43_ACredentialsRenewalIsNoNewStart() external {
        _setReliability(seller, 123_456);
        _register(seller, 3);
        assertEq(_reliability(seller), 123_456, "renewed");
        vm.prank(issuer);
        registry.revoke(seller);
        assertEq(_reliability(seller), 123_456, "revoked");
    }

    // --------------------------------------------------------------------------------------------------------------- T44

    /// A record is farmed with sales of one watt-hour: each moves it by a 20,000th of the gain.
    function testFuzz_T44_TinySalesBuildNoRecord(uint16 wh) external {
        uint256 fill = bound(wh, 1, 20);
        (uint256 s,) = _sold(W, fill);
        _deliver(sellerKey, 1, W, fill);
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        assertEq(_reliability(seller), GAIN * fill / 20_000, "no more than its share");
        assertLe(_reliability(seller), 250, "for a thousandth of the device");
    }

    /// One sale is split into many parts, so that each may count.
    function test_T44_ASplitSaleCountsOnce() external {
        (uint256 s,) = _sold(W, 20_000);
        uint256[] memory parts = new uint256[](10);
        parts[0] = s;
        for (uint256 i = 1; i < parts.length; ++i) {
            parts[i] = _split(parts[i - 1], 1000);
        }
        _deliver(sellerKey, 1, W, 19_000);
        vm.warp(_readingsClose(W));
        for (uint256 i = parts.length; i > 0; --i) {
            delivery.settle(parts[i - 1]);
        }
        assertEq(_reliability(seller), GAIN, "once");
    }

    /// A seller that is to fail cuts off a crumb as its right's first part: the crumb counts for the whole.
    function test_T44_AFailureCannotBeHiddenInACrumb() external {
        _setReliability(seller, 1e6);
        (uint256 s,) = _sold(W, 20_000);
        uint256 rest = _split(s, 1);
        vm.warp(_readingsClose(W));
        delivery.settle(rest);
        delivery.settle(s);
        assertEq(_reliability(seller), 750_000, "the whole bid's weight");
    }

    /// A settlement token is settled again, so that its record counts twice.
    function test_T44_ASettledBidCountsNoMore() external {
        (uint256 s,) = _sold(W, 20_000);
        _deliver(sellerKey, 1, W, 19_000);
        vm.warp(_readingsClose(W));
        delivery.settle(s);
        uint256[] memory again = new uint256[](2);
        (again[0], again[1]) = (s, RightId.finalOf(s));
        assertEq(delivery.settleMany(again), 0, "nothing is left to settle");
        assertEq(_reliability(seller), GAIN, "once");
    }

    /// Who settles in which order chooses the order in which a good and a bad window count: it moves the record by at
    /// most the gain squared, and gains nothing in the long run.
    function test_T44_TheOrderOfSettlementMovesLittle() external {
        _open(W + 1);
        uint256[2] memory ids;
        Issue.Claim[4] memory c;
        Bidding.Opening[4] memory o;
        _open(W);
        for (uint256 i; i < 2; ++i) {
            o[2 * i] = _commit(W + i, seller, SELL, _one(10, 20_000));
            o[2 * i + 1] = _commit(W + i, buyer, BUY, _one(20, 20_000));
            ids[i] = _right(W + i, SELL, seller);
        }
        for (uint256 i; i < 2; ++i) {
            _toReveal(W + i);
            (c[2 * i], c[2 * i + 1]) = (_reveal(o[2 * i]), _reveal(o[2 * i + 1]));
        }
        for (uint256 i; i < 4; ++i) {
            if (i % 2 == 0) market.clear(W + i / 2);
            market.claim(c[i]);
        }
        _deliver(sellerKey, 1, W + 1, 19_000);
        vm.warp(_readingsClose(W + 1));
        _setReliability(seller, 500_000);
        uint256 state = vm.snapshotState();
        delivery.settle(ids[0]);
        delivery.settle(ids[1]);
        uint256 badFirst = _reliability(seller);
        vm.revertToState(state);
        delivery.settle(ids[1]);
        delivery.settle(ids[0]);
        uint256 goodFirst = _reliability(seller);
        assertEq(badFirst - goodFirst, GAIN * GAIN / 1e6, "the gain squared");
    }

    function _alpha(address account) private view returns (uint256) {
        return uint24(market.termsOf(account) >> 64);
    }

    /// @dev The seller's battery is replaced by one with the energy of one window.
    function _oneWindowsEnergy() private {
        _device(_certificate(seller, sellerKey, 20_000, 80_000));
    }

    function _split(uint256 id, uint256 quantity) private returns (uint256) {
        vm.prank(seller);
        return rights.split(id, quantity);
    }

    /// @dev The seller asks 20,000 Wh, `fill` of which is bought and paid.
    function _sold(uint256 window, uint256 fill) private returns (uint256 s, uint256 b) {
        _open(window);
        Bidding.Opening memory ask = _commit(window, seller, SELL, _one(10, 20_000));
        Bidding.Opening memory bid = _commit(window, buyer, BUY, _one(20, fill));
        _toReveal(window);
        Issue.Claim memory c = _reveal(ask);
        Issue.Claim memory d = _reveal(bid);
        market.clear(window);
        market.claim(c);
        market.claim(d);
        return (_right(window, SELL, seller), _right(window, BUY, buyer));
    }
}

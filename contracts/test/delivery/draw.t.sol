// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {Delivery} from "../../src/Delivery.sol";
import {Issue} from "../../src/Issue.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {EvidenceFixture} from "./EvidenceFixture.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

/// @notice Delivery.draw(rightId), entitlementOf(rightId), fulfilmentOf(rightId).
contract DrawTest is EvidenceFixture {
    /// when it is a buyer's right or a settlement token > it reverts with NotSellerRight
    function testFuzz_RevertWhen_NotASellersRight(uint256 id, uint8 side) external {
        id = RightId.make(0, bound(side, 1, 255), address(uint160(id)), 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotSellerRight.selector, id));
        delivery.draw(id);
        id = RightId.finalOf(_right(W, SELL, seller));
        vm.expectRevert(abi.encodeWithSelector(Errors.NotSellerRight.selector, id));
        delivery.draw(id);
    }

    /// when the right does not exist > it reverts with the token's error
    function testFuzz_RevertWhen_NoRight(uint32 window, address account) external {
        uint256 id = _right(window, SELL, account);
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, id));
        delivery.draw(id);
    }

    /// when payments are still awaited > it reverts with WrongPhase, a second before the deadline too (T9)
    function test_RevertWhen_PaymentsAreAwaited() external {
        (uint256 s,) = _issued();
        vm.warp(_paymentDeadline(W) - 1);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Payment));
        delivery.draw(s);
        vm.warp(_paymentDeadline(W));
        assertEq(delivery.draw(s), 0, "nothing delivered yet");
    }

    /// when something was delivered > it pays the holder the price of it over eta, rounded down (32)
    function testFuzz_PaysWhatWasDelivered(uint16 energy) external {
        (uint256 s,) = _issued();
        uint256 delivered = energy % 6667;
        _read(sellerKey, 1, W, 0, delivered);
        uint256 metered = delivered * 1000 / 950;
        uint256 due = metered < 1000 ? metered : 1000;
        assertEq(delivery.entitlementOf(s), due, "entitlement");
        if (due != 0) {
            vm.expectEmit(address(delivery));
            emit Delivery.Drawn(s, seller, due);
        }
        assertEq(delivery.draw(s), due, "drawn");
        assertEq(market.balanceOf(seller), FUNDS - 200 + due, "balance");
        assertEq(rights.rightOf(s).drawn, due, "recorded");
    }

    /// when it was drawn already > it pays nothing more (T10)
    function testFuzz_PaysOnce(uint16 energy) external {
        (uint256 s,) = _issued();
        _read(sellerKey, 1, W, 0, energy % 6667);
        delivery.draw(s);
        assertEq(delivery.draw(s), 0, "nothing more");
    }

    /// when it is drawn after every sub-slot > the sum is what one draw at the end pays
    function testFuzz_TheStreamSumsUp(uint16 a, uint16 b, uint16 c) external {
        (uint256 s,) = _issued();
        uint256 sum;
        uint256[3] memory energy = [uint256(a) % 600, uint256(b) % 600, uint256(c) % 600];
        for (uint256 i; i < 3; ++i) {
            _read(sellerKey, 1, W, i, energy[i]);
            sum += delivery.draw(s);
        }
        assertEq(sum, delivery.entitlementOf(s), "sum");
    }

    /// when more is delivered than the right > it pays no more than the right's price
    function testFuzz_TheRightCapsTheStream(uint16 energy) external {
        (uint256 s,) = _issued();
        _read(sellerKey, 1, W, 0, bound(energy, 950, 6667));
        assertEq(delivery.draw(s), 1000, "capped");
    }

    /// when the right was transferred > its holder receives
    function test_TheHolderReceives() external {
        (uint256 s,) = _issued();
        vm.prank(seller);
        rights.transferFrom(seller, stranger, s);
        _read(sellerKey, 1, W, 0, 950);
        delivery.draw(s);
        assertEq(market.balanceOf(stranger), 1000, "holder");
    }

    /// when the right was split > the parts draw no more than the whole would (T7)
    function testFuzz_PartsDrawNoMore(uint256 cut, uint16 before, uint16 later) external {
        (uint256 s,) = _issued();
        cut = bound(cut, 1, 999);
        _read(sellerKey, 1, W, 0, before % 700);
        uint256 drawn = delivery.draw(s);
        vm.prank(seller);
        uint256 part = rights.split(s, cut);
        _read(sellerKey, 1, W, 1, later % 700);
        drawn += delivery.draw(s) + delivery.draw(part);
        uint256 metered = (uint256(before % 700) + later % 700) * 1000 / 950;
        uint256 whole = metered < 1000 ? metered : 1000;
        assertLe(drawn, whole, "no more than the whole");
        assertGe(drawn + 3, whole, "rounding takes three units at most");
    }

    /// when a voucher or a sealed voucher was counted > it pays at once, before the window ends, as after readings (31), (32)
    function testFuzz_EveryFormPaysAtOnce(uint8 form, uint16 first, uint16 second) external {
        (uint256 s,) = _issued();
        uint256[2] memory u = [uint256(first) % 600, uint256(second) % 600];
        uint256 sum;
        for (uint256 i; i < 2; ++i) {
            sum += u[i];
            vm.warp(_over(i + 1));
            if (form % 3 == 0) _read(sellerKey, DEVICE, W, i, u[i]);
            else if (form % 3 == 1) _redeem(_voucher(DEVICE, W, i + 1, sum));
            else _openSealed(_sealed(DEVICE, W, i == 0 ? _profile(u[0]) : _profile(u[0], u[1]), 1));
            uint256 due = sum * 1000 / 950 < 1000 ? sum * 1000 / 950 : 1000;
            assertEq(delivery.entitlementOf(s), due, "entitlement");
            delivery.draw(s);
            assertEq(market.balanceOf(seller), FUNDS - 200 + due, "balance");
        }
        assertLt(vm.getBlockTimestamp(), _end(W), "before the window ends");
    }

    /// when less is delivered than sold > it shows during the window: in the entitlement and in the ratio so far (30), (32)
    function test_UnderDeliveryShowsDuringTheWindow() external {
        (uint256 s,) = _issued();
        vm.warp(_over(1));
        _redeem(_voucher(DEVICE, W, 1, 100)); // a third of 950 would be 316
        assertEq(delivery.fulfilmentOf(s), 105_263, "ratio after a third of the window");
        assertEq(delivery.entitlementOf(s), 105, "and what it earned");
        vm.warp(_over(2));
        _read(sellerKey, DEVICE, W, 1, 100);
        assertEq(delivery.fulfilmentOf(s), 210_526, "after two thirds");
        assertEq(delivery.draw(s), 210, "no more than that can be drawn");
        assertEq(delivery.throughOf(W, DEVICE), 2, "of two sub-slots, so that it is no gap");
    }

    /// fulfilmentOf > it is the delivered part of eta times the obligation, at most one (30)
    function testFuzz_FulfilmentIsTheRatio(uint16 energy) external {
        (uint256 s,) = _issued();
        uint256 delivered = energy % 6667;
        _read(sellerKey, 1, W, 0, delivered);
        uint256 ratio = delivered * 1e6 / 950;
        assertEq(delivery.fulfilmentOf(s), ratio < 1e6 ? ratio : 1e6, "ratio");
    }

    /// fulfilmentOf > when nobody paid, so that nothing is owed > it is one
    function test_FulfilmentIsOneWhenNothingIsOwed() external {
        (uint256 s, uint256 b) = _unpaid();
        vm.warp(_paymentDeadline(W));
        market.declareDefault(b);
        assertEq(delivery.fulfilmentOf(s), 1e6, "one");
        assertEq(delivery.entitlementOf(s), 0, "nothing earned");
    }

    function _unpaid() private returns (uint256 s, uint256 b) {
        _pair(_one(10, 1000), _one(20, 1000));
        market.clear(W);
        _drain(buyer, 0);
        _claimBoth();
        return (_right(W, SELL, seller), _right(W, BUY, buyer));
    }

    function _claimBoth() private {
        market.claim(
            Issue.Claim(uint32(W), seller, _terms(seller, ALL_UNITS), bytes.concat(_one(10, 1000), new bytes(6)))
        );
        market.claim(Issue.Claim(uint32(W), buyer, 0, bytes.concat(_one(20, 1000), new bytes(6))));
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Metering} from "../../src/Metering.sol";
import {Issue} from "../../src/Issue.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {GasFixture} from "./GasFixture.sol";

/// @notice Gas of what follows a clearing: claims without a payment, payment, default, readings, draws, splits, settlement.
contract SettlementGasTest is GasFixture {
    uint256 private constant SELLERS = 8;
    uint256 private constant BUYERS = 8;

    Issue.Claim[] private _claims;

    function setUp() public override {
        super.setUp();
        _enrolMany(SELLERS + 1, BUYERS + 1);
    }

    function test_SettlementFirstUse() external {
        _life(FIRST);
    }

    function test_SettlementSteadyState() external {
        _life(FIRST);
        _life(STEADY);
    }

    function test_Vault() external {
        for (uint256 round; round < 2; ++round) {
            token.mint(stranger, 1000);
            vm.prank(stranger);
            token.approve(address(market), 10_000);
            vm.prank(stranger);
            market.deposit(800);
            _record("vault", "deposit", round * RING, _used());
            vm.prank(stranger);
            market.withdraw(stranger, 100);
            _record("vault", "withdraw", round * RING, _used());
        }
    }

    function test_Refunds() external {
        for (uint256 round; round < 2; ++round) {
            uint256 w = round * RING;
            _openInTime(w);
            (Bidding.Opening memory opened,) = _commitMeasured(w, buyers[0], BUY, _one(10, 1000));
            _commitMeasured(w, buyers[1], BUY, _one(10, 1000));
            _toReveal(w);
            (Issue.Claim memory c,) = _revealMeasured(opened);
            vm.warp(_lapse(w));
            market.voidWindow(w);
            market.claim(c);
            _record("claims", "claim, void window", w, _used());
            market.refundCommitment(w, buyers[1]);
            _record("claims", "refundCommitment", w, _used());
        }
    }

    // --------------------------------------------------------------------------------------------------------- one window

    function _life(uint256 w) private {
        _trade(w);
        _issue(w);
        _deliver(w);
        _settle(w);
    }

    /// @dev Asks of 20 kWh at tick 1,000, bids of 20 kWh at tick 2,000; one more ask and bid that get nothing. A payment
    /// exceeds what a claim frees, so that it can be due later.
    function _trade(uint256 w) private {
        delete _claims;
        _openInTime(w);
        Bidding.Opening[] memory o = new Bidding.Opening[](SELLERS + BUYERS + 2);
        for (uint256 i; i <= SELLERS; ++i) {
            (o[i],) = _commitMeasured(w, sellers[i], SELL, _one(i < SELLERS ? 1000 : 3000, 20_000));
        }
        for (uint256 i; i <= BUYERS; ++i) {
            (o[SELLERS + 1 + i],) = _commitMeasured(w, buyers[i], BUY, _one(i < BUYERS ? 2000 : 500, 20_000));
        }
        _toReveal(w);
        for (uint256 i; i < o.length; ++i) {
            (Issue.Claim memory c,) = _revealMeasured(o[i]);
            _claims.push(c);
        }
        market.clear(w);
    }

    function _issue(uint256 w) private {
        // Two buyers without the money for the payment.
        for (uint256 i; i < 2; ++i) {
            _drain(buyers[i], 0);
        }
        for (uint256 i; i < _claims.length; ++i) {
            market.claim(_claims[i]);
            uint256 used = _used();
            if (i == SELLERS) _recordHeld("claims", "claim, seller, no fill", w, used, HOLD_CLAIM);
            if (i == SELLERS + 1) _recordHeld("claims", "claim, buyer, payment due later", w, used, HOLD_CLAIM);
            if (i == SELLERS + BUYERS + 1) _recordHeld("claims", "claim, buyer, no fill", w, used, HOLD_CLAIM);
        }
        _fund(buyers[0], FUNDS);
        vm.prank(buyers[0]);
        market.pay(RightId.make(w, BUY, buyers[0], 0));
        _record("claims", "pay", w, _used());
        vm.warp(_paymentDeadline(w));
        market.declareDefault(RightId.make(w, BUY, buyers[1], 0));
        _record("claims", "declareDefault", w, _used());
        _fund(buyers[1], FUNDS);
    }

    function _deliver(uint256 w) private {
        uint256 right = RightId.make(w, SELL, sellers[0], 0);
        for (uint256 sub; sub < 2; ++sub) {
            _read(sellerKeys[0], 1, w, sub, 6000);
            _record("delivery", sub == 0 ? "submit, first of the window" : "submit, later", w, _used());
            delivery.draw(right);
            _record("delivery", sub == 0 ? "draw, first" : "draw, later", w, _used());
        }
        vm.warp(_end(w));
        Metering.Reading[] memory r = new Metering.Reading[]((SELLERS - 1) * 3);
        bytes[] memory s = new bytes[](r.length);
        for (uint256 i; i < r.length; ++i) {
            uint256 device = 2 + i / 3;
            (uint256 counter,) = delivery.progressOf(device);
            r[i] = _reading(device, w, i % 3, 6400, counter + i % 3 + 1);
            s[i] = _signReading(r[i], _meterKey(sellerKeys[device - 1]));
        }
        uint256 accepted = delivery.submitMany(r, s);
        _record("delivery", "submitMany of 21 (7 meters), a reading", w, _used() / r.length);
        assertEq(accepted, r.length, "accepted");
    }

    function _settle(uint256 w) private {
        uint256 right = RightId.make(w, SELL, sellers[1], 0);
        vm.prank(sellers[1]);
        rights.split(right, 8000);
        _record("rights", "split", w, _used());
        vm.prank(sellers[1]);
        rights.transferFrom(sellers[1], sellers[2], RightId.later(right, 8000));
        _record("rights", "transferFrom", w, _used());

        vm.warp(_readingsClose(w));
        delivery.settle(RightId.make(w, SELL, sellers[0], 0));
        _record("delivery", "settle, seller, drawn before", w, _used());
        delivery.settle(right);
        _record("delivery", "settle, seller", w, _used());
        uint256[] memory rest = new uint256[](SELLERS - 2);
        for (uint256 i; i < rest.length; ++i) {
            rest[i] = RightId.make(w, SELL, sellers[i + 2], 0);
        }
        delivery.settleMany(rest);
        _record("delivery", "settleMany of 6 sellers, a right", w, _used() / rest.length);
        delivery.settle(RightId.later(right, 8000));
        _record("delivery", "settle, seller, a later part", w, _used());
        delivery.settle(RightId.make(w, BUY, buyers[2], 0));
        _record("delivery", "settle, buyer", w, _used());
        for (uint256 i; i < BUYERS; ++i) {
            if (i == 1 || i == 2) continue;
            delivery.settle(RightId.make(w, BUY, buyers[i], 0));
        }
        _record("delivery", "settle, last buyer", w, _used());
        (uint256 pool, uint256 escrow,,) = market.moneyOf(w);
        assertEq(pool + escrow, 0, "all money left");
    }
}

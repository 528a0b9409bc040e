// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Seal} from "../utils/Seal.sol";

/// @title Gas of whole transactions: a market as it would be deployed, and the recording of named figures.
/// @notice foundry.toml runs these tests isolated: every call that a test makes is a transaction of its own, so the figure
/// of `lastCallGas` holds the intrinsic 21,000, the calldata, cold storage and the refund, as a receipt does.
/// "steady" is the second round of the ring: book, slots and accounts hold the words of the first. "first" is the first
/// round, on empty storage. A window's own words (status, result, money, rights) are new in both.
abstract contract GasFixture is Fixture {
    uint256 internal constant RING = 96;
    uint256 internal constant TICKS = 4096;
    uint256 internal constant LARGE_BOND = 500_000;
    uint256 internal constant FIRST = 0;
    uint256 internal constant STEADY = RING;

    // The bounds of the architecture's table. A figure above its bound fails, whatever the snapshot says.
    uint256 internal constant HOLD_COMMIT = 45_000;
    uint256 internal constant HOLD_REVEAL_1 = 65_000;
    uint256 internal constant HOLD_REVEAL_4 = 105_000;
    uint256 internal constant HOLD_REVEAL_8 = 155_000;
    uint256 internal constant HOLD_RELAYED = 60_000;
    uint256 internal constant HOLD_CLEAR = 450_000;
    uint256 internal constant HOLD_CLAIM = 130_000;
    uint256 internal constant HOLD_LIFE = 260_000;
    uint256 internal constant HOLD_CODE = 24_576;
    uint256 internal constant HOLD_TRANSACTION = 16_777_216;

    address[] internal sellers;
    uint256[] internal sellerKeys;
    address[] internal buyers;

    function setUp() public virtual override {
        _actors();
        _deployOpen(_parameters());
    }

    function _parameters() internal pure virtual override returns (Calendar.Parameters memory p) {
        p = super._parameters();
        p.ring = uint32(RING);
        p.ticks = uint16(TICKS);
        p.bond = uint96(LARGE_BOND);
        p.reliabilityGain = 100_000;
    }

    function _enrolMany(uint256 sellers_, uint256 buyers_) internal {
        for (uint256 i; i < sellers_; ++i) {
            (address a, uint256 key) = makeAddrAndKey(string.concat("home ", vm.toString(i)));
            _seller(a, key);
            sellers.push(a);
            sellerKeys.push(key);
        }
        for (uint256 i; i < buyers_; ++i) {
            address a = makeAddr(string.concat("flat ", vm.toString(i)));
            _buyer(a);
            buyers.push(a);
        }
    }

    /// @dev The gas of the last transaction.
    function _used() internal view returns (uint256) {
        return vm.lastCallGas().gasTotalUsed;
    }

    /// @dev Records `group`: `operation/age`. Every transaction fits the limit of EIP-7825.
    function _record(string memory group, string memory operation, uint256 window, uint256 used) internal {
        assertLt(used, HOLD_TRANSACTION, "beyond a transaction's limit");
        vm.snapshotValue(group, string.concat(operation, window < RING ? "/first" : "/steady"), used);
    }

    /// @dev The same, held to `bound` in steady state.
    function _recordHeld(string memory group, string memory operation, uint256 window, uint256 used, uint256 hold)
        internal
    {
        _record(group, operation, window, used);
        if (window >= RING) assertLe(used, hold, operation);
    }

    /// @dev `n` segments of `width` Wh each, `step` ticks apart; rising from `tick` for a seller, falling for a buyer.
    function _ladder(uint256 side, uint256 n, uint256 tick, uint256 step, uint256 width)
        internal
        pure
        returns (bytes memory curve)
    {
        for (uint256 i; i < n; ++i) {
            curve = bytes.concat(curve, Seal.segment(side == SELL ? tick + i * step : tick - i * step, width));
        }
    }

    /// @dev Moves into the span in which `window` can be opened, and opens it.
    function _openInTime(uint256 window) internal {
        uint256 earliest = _start(window) - RING * 900 + 1;
        if (vm.getBlockTimestamp() < earliest) vm.warp(earliest);
        _open(window);
    }

    /// @dev Commits; returns the opening and the gas of the commit.
    function _commitMeasured(uint256 window, address account, uint256 side, bytes memory curve)
        internal
        returns (Bidding.Opening memory o, uint256 used)
    {
        o = _opening(window, account, side, curve);
        uint256 point = Seal.point(address(market), o, side);
        vm.prank(account);
        market.commit(window, side == SELL ? ALL_UNITS : NO_UNITS, point);
        used = _used();
    }

    /// @dev Reveals; returns the claim and the gas of the reveal.
    function _revealMeasured(Bidding.Opening memory o) internal returns (Issue.Claim memory c, uint256 used) {
        vm.recordLogs();
        market.reveal(o);
        used = _used();
        (, bytes memory bid) = abi.decode(vm.getRecordedLogs()[0].data, (uint256, bytes));
        c = Issue.Claim(o.window, o.participant, o.terms, bid);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Issue} from "../../src/Issue.sol";
import {Seal} from "../utils/Seal.sol";
import {GasFixture} from "./GasFixture.sol";

/// @notice Gas of open, commit, withdraw, reveal, claim, and of a bid's whole life. The curves' ticks are 300 apart, so that every
/// segment has a leaf word and a sums word of its own: the dearest case.
contract BiddingGasTest is GasFixture {
    uint256 private constant STEP = 300;
    uint256 private constant BATCH = 32;

    /// @dev What a window's bids are: each side's first six are measured one by one, the next 16 are relayed in a batch.
    struct Bid {
        string name;
        uint256 side;
        uint256 segments;
        bool beyond; // its worst-case deposit exceeds the bond
        Bidding.Opening opening;
    }

    Bid[] private _bids;
    mapping(string name => uint256 gas) private _gas;

    function setUp() public override {
        super.setUp();
        _enrolMany(22, 22);
    }

    function test_BiddingFirstUse() external {
        _day(FIRST, false);
    }

    function test_BiddingSteadyState() external {
        _day(FIRST, false);
        _day(STEADY, false);
    }

    /// @dev The same batch, every bid with more than its bond to lock.
    function test_RelayBeyondTheBond() external {
        _day(FIRST, true);
        _day(STEADY, true);
    }

    function test_CommitMany() external {
        for (uint256 round; round < 2; ++round) {
            uint256 first = round * RING;
            Bidding.Commitment[] memory c = new Bidding.Commitment[](8);
            for (uint256 i; i < 8; ++i) {
                _openInTime(first + i);
                Bidding.Opening memory o = _opening(first + i, buyers[0], BUY, _one(1, 1));
                c[i] = Bidding.Commitment(uint32(first + i), 0, Seal.point(address(market), o, BUY));
            }
            vm.prank(buyers[0]);
            market.commitMany(c);
            _recordHeld("bidding", "commitMany of 8, a bid", first, _used() / 8, HOLD_COMMIT);
            for (uint256 i; i < 8; ++i) {
                vm.prank(buyers[0]);
                market.withdrawCommitment(first + i);
            }
            for (uint256 i; i < 8; ++i) {
                vm.warp(_commitDeadline(first + i));
                market.clear(first + i);
            }
        }
    }

    function test_ReplaceAndWithdraw() external {
        for (uint256 round; round < 2; ++round) {
            uint256 w = round * RING;
            _openInTime(w);
            _record("bidding", "open", w, _used());
            _commitMeasured(w, buyers[0], BUY, _one(1, 1));
            (, uint256 used) = _commitMeasured(w, buyers[0], BUY, _one(2, 1));
            _record("bidding", "replace", w, used);
            vm.prank(buyers[0]);
            market.withdrawCommitment(w);
            _record("bidding", "withdrawCommitment", w, _used());
            vm.warp(_commitDeadline(w));
            market.clear(w);
            _record("clearing", "clear, no bids", w, _used());
        }
    }

    // --------------------------------------------------------------------------------------------------------- one window

    function _day(uint256 w, bool batchBeyond) private {
        delete _bids;
        _openInTime(w);
        _commits(w, batchBeyond);
        _toReveal(w);
        Issue.Claim[] memory claims = _reveals(w, batchBeyond);
        market.clear(w);
        if (!batchBeyond) _record("clearing", "clear, 44 bids", w, _used());
        _claims(w, claims, batchBeyond);
    }

    function _commits(uint256 w, bool batchBeyond) private {
        for (uint256 i; i < 22; ++i) {
            for (uint256 side; side < 2; ++side) {
                uint256 n = i < 6 ? (i % 3 == 0 ? 1 : i % 3 == 1 ? 4 : 8) : 4;
                bool beyond = i < 6 ? i > 2 : batchBeyond;
                // Ticks of one leaf word are one participant's alone, so that nobody finds its storage made by another.
                bytes memory curve =
                    _ladder(side, n, side == SELL ? 2 + 2 * i : 4000 + 2 * i, STEP, (beyond ? 14_400 : 1_600) / n);
                address who = side == SELL ? sellers[i] : buyers[i];
                (Bidding.Opening memory o, uint256 used) = _commitMeasured(w, who, side, curve);
                _push(_nameOf(side, n, beyond), side, n, beyond, o);
                if (i == 1 && !batchBeyond) {
                    _recordHeld("bidding", string.concat("commit, ", _sideOf(side)), w, used, HOLD_COMMIT);
                    _gas[_sideOf(side)] = used;
                }
            }
        }
    }

    function _reveals(uint256 w, bool batchBeyond) private returns (Issue.Claim[] memory claims) {
        claims = new Issue.Claim[](12);
        if (!batchBeyond) {
            for (uint256 i; i < 12; ++i) {
                Bid memory b = _bids[i];
                // Each as the window's first opening.
                uint256 state = vm.snapshotState();
                (, uint256 used) = _revealMeasured(b.opening);
                vm.revertToState(state);
                string memory name = string.concat("reveal", b.name);
                if (b.beyond) _record("bidding", name, w, used);
                else _recordHeld("bidding", name, w, used, _holdOf(b.segments));
                if (b.segments == 4 && !b.beyond) _gas[_sideOf(b.side)] += used;
            }
        }
        Bidding.Opening[] memory batch = new Bidding.Opening[](BATCH);
        for (uint256 i; i < BATCH; ++i) {
            batch[i] = _bids[12 + i].opening;
        }
        market.revealMany(batch);
        uint256 each = _used() / BATCH;
        if (batchBeyond) _record("bidding", "relayed 32 at once, 4 segments, beyond the bond, a bid", w, each);
        else _recordHeld("bidding", "relayed 32 at once, 4 segments, a bid", w, each, HOLD_RELAYED);
        for (uint256 i; i < 12; ++i) {
            (claims[i],) = _revealMeasured(_bids[i].opening);
        }
    }

    function _claims(uint256 w, Issue.Claim[] memory claims, bool batchBeyond) private {
        if (batchBeyond) {
            market.claimMany(claims);
        } else {
            uint256 state = vm.snapshotState();
            market.claim(claims[2]);
            _recordHeld("claims", "claim, seller, 4 segments, first of its window", w, _used(), HOLD_CLAIM);
            vm.revertToState(state);
            state = vm.snapshotState();
            market.claim(claims[4]);
            // The one case above the bound, by what calldata and a loop over eight segments cost.
            _record("claims", "claim, seller, 8 segments, first of its window", w, _used());
            vm.revertToState(state);
            state = vm.snapshotState();
            market.claimMany(claims);
            _recordHeld("claims", "claimMany of 12, a bid", w, _used() / 12, HOLD_CLAIM);
            vm.revertToState(state);
            for (uint256 i; i < 12; ++i) {
                Bid memory b = _bids[i];
                uint256 before = rights.balanceOf(b.opening.participant);
                market.claim(claims[i]);
                uint256 used = _used();
                require(rights.balanceOf(b.opening.participant) == before + 1, "no fill");
                if (b.segments == 4 && !b.beyond) _gas[_sideOf(b.side)] += used;
                // The window's first claim makes its money word: it is recorded above.
                if (i != 0) _recordHeld("claims", string.concat("claim", b.name), w, used, HOLD_CLAIM);
            }
            _life(w);
        }
        _rest(w);
    }

    function _life(uint256 w) private {
        for (uint256 side; side < 2; ++side) {
            _recordHeld("claims", string.concat("whole life, ", _sideOf(side)), w, _gas[_sideOf(side)], HOLD_LIFE);
        }
    }

    /// @dev Claims what was relayed; the offsets are those that the market's book gave them.
    function _rest(uint256 w) private {
        for (uint256 i = 12; i < _bids.length; ++i) {
            Bidding.Opening memory o = _bids[i].opening;
            // Nobody else is at these ticks: every offset is zero.
            market.claim(Issue.Claim(uint32(w), o.participant, o.terms, bytes.concat(o.curve, new bytes(24))));
        }
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _push(string memory name, uint256 side, uint256 n, bool beyond, Bidding.Opening memory o) private {
        Bid storage b = _bids.push();
        (b.name, b.side, b.segments, b.beyond) = (name, side, n, beyond);
        b.opening = o;
    }

    function _sideOf(uint256 side) private pure returns (string memory) {
        return side == SELL ? "seller" : "buyer";
    }

    function _nameOf(uint256 side, uint256 n, bool beyond) private pure returns (string memory) {
        return string.concat(
            ", ",
            _sideOf(side),
            ", ",
            vm.toString(n),
            n == 1 ? " segment" : " segments",
            beyond ? ", beyond the bond" : ""
        );
    }

    function _holdOf(uint256 n) private pure returns (uint256) {
        return n == 1 ? HOLD_REVEAL_1 : n == 4 ? HOLD_REVEAL_4 : HOLD_REVEAL_8;
    }
}

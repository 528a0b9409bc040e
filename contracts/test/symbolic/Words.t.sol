// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BidCurve} from "../../src/lib/BidCurve.sol";
import {BidSlot} from "../../src/lib/BidSlot.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {MoneyWord, ResultWord, StatusWord} from "../../src/lib/WindowWords.sol";

/// @notice Proofs that what is packed into a word comes out again, and that no field touches another (T8).
contract WordProofs {
    using BidSlot for uint256;
    using RightId for uint256;

    uint256 private constant WH = (1 << 56) - 1;

    function check_resultRoundTrip(uint16 tick, uint56 volume, uint56 residual, uint56 total, uint56 phase, uint8 side)
        external
        pure
    {
        uint256 word = ResultWord.make(tick, volume, residual, total, phase, side);
        assert(
            ResultWord.tick(word) == tick && ResultWord.volume(word) == volume && ResultWord.residual(word) == residual
        );
        assert(
            ResultWord.total(word) == total && ResultWord.phase(word) == phase && ResultWord.rationedSide(word) == side
        );
    }

    function check_moneyRoundTrip(uint256 pool, uint256 escrow, uint56 paid) external pure {
        uint256 word = MoneyWord.make(pool, escrow, paid); // reverts beyond 96 bits: nothing is cut off
        assert(MoneyWord.pool(word) == pool && MoneyWord.escrow(word) == escrow && MoneyWord.paid(word) == paid);
    }

    function check_statusEnded(uint8 status, uint24 sellers, uint24 buyers) external pure {
        uint256 word = StatusWord.ended(status, sellers, buyers);
        assert(
            StatusWord.status(word) == status && StatusWord.sellers(word) == sellers
                && StatusWord.buyers(word) == buyers
        );
        assert(StatusWord.resolved(word) == 0 && StatusWord.settled(word) == 0);
    }

    /// @notice A commitment more counts on its side, and touches nothing else.
    function check_statusWithCommitment(uint256 word) external pure {
        for (uint256 side; side < 2; ++side) {
            uint256 after_ = StatusWord.withCommitment(word, side);
            assert(StatusWord.status(after_) == StatusWord.status(word));
            assert(StatusWord.sellers(after_) == StatusWord.sellers(word) + (1 - side));
            assert(StatusWord.buyers(after_) == StatusWord.buyers(word) + side);
            assert(StatusWord.digest(after_) == StatusWord.digest(word));
        }
    }

    /// @notice A commitment less counts on its side, and touches nothing else.
    function check_statusWithoutCommitment(uint256 word) external pure {
        require(StatusWord.sellers(word) != 0 && StatusWord.buyers(word) != 0);
        for (uint256 side; side < 2; ++side) {
            uint256 after_ = StatusWord.withoutCommitment(word, side);
            assert(StatusWord.status(after_) == StatusWord.status(word));
            assert(StatusWord.sellers(after_) == StatusWord.sellers(word) - (1 - side));
            assert(StatusWord.buyers(after_) == StatusWord.buyers(word) - side);
            assert(StatusWord.digest(after_) == StatusWord.digest(word));
        }
    }

    /// @notice A link changes the digest alone.
    function check_statusLinked(uint256 word, uint256 slot, address participant) external pure {
        uint256 after_ = StatusWord.linked(word, slot, participant);
        assert(uint56(after_) == uint56(word));
    }

    /// @notice Progress is counted in fields of its own, as long as it stays below 2^56 Wh (128 lanes of 48 bits, twice).
    function check_statusProgress(uint256 word, uint56 wh) external pure {
        require(StatusWord.resolved(word) + wh <= WH && StatusWord.settled(word) + wh <= WH);
        uint256 resolved = StatusWord.withResolved(word, wh);
        assert(
            StatusWord.resolved(resolved) == StatusWord.resolved(word) + wh
                && StatusWord.settled(resolved) == StatusWord.settled(word)
        );
        uint256 settled = StatusWord.withSettled(word, wh);
        assert(
            StatusWord.settled(settled) == StatusWord.settled(word) + wh
                && StatusWord.resolved(settled) == StatusWord.resolved(word)
        );
        uint256 low = (1 << 56) - 1;
        assert(resolved & low == word & low && settled & low == word & low);
    }

    /// @notice Each kind of slot word says its round, kind, side and energy units; only a commitment of the same round passes for one.
    function check_slotKinds(
        uint16 round,
        uint16 other,
        uint8 units,
        uint256 point,
        uint96 terms,
        bytes32 fingerprint
    ) external pure {
        require(units <= 64);
        uint256 side = units == 0 ? 1 : 0;
        uint256 committed = BidSlot.committed(round, units, 7, point, terms, fingerprint);
        assert(committed.roundOf() == round && committed.sideOf() == side && committed.unitsOf() == units);
        assert(committed.kindOf() == BidSlot.COMMITTED);
        assert(committed.isCommitted(other) == (other == round));
        uint256 opened = BidSlot.opened(round, committed, 7, terms, hex"01");
        assert(opened.roundOf() == round && opened.sideOf() == side && opened.kindOf() == BidSlot.OPENED);
        // What an opened word keeps is enough to rebuild it from itself: a claim needs nothing else.
        assert(opened.unitsOf() == units && BidSlot.opened(round, opened, 7, terms, hex"01") == opened);
        uint256 resolved = BidSlot.resolved(round);
        assert(resolved.roundOf() == round && resolved.kindOf() == BidSlot.RESOLVED && resolved != 0);
        assert(!opened.isCommitted(other) && !resolved.isCommitted(other) && !uint256(0).isCommitted(other));
        assert(opened != committed && opened != resolved);
    }

    /// @notice A window beyond the calendar has a round that no slot word has.
    function check_slotRoundsBeyondTheCalendar(uint256 word, uint256 round) external pure {
        require(round > type(uint16).max && round < 1 << 249);
        assert(!word.isCommitted(round));
    }

    function check_rightIdRoundTrip(uint32 window, uint8 side, address participant, uint40 start) external pure {
        uint256 id = RightId.make(window, side, participant, start);
        assert(id.window() == window && id.side() == side && id.participant() == participant && id.start() == start);
        assert(!id.isFinal() && id.finalOf().isFinal() && id.finalOf() != id);
        uint256 f = id.finalOf();
        assert(f.window() == window && f.side() == side && f.participant() == participant && f.start() == start);
    }

    /// @notice Two rights with the same id are the same right; a right and a final token never share one.
    function check_rightIdsAreUnique(
        uint32 window,
        uint8 side,
        address participant,
        uint40 start,
        uint32 window2,
        uint8 side2,
        address participant2,
        uint40 start2
    ) external pure {
        uint256 id = RightId.make(window, side, participant, start);
        uint256 id2 = RightId.make(window2, side2, participant2, start2);
        bool same = window == window2 && side == side2 && participant == participant2 && start == start2;
        assert((id == id2) == same);
        assert((id.finalOf() == id2.finalOf()) == same);
        assert(id.finalOf() != id2);
    }

    /// @notice The part that begins later has that start and differs in nothing else.
    function check_laterPart(uint32 window, uint8 side, address participant, uint40 start, uint40 quantity)
        external
        pure
    {
        require(uint256(start) + quantity <= type(uint40).max);
        uint256 id = RightId.make(window, side, participant, start);
        assert(id.later(quantity) == RightId.make(window, side, participant, uint256(start) + quantity));
    }

    /// @notice What a segment ties down is its width times its tick, and never nothing.
    function check_worth(uint16 tick, uint32 width) external pure {
        uint256 worth = BidCurve.worth(tick, width);
        if (tick == 0) assert(worth == width);
        else assert(worth == uint256(width) * tick);
    }
}

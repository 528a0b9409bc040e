// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {Misuse} from "./Misuse.sol";

/// @title The end of a campaign: anybody drives every window to its end, and everybody withdraws everything. Also the small
/// sums that the sentences need.
abstract contract Wind is Misuse {
    uint256 internal _treasuryWithdrew;

    function _windUp() internal {
        // Every open window comes to its end within a round of the ring.
        for (uint256 i; i < 4 * PLACES; ++i) {
            _endOpenWindows();
            _jump(1);
        }
        while (_chooseAndDo(_isClaimable, _stepClaim)) {}
        while (_chooseAndDo(_isRefundable, _stepRefund)) {}
        for (uint256 k; k < _parts.length; ++k) {
            if (_isDefaultable(k)) _stepDefault(k);
        }
        // Sellers first, then buyers; the last right first.
        for (uint256 round; round < 2; ++round) {
            for (uint256 k = _parts.length; k > 0; --k) {
                if (_isSettleable(k - 1)) _stepSettle(k - 1);
            }
        }
        for (uint256 i; i < ACTORS; ++i) {
            address a = _actors_[i];
            if (_free[a] != 0) _stepWithdraw(a, a, _free[a]);
        }
        if (_free[treasury] != 0) {
            _treasuryWithdrew = _free[treasury];
            _stepWithdraw(treasury, treasury, _free[treasury]);
        }
    }

    /// @dev Opens about half of what can be opened, clears some windows and lets others lapse.
    function _endOpenWindows() private {
        for (uint256 i; i < _windows.length; ++i) {
            uint256 w = _windows[i];
            Calendar.Phase p = _modelPhase(w);
            if (p == Calendar.Phase.Reveal) {
                for (uint256 j; j < _bidsOf[w].length; ++j) {
                    if (_isOpenable(_bidsOf[w][j]) && j % 3 != 1) _stepReveal(_bidsOf[w][j]);
                }
            } else if (p == Calendar.Phase.Clearing && _isClearable(w)) {
                _stepClear(w);
            } else if (p == Calendar.Phase.Lapsed) {
                _stepVoid(w);
            }
        }
    }

    function _chooseAndDo(function(uint256) view returns (bool) fits, function(uint256) step) private returns (bool) {
        (bool found, uint256 i) = _chooseBid(fits, _bids.length);
        if (found) step(i);
        return found;
    }

    // --------------------------------------------------------------------------------------------------------------- sums

    /// @dev Supply and demand at a tick, and the dual Φ (9), from the naive book.
    function _at(uint256 w, uint256 tick) internal view returns (uint256 s, uint256 d, uint256 dual) {
        for (uint256 t; t < GRID; ++t) {
            (uint256 ask, uint256 bid) = (_book[w][0][t], _book[w][1][t]);
            if (t <= tick) (s, dual) = (s + ask, dual + ask * (tick - t));
            if (t >= tick) (d, dual) = (d + bid, dual + bid * (t - tick));
        }
    }

    /// @dev Wh of a side that were issued as rights or fell into default at the claim.
    function _issuedWh(uint256 w, uint256 side) internal view returns (uint256 sum) {
        for (uint256 j; j < _bidsOf[w].length; ++j) {
            Bid storage b = _bids[_bidsOf[w][j]];
            if (b.side == side && b.stage == Stage.Claimed) sum += b.fill;
        }
    }

    /// @dev What a window without a paying buyer paid to participants: shares of bonds and forfeits, and deposits.
    function _paidToPeople(uint256 w) internal view returns (uint256 sum) {
        Day storage d = _days[w];
        for (uint256 j; j < _bidsOf[w].length; ++j) {
            Bid storage b = _bids[_bidsOf[w][j]];
            if (b.stage == Stage.Claimed && b.fill != 0) {
                sum += (b.side == SELL ? d.sealedBuyers : d.sealedSellers) * BOND * b.fill / d.volume;
            }
        }
        for (uint256 j; j < _partsOf[w].length; ++j) {
            Part storage p = _parts[_partsOf[w][j]];
            if (p.state == State.Settled) sum += p.received + p.released;
        }
    }

    function _kindOf(uint256 word) internal pure returns (uint256) {
        return (word >> 238) & 3;
    }

    /// @dev round | kind | side | units less one | hash.
    function _word(Bid storage b, uint256 kind, bytes32 hash) private view returns (uint256) {
        uint256 units = b.opening.terms >> 88;
        uint256 head = ((b.window / PLACES) << 16) | (kind << 14) | (b.side << 13) | (units == 0 ? 0 : (units - 1) << 7);
        return (head << 224) | (uint256(hash) & ((1 << 231) - 1));
    }

    function _sealedWord(Bid storage b) internal view returns (uint256) {
        return _word(b, 1, keccak256(abi.encode(b.window, b.point, b.opening.terms, b.opening.fingerprint)));
    }

    function _openedWord(Bid storage b) internal view returns (uint256) {
        return _word(b, 2, keccak256(abi.encode(b.window, b.opening.terms, keccak256(b.bid))));
    }

    function _exists(uint256 id) internal view returns (bool) {
        try rights.ownerOf(id) returns (address) {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev Living rights and final tokens.
    function _tokensOf(address a) internal view returns (uint256 count) {
        for (uint256 i; i < _parts.length; ++i) {
            if (_parts[i].state != State.Defaulted && _parts[i].holder == a) ++count;
        }
    }

    function _selectors() internal pure returns (bytes4[] memory s) {
        s = new bytes4[](28);
        bytes4[28] memory all = [
            this.deposit.selector,
            this.withdraw.selector,
            this.open.selector,
            this.commit.selector,
            this.replace.selector,
            this.withdrawCommitment.selector,
            this.reveal.selector,
            this.revealMany.selector,
            this.clear.selector,
            this.voidWindow.selector,
            this.claim.selector,
            this.claimMany.selector,
            this.pay.selector,
            this.declareDefault.selector,
            this.refund.selector,
            this.split.selector,
            this.transfer.selector,
            this.read.selector,
            this.redeem.selector,
            this.openSealed.selector,
            this.draw.selector,
            this.settle.selector,
            this.settleMany.selector,
            this.newDevice.selector,
            this.anything.selector,
            this.refresh.selector,
            this.jump.selector,
            this.misuse.selector
        ];
        for (uint256 i; i < s.length; ++i) {
            s[i] = all[i];
        }
    }
}

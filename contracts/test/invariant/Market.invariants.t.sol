// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {CapacityRights} from "../../src/CapacityRights.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {BookModel} from "../utils/BookModel.sol";
import {Campaigns} from "./Campaigns.sol";

/// @notice Sentences that hold after every transaction. Each is one function of the same name; README.md lists them.
/// @dev Every campaign ends with all windows driven to their end, all money withdrawn, and every sentence checked again.
contract MarketInvariants is Campaigns {
    function setUp() public override {
        _actors();
        _deployOpen(_parameters());
        _cast();
        targetContract(address(this));
        targetSelector(FuzzSelector(address(this), _selectors()));
    }

    // -------------------------------------------------------------------------------------------------------------- money

    /// @notice Free balances, locked bonds and reserves, pools and escrows together are the market's token balance.
    /// forge-config: default.invariant.runs = 2
    function invariant_FreeLockedPoolsAndEscrowsAreTheTokenBalance() public view {
        uint256 sum = market.balanceOf(treasury);
        for (uint256 i; i < ACTORS; ++i) {
            sum += market.balanceOf(_actors_[i]);
        }
        for (uint256 i; i < _windows.length; ++i) {
            (uint256 pool, uint256 escrow,,) = market.moneyOf(_windows[i]);
            sum += pool + escrow;
        }
        for (uint256 i; i < _bids.length; ++i) {
            if (_bids[i].stage == Stage.Sealed || _bids[i].stage == Stage.Opened) sum += _bids[i].locked;
        }
        assertEq(sum, token.balanceOf(address(market)));
    }

    /// @notice Nobody's free balance changes without a step of its own or a step of the rules, and then by the rules' amount.
    /// forge-config: default.invariant.runs = 2
    function invariant_FreeBalancesAreTheModels() public view {
        for (uint256 i; i < ACTORS; ++i) {
            assertEq(market.balanceOf(_actors_[i]), _free[_actors_[i]], vm.toString(i));
        }
        assertEq(market.balanceOf(treasury), _free[treasury], "treasury");
    }

    /// @notice A window's pool, escrow, paid Wh and forfeited deposits are the model's.
    /// forge-config: default.invariant.runs = 2
    function invariant_PoolsAndEscrowsAreTheModels() public view {
        for (uint256 i; i < _windows.length; ++i) {
            Day storage d = _days[_windows[i]];
            (uint256 pool, uint256 escrow, uint256 paid, uint256 forfeited) = market.moneyOf(_windows[i]);
            assertEq(pool, d.pool, "pool");
            assertEq(escrow, d.escrow, "escrow");
            assertEq(paid, d.paid, "paid");
            assertEq(forfeited, d.forfeited, "forfeited");
        }
    }

    /// @notice A window pays out no more than it took in, and holds the difference.
    /// forge-config: default.invariant.runs = 2
    function invariant_AWindowPaysOutNoMoreThanItTookIn() public view {
        for (uint256 i; i < _windows.length; ++i) {
            Day storage d = _days[_windows[i]];
            (uint256 pool, uint256 escrow,,) = market.moneyOf(_windows[i]);
            assertLe(d.paidOut, d.tookIn, "paid out");
            assertEq(pool + escrow, d.tookIn - d.paidOut, "held");
        }
    }

    /// @notice A window's escrow is the sum of the deposits of its living rights.
    /// forge-config: default.invariant.runs = 2
    function invariant_TheEscrowIsTheDepositsOfLivingRights() public view {
        for (uint256 i; i < _windows.length; ++i) {
            uint256 w = _windows[i];
            uint256 sum;
            for (uint256 j; j < _partsOf[w].length; ++j) {
                Part storage p = _parts[_partsOf[w][j]];
                if (p.state == State.Living) sum += _modelPart(p, _days[w].tick);
            }
            (, uint256 escrow,,) = market.moneyOf(w);
            assertEq(escrow, sum);
        }
    }

    /// @notice From the payment deadline on, a window's pool covers what its sellers may still draw and their shares of forfeits.
    /// forge-config: default.invariant.runs = 2
    function invariant_ThePoolCoversWhatSellersAreOwed() public view {
        for (uint256 i; i < _windows.length; ++i) {
            uint256 w = _windows[i];
            if (_modelPhase(w) < Calendar.Phase.Delivery || _days[w].status != 2) continue;
            uint256 owed;
            for (uint256 j; j < _partsOf[w].length; ++j) {
                Part storage p = _parts[_partsOf[w][j]];
                if (p.state != State.Living || _bids[p.bid].side == BUY) continue;
                uint256 entitlement = delivery.entitlementOf(p.id);
                owed += (entitlement > p.drawn ? entitlement - p.drawn : 0) + _days[w].forfeited * p.quantity
                    / _days[w].volume;
            }
            (uint256 pool,,,) = market.moneyOf(w);
            assertGe(pool, owed);
        }
    }

    /// @notice The treasury gets the bonds forfeited in windows without trade and the pools that nobody has a claim on; nothing else.
    /// forge-config: default.invariant.runs = 2
    function invariant_TheTreasuryGetsOnlyWhatTheRulesSay() public view {
        uint256 bonds;
        uint256 swept;
        for (uint256 i; i < _windows.length; ++i) {
            Day storage d = _days[_windows[i]];
            if (d.status == 3) bonds += d.bonds;
            // Nobody paid and all is settled: what sellers did not get of the window's own money.
            if (d.status == 2 && d.paid == 0 && d.settled == d.volume) swept += d.tookIn - _paidToPeople(_windows[i]);
        }
        assertEq(_treasuryIncome, bonds + swept, "income");
        assertEq(market.balanceOf(treasury) + _treasuryWithdrew, bonds + swept, "balance");
    }

    /// @notice A bond is lost only by a commitment that was never opened: an opened bid's lock comes back whole, as deposit and free balance.
    /// forge-config: default.invariant.runs = 2
    function invariant_BondsAreLostOnlyByUnopenedCommitments() public view {
        for (uint256 i; i < _windows.length; ++i) {
            uint256 w = _windows[i];
            Day storage d = _days[w];
            if (d.status != 2 && d.status != 3) continue;
            (, uint256 sellers, uint256 buyers,,) = market.statusOf(w);
            assertEq(d.bonds, (sellers + buyers) * BOND, "bonds");
            uint256 opened;
            for (uint256 j; j < _bidsOf[w].length; ++j) {
                Bid storage b = _bids[_bidsOf[w][j]];
                if (b.stage == Stage.Opened || b.stage == Stage.Claimed) ++opened;
                if (b.stage == Stage.Claimed) assertEq(b.freed + b.deposit, b.locked, "lock");
            }
            assertEq(opened, d.openedSellers + d.openedBuyers, "opened");
        }
    }

    // ----------------------------------------------------------------------------------------------------------- clearing

    /// @notice The price is the lowest minimiser of the dual, and the volume the largest trade at any price.
    /// forge-config: default.invariant.runs = 2
    function invariant_ThePriceIsTheLowestMinimiserAndTheVolumeTheLargestTrade() public view {
        for (uint256 i; i < _windows.length; ++i) {
            uint256 w = _windows[i];
            (uint256 tick, uint256 volume,,,,) = market.resultOf(w);
            if (_days[w].status < 2) assertEq(volume, 0, "not cleared");
            if (_days[w].status != 2) continue;
            uint256 best;
            uint256 least = type(uint256).max;
            uint256 argument;
            for (uint256 t; t < GRID; ++t) {
                (uint256 s, uint256 d, uint256 dual) = _at(w, t);
                if ((s < d ? s : d) > best) best = s < d ? s : d;
                if (dual < least) (least, argument) = (dual, t);
            }
            assertEq(tick, argument, "price");
            assertEq(volume, best, "volume");
        }
    }

    /// @notice V <= min(S, D) at the price, and V is all of one of them.
    /// forge-config: default.invariant.runs = 2
    function invariant_TheVolumeIsAllOfSupplyOrAllOfDemand() public view {
        for (uint256 i; i < _windows.length; ++i) {
            uint256 w = _windows[i];
            if (_days[w].status != 2) continue;
            (uint256 tick, uint256 volume,,,,) = market.resultOf(w);
            (uint256 s, uint256 d,) = _at(w, tick);
            assertLe(volume, s, "supply");
            assertLe(volume, d, "demand");
            assertTrue(volume == s || volume == d, "neither");
        }
    }

    /// @notice In every traded window the sellers' fills and the buyers' fills each sum to the volume.
    /// forge-config: default.invariant.runs = 2
    function invariant_SoldIsBought() public view {
        for (uint256 i; i < _windows.length; ++i) {
            uint256 w = _windows[i];
            if (_days[w].status != 2) continue;
            uint256[2] memory sum;
            uint256[2] memory claimed;
            uint256[2] memory open;
            for (uint256 j; j < _bidsOf[w].length; ++j) {
                Bid storage b = _bids[_bidsOf[w][j]];
                if (b.stage == Stage.Opened) (sum[b.side] += _modelFill(_bidsOf[w][j]), ++open[b.side]);
                if (b.stage == Stage.Claimed) claimed[b.side] += b.fill;
            }
            (, uint256 volume,,,,) = market.resultOf(w);
            for (uint256 side; side < 2; ++side) {
                assertEq(sum[side] + claimed[side], volume, "fills");
                if (open[side] == 0) assertEq(_issuedWh(w, side), volume, "issued");
                assertLe(_issuedWh(w, side), volume, "beyond the volume");
            }
        }
    }

    /// @notice A fill holds all segments better than the price, and none worse.
    /// forge-config: default.invariant.runs = 2
    function invariant_FillsAreWithinWidths() public view {
        for (uint256 i; i < _bids.length; ++i) {
            Bid storage b = _bids[i];
            if (b.stage != Stage.Claimed || _days[b.window].status != 2) continue;
            (uint256 least, uint256 most) = _modelRange(i);
            assertGe(b.fill, least, "less than the better segments");
            assertLe(b.fill, most, "more than the admissible segments");
            assertLe(b.fill, b.width, "more than the bid");
        }
    }

    /// @notice The result's residual, total and phase are those of the one cohort that is rationed, with the openings' seed.
    /// forge-config: default.invariant.runs = 2
    function invariant_TheRationingIsTheModels() public view {
        for (uint256 i; i < _windows.length; ++i) {
            Day storage d = _days[_windows[i]];
            if (d.status != 2) continue;
            (,, uint256 residual, uint256 total, uint256 phi, uint256 side) = market.resultOf(_windows[i]);
            assertEq(side, d.rationed, "side");
            if (side == 2) continue;
            assertEq(residual, d.residual, "residual");
            assertEq(total, d.total, "total");
            assertEq(phi, d.seed % d.total, "phase");
        }
    }

    // --------------------------------------------------------------------------------------------------------------- bids

    /// @notice No bid is claimed twice.
    /// forge-config: default.invariant.runs = 2
    function invariant_NoBidIsClaimedTwice() public view {
        for (uint256 i; i < _bids.length; ++i) {
            assertLe(_bids[i].claims, 1);
            if (_bids[i].stage != Stage.Claimed || _latest[_bids[i].who][_bids[i].window % PLACES] != i + 1) continue;
            assertEq(_kindOf(market.slotOf(_bids[i].window, _bids[i].who)), 3, "a claimed bid's slot");
        }
    }

    /// @notice A sealed or opened bid is never overwritten: its slot holds its own hash until it is claimed or lost.
    /// forge-config: default.invariant.runs = 2
    function invariant_AnUnclaimedBidIsNeverOverwritten() public view {
        for (uint256 i; i < _bids.length; ++i) {
            Bid storage b = _bids[i];
            if (b.stage == Stage.Sealed) assertEq(market.slotOf(b.window, b.who), _sealedWord(b), "sealed");
            if (b.stage == Stage.Opened) assertEq(market.slotOf(b.window, b.who), _openedWord(b), "opened");
        }
    }

    /// @notice A slot word is empty or of kind 1 to 3, of a round that has begun; a resolved one holds nothing else.
    /// forge-config: default.invariant.runs = 2
    function invariant_SlotWordsHaveAValidKind() public view {
        uint256 rounds = _windows.length == 0 ? 0 : _windows[_windows.length - 1] / PLACES;
        for (uint256 i; i < ACTORS; ++i) {
            for (uint256 place; place < PLACES; ++place) {
                uint256 word = market.slotOf(place, _actors_[i]);
                if (word == 0) continue;
                assertTrue(_kindOf(word) > 0 && _kindOf(word) < 4, "kind");
                assertLe(word >> 240, rounds, "round");
                if (_kindOf(word) == 3) assertEq(word & ((1 << 238) - 1), 1, "resolved");
            }
        }
    }

    /// @notice While a window is open, its status counts its commitments by side; afterwards those that were not opened.
    /// forge-config: default.invariant.runs = 2
    function invariant_CommitmentsAreCountedBySide() public view {
        for (uint256 i; i < _windows.length; ++i) {
            Day storage d = _days[_windows[i]];
            (uint256 status, uint256 sellers, uint256 buyers,,) = market.statusOf(_windows[i]);
            bool all = status == 1 || status == 4;
            assertEq(sellers, d.sealedSellers + (all ? d.openedSellers : 0), "sellers");
            assertEq(buyers, d.sealedBuyers + (all ? d.openedBuyers : 0), "buyers");
        }
    }

    // ------------------------------------------------------------------------------------------------------------ windows

    /// @notice A window's phase is the one that the calendar gives its status at this time.
    /// forge-config: default.invariant.runs = 2
    function invariant_ThePhaseIsTheCalendars() public view {
        for (uint256 i; i < _windows.length; ++i) {
            assertEq(uint256(market.phaseOf(_windows[i])), uint256(_modelPhase(_windows[i])));
        }
    }

    /// @notice A window's phase never goes back.
    /// forge-config: default.invariant.runs = 2
    function invariant_PhasesAreMonotone() public view {
        assertFalse(_phaseWentBack);
    }

    /// @notice A window that was cleared or voided stays so.
    /// forge-config: default.invariant.runs = 2
    function invariant_AnOutcomeIsFinal() public view {
        assertFalse(_statusWentBack);
    }

    /// @notice At most one window of a ring place is open.
    /// forge-config: default.invariant.runs = 2
    function invariant_AtMostOneWindowOfAPlaceIsOpen() public view {
        bool[] memory taken = new bool[](PLACES);
        for (uint256 i; i < _windows.length; ++i) {
            (uint256 status,,,,) = market.statusOf(_windows[i]);
            if (status != 1) continue;
            assertFalse(taken[_windows[i] % PLACES]);
            taken[_windows[i] % PLACES] = true;
        }
    }

    /// @notice Resolved Wh are the fills that are claimed and decided: at most twice the volume.
    /// forge-config: default.invariant.runs = 2
    function invariant_ResolvedIsAtMostTwiceTheVolume() public view {
        for (uint256 i; i < _windows.length; ++i) {
            Day storage d = _days[_windows[i]];
            (,,, uint256 resolved,) = market.statusOf(_windows[i]);
            assertEq(resolved, d.resolved, "resolved");
            assertLe(resolved, 2 * d.volume, "beyond twice the volume");
        }
    }

    /// @notice Settled Wh are at most the volume and the paid Wh.
    /// forge-config: default.invariant.runs = 2
    function invariant_SettledIsAtMostVolumeAndPaid() public view {
        for (uint256 i; i < _windows.length; ++i) {
            Day storage d = _days[_windows[i]];
            (,,,, uint256 settled) = market.statusOf(_windows[i]);
            assertEq(settled, d.settled, "settled");
            assertLe(settled, d.volume + d.paid, "beyond volume and paid");
        }
    }

    /// @notice No right is settled before every fill is decided, and no buyer's before every seller's.
    /// forge-config: default.invariant.runs = 2
    function invariant_SettlementWaitsForEveryFillAndForSellers() public view {
        for (uint256 i; i < _parts.length; ++i) {
            if (_parts[i].state != State.Settled) continue;
            Bid storage b = _bids[_parts[i].bid];
            (,,, uint256 resolved, uint256 settled) = market.statusOf(b.window);
            assertEq(resolved, 2 * _days[b.window].volume, "fills outstanding");
            if (b.side == BUY) assertGe(settled, _days[b.window].volume, "sellers outstanding");
        }
    }

    // ------------------------------------------------------------------------------------------------------------- rights

    /// @notice A right exists only for a fill, with its quantity, its holder and whether it is paid; a void or settled right exists no more.
    /// forge-config: default.invariant.runs = 2
    function invariant_ARightExistsOnlyForAFill() public view {
        for (uint256 i; i < _parts.length; ++i) {
            Part storage p = _parts[i];
            if (p.state == State.Living) {
                (uint256 quantity, bool paid) = rights.quantityAndPaid(p.id);
                assertEq(quantity, p.quantity, "quantity");
                assertEq(paid, p.paid, "paid");
                assertEq(rights.ownerOf(p.id), p.holder, "holder");
                assertEq(rights.rightOf(p.id).drawn, p.drawn, "drawn");
            } else {
                assertFalse(_exists(p.id), "a right that is settled or void");
            }
        }
        for (uint256 i; i < ACTORS; ++i) {
            assertEq(rights.balanceOf(_actors_[i]), _tokensOf(_actors_[i]), "tokens");
        }
    }

    /// @notice The parts of a bid lie end to end and sum to its fill, in Wh and in deposits.
    /// forge-config: default.invariant.runs = 2
    function invariant_PartsOfASplitSumToTheWhole() public view {
        for (uint256 i; i < _bids.length; ++i) {
            Bid storage b = _bids[i];
            if (b.fill == 0) continue;
            uint256 wh;
            uint256 deposits;
            uint256 count;
            uint256 tick = _days[b.window].tick;
            for (uint256 j; j < _partsOf[b.window].length; ++j) {
                Part storage p = _parts[_partsOf[b.window][j]];
                if (p.bid != i) continue;
                assertEq(RightId.start(p.id), p.start, "start");
                assertLe(p.start + p.quantity, b.fill, "beyond the whole");
                if (p.state == State.Living) assertEq(rights.rightOf(p.id).whole, b.fill, "whole");
                (wh, deposits, count) = (wh + p.quantity, deposits + _modelPart(p, tick), count + 1);
            }
            // A buyer claimed after the payment deadline is in default at once, and has no right.
            if (count == 0) continue;
            assertEq(wh, b.fill, "Wh");
            assertEq(deposits, b.deposit, "deposits");
        }
    }

    /// @notice What the parts of a bid draw together never exceeds what the bid has earned.
    /// forge-config: default.invariant.runs = 2
    function invariant_NobodyDrawsBeyondTheEntitlement() public view {
        for (uint256 i; i < _bids.length; ++i) {
            if (_bids[i].side == BUY || _bids[i].fill == 0) continue;
            assertLe(_bids[i].drawn, _modelEarned(i));
        }
        for (uint256 i; i < _parts.length; ++i) {
            Part storage p = _parts[i];
            if (p.state != State.Living || _bids[p.bid].side == BUY) continue;
            assertEq(delivery.entitlementOf(p.id), _modelEntitlement(p), "entitlement");
            assertEq(delivery.fulfilmentOf(p.id), _modelFulfilment(p.bid), "fulfilment");
        }
    }

    /// @notice A window's sellers draw no more than its buyers paid.
    /// forge-config: default.invariant.runs = 2
    function invariant_SellersDrawNoMoreThanBuyersPaid() public view {
        for (uint256 i; i < _windows.length; ++i) {
            Day storage d = _days[_windows[i]];
            if (d.status != 2) continue;
            uint256 drawn;
            for (uint256 j; j < _bidsOf[_windows[i]].length; ++j) {
                drawn += _bids[_bidsOf[_windows[i]][j]].drawn;
            }
            assertLe(drawn, _modelPayment(d.paid, d.tick));
        }
    }

    /// @notice A buyer's right gets its share of the pool that the sellers left, to within one unit, whatever the order.
    /// forge-config: default.invariant.runs = 2
    function invariant_TheOrderOfSettlementMovesAtMostOneUnit() public view {
        for (uint256 i; i < _parts.length; ++i) {
            Part storage p = _parts[i];
            if (p.state != State.Settled || _bids[p.bid].side == SELL) continue;
            Day storage d = _days[_bids[p.bid].window];
            uint256 amount = rights.settlementOf(RightId.finalOf(p.id)).amount;
            assertGe(amount, d.shared * p.quantity / d.paid, "too little");
            assertLe(amount, d.shared * p.quantity / d.paid + 1, "too much");
        }
    }

    /// @notice A final settlement token exists exactly for each settled right, and records what was paid.
    /// forge-config: default.invariant.runs = 2
    function invariant_FinalTokensAreOfSettledRights() public view {
        for (uint256 i; i < _parts.length; ++i) {
            Part storage p = _parts[i];
            uint256 finalId = RightId.finalOf(p.id);
            assertEq(_exists(finalId), p.state == State.Settled, "exists");
            if (p.state != State.Settled) continue;
            CapacityRights.Settlement memory s = rights.settlementOf(finalId);
            assertEq(rights.ownerOf(finalId), p.holder, "holder");
            assertEq(s.quantity, p.quantity, "quantity");
            assertEq(s.released, p.released, "released");
            bool seller = _bids[p.bid].side == SELL;
            assertEq(s.amount, seller ? p.drawn + p.received : p.received, "amount");
            assertEq(s.fulfilment, seller ? _modelFulfilment(p.bid) : 1e6, "fulfilment");
        }
    }

    /// @notice A settled buyer's right releases its whole deposit; a seller's in proportion to what was delivered, and all of it from the tolerance on.
    /// forge-config: default.invariant.runs = 2
    function invariant_DepositsAreReleasedByFulfilment() public view {
        for (uint256 i; i < _parts.length; ++i) {
            Part storage p = _parts[i];
            if (p.state != State.Settled) continue;
            uint256 deposit = _modelPart(p, _days[_bids[p.bid].window].tick);
            CapacityRights.Settlement memory s = rights.settlementOf(RightId.finalOf(p.id));
            if (s.fulfilment >= TOLERANCE) assertEq(s.released, deposit, "whole");
            else assertEq(s.released, deposit * s.fulfilment / 1e6, "part");
        }
    }

    // ----------------------------------------------------------------------------------------------------------- readings

    /// @notice A device's counter and sub-slot only grow.
    /// forge-config: default.invariant.runs = 2
    function invariant_ReadingCountersOnlyGrow() public view {
        assertFalse(_countersWentBack);
        for (uint256 device = registry.deviceCount(); device > 0; --device) {
            (uint256 counter, uint256 position) = delivery.progressOf(device);
            assertEq(counter, _counter[device], "counter");
            assertEq(position, _position[device], "position");
        }
    }

    /// @notice Metered energy, and the sub-slots that it covers, are those of the accepted readings and vouchers, each sub-slot once.
    /// forge-config: default.invariant.runs = 2
    function invariant_MeteredEnergyIsTheAcceptedReadings() public view {
        for (uint256 i; i < _windows.length; ++i) {
            for (uint256 device = registry.deviceCount(); device > 0; --device) {
                assertEq(delivery.deliveredWh(_windows[i], device), _metered[_windows[i]][device], "energy");
                assertEq(delivery.throughOf(_windows[i], device), _covered[_windows[i]][device], "sub-slots");
            }
        }
    }

    // --------------------------------------------------------------------------------------------------- energy and records

    /// @notice What a battery has promised is the units of its live commitments, bids and rights; nothing is freed twice or for ever held.
    /// forge-config: default.invariant.runs = 2
    function invariant_PromisedEnergyIsThatOfLivePromises() public view {
        for (uint256 i; i < ACTORS; ++i) {
            assertEq(_promised(_actors_[i]), _modelPromised(_actors_[i]), "promised");
            assertEq(_capacity(_actors_[i]), _energy[_actors_[i]], "capacity");
        }
    }

    /// @notice A fill fits into the units that it holds, and an open bid into its commitment's.
    /// forge-config: default.invariant.runs = 2
    function invariant_SoldEnergyFitsIntoItsUnits() public view {
        for (uint256 i; i < _bids.length; ++i) {
            Bid storage b = _bids[i];
            if (b.side == BUY) continue;
            if (b.stage == Stage.Opened) assertLe(b.width, LIMIT * b.units / 64, "bid");
            if (b.stage != Stage.Claimed || b.fill == 0) continue;
            assertLe(b.fill, LIMIT * b.units / 64, "fill");
            assertLe(b.units, b.opening.terms >> 88, "no more than were committed");
        }
    }

    /// @notice A device's reliability is the weighted mean of what it fulfilled, between 0 and 1, each bid counted once.
    /// forge-config: default.invariant.runs = 2
    function invariant_ReliabilityIsTheModels() public view {
        for (uint256 i; i < ACTORS; ++i) {
            assertEq(_reliability(_actors_[i]), _record[_actors_[i]], "reliability");
            assertLe(_record[_actors_[i]], 1e6, "above one");
        }
    }

    /// @notice A seller's deposit coefficient is between its bounds, follows its reliability at the commitment, and stays what it was then.
    /// forge-config: default.invariant.runs = 2
    function invariant_DepositCoefficientsAreThoseOfTheCommitment() public view {
        for (uint256 i; i < ACTORS; ++i) {
            uint256 alpha = uint24(market.termsOf(_actors_[i]) >> 64);
            assertEq(alpha, _modelAlpha(_actors_[i], SELL), "the next commitment's");
            assertTrue(alpha >= ALPHA_PROVEN && alpha <= ALPHA_SELLER, "bounds");
        }
        for (uint256 i; i < _parts.length; ++i) {
            Part storage p = _parts[i];
            Bid storage b = _bids[p.bid];
            if (p.state != State.Living || b.side == BUY) continue;
            CapacityRights.Right memory right = rights.rightOf(p.id);
            assertEq(right.alpha, b.alpha, "the right's");
            assertEq(right.alpha, uint24(b.opening.terms >> 64), "the commitment's");
            assertEq(right.units, b.units, "units");
        }
    }

    // ------------------------------------------------------------------------------------------- misuse and the way out

    /// @notice What the rules forbid is refused, at any moment.
    /// forge-config: default.invariant.runs = 2
    function invariant_WhatIsForbiddenIsRefused() public view {
        assertEq(_accepted.length, 0, _accepted.length == 0 ? "" : _accepted[0]);
    }

    /// @notice Everybody can always get out: driven to its end by anybody, every window pays all its money out, and all of it can be withdrawn.
    /// @dev `afterInvariant` drives and withdraws. This is the long campaign; all sentences are checked at every 16th step of it.
    /// forge-config: default.invariant.depth = 200
    function invariant_EverybodyCanAlwaysGetOut() public view {
        if (_steps % 16 == 0) _everySentence();
    }

    // ------------------------------------------------------------------------------------------------------------ helpers

    function _everySentence() internal view override {
        invariant_FreeLockedPoolsAndEscrowsAreTheTokenBalance();
        invariant_FreeBalancesAreTheModels();
        invariant_PoolsAndEscrowsAreTheModels();
        invariant_AWindowPaysOutNoMoreThanItTookIn();
        invariant_TheEscrowIsTheDepositsOfLivingRights();
        invariant_ThePoolCoversWhatSellersAreOwed();
        invariant_TheTreasuryGetsOnlyWhatTheRulesSay();
        invariant_BondsAreLostOnlyByUnopenedCommitments();
        invariant_ThePriceIsTheLowestMinimiserAndTheVolumeTheLargestTrade();
        invariant_TheVolumeIsAllOfSupplyOrAllOfDemand();
        invariant_SoldIsBought();
        invariant_FillsAreWithinWidths();
        invariant_TheRationingIsTheModels();
        invariant_NoBidIsClaimedTwice();
        invariant_AnUnclaimedBidIsNeverOverwritten();
        invariant_SlotWordsHaveAValidKind();
        invariant_CommitmentsAreCountedBySide();
        invariant_ThePhaseIsTheCalendars();
        invariant_PhasesAreMonotone();
        invariant_AnOutcomeIsFinal();
        invariant_AtMostOneWindowOfAPlaceIsOpen();
        invariant_ResolvedIsAtMostTwiceTheVolume();
        invariant_SettledIsAtMostVolumeAndPaid();
        invariant_SettlementWaitsForEveryFillAndForSellers();
        invariant_ARightExistsOnlyForAFill();
        invariant_PartsOfASplitSumToTheWhole();
        invariant_NobodyDrawsBeyondTheEntitlement();
        invariant_SellersDrawNoMoreThanBuyersPaid();
        invariant_TheOrderOfSettlementMovesAtMostOneUnit();
        invariant_FinalTokensAreOfSettledRights();
        invariant_DepositsAreReleasedByFulfilment();
        invariant_ReadingCountersOnlyGrow();
        invariant_MeteredEnergyIsTheAcceptedReadings();
        invariant_PromisedEnergyIsThatOfLivePromises();
        invariant_SoldEnergyFitsIntoItsUnits();
        invariant_ReliabilityIsTheModels();
        invariant_DepositCoefficientsAreThoseOfTheCommitment();
        invariant_WhatIsForbiddenIsRefused();
    }
}

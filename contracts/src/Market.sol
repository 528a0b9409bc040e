// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Calendar} from "./Calendar.sol";
import {CapacityRights} from "./CapacityRights.sol";
import {Bidding} from "./Bidding.sol";
import {Issue} from "./Issue.sol";
import {MarketState} from "./MarketState.sol";
import {Vault} from "./Vault.sol";
import {Errors} from "./lib/Errors.sol";
import {Money} from "./lib/Money.sol";
import {StatusWord, ResultWord, MoneyWord} from "./lib/WindowWords.sol";

/// @title The market: vault, sealed bids, clearing, issue, and the money side of settlement.
/// @notice It holds all money. At all times: free balances + locked bonds and reserves + pools + escrows = its token
/// balance (§6). Whatever the delivery contract computes, a window can pay out no more than its own money.
contract Market is Issue {
    using MoneyWord for uint256;
    using ResultWord for uint256;
    using StatusWord for uint256;

    /// @notice The addresses that a market is wired to. They are known before deployment.
    struct Wiring {
        IERC20 token;
        address registry;
        CapacityRights rights;
        address delivery;
        address treasury;
    }

    /// @notice `digest` is the hash of the other values, so that an auditor sees any of them altered.
    event MarketDeployed(Calendar.Parameters calendar, Wiring wiring, bool openMode, bytes32 digest);
    /// @notice A delivered right moved its device's reliability, and with it the α_S of the account's next commitments (§6).
    event ReliabilityChanged(address indexed account, uint256 indexed device, uint256 reliability);
    /// @notice A pool that nobody has a claim on went to the treasury.
    event PoolSwept(uint256 indexed window, uint256 amount);

    /// @notice What the delivery contract found of a seller's right, or a part of one.
    struct SellerSettlement {
        uint256 window;
        uint256 quantity; // Wh
        address holder;
        uint256 payment; // from the pool to the holder
        address depositor;
        uint256 deposit;
        uint256 released; // of the deposit, to the depositor; the rest goes to the pool
        uint256 device;
        uint256 units; // of the depositor's energy that are free again
        uint256 fulfilment; // ρ, ppm
        uint256 weight; // of ρ in the device's reliability, ppm
    }

    address public immutable delivery;

    constructor(Calendar.Parameters memory p, Wiring memory w, bool openMode_)
        Calendar(p)
        Vault(w.token, w.registry)
        MarketState(w.treasury)
        Bidding(openMode_)
        Issue(w.rights)
    {
        if (w.delivery == address(0)) revert Errors.ZeroAddress();
        delivery = w.delivery;
        emit MarketDeployed(p, w, openMode_, keccak256(abi.encode(p, w, openMode_)));
    }

    modifier onlyDelivery() {
        if (msg.sender != delivery) revert Errors.NotDelivery(msg.sender);
        _;
    }

    /// @notice Pays streamed earnings from the window's pool (32).
    function payStream(uint256 window, address holder, uint256 amount) external onlyDelivery nonReentrant {
        uint256 money = _money[window];
        _money[window] = MoneyWord.make(money.pool() - amount, money.escrow(), money.paid());
        _credit(holder, amount);
    }

    /// @notice Settles a seller's right (26). When the last one is settled and no buyer paid, nobody has a claim on the pool,
    /// and it goes to the treasury.
    function settleSeller(SellerSettlement calldata s) external onlyDelivery nonReentrant {
        uint256 volume = _result[s.window].volume();
        uint256 status = _status[s.window];
        if (status.resolved() != 2 * volume) revert Errors.FillsOutstanding(s.window, status.resolved(), 2 * volume);
        status = status.withSettled(s.quantity);
        _status[s.window] = status;

        uint256 money = _money[s.window];
        uint256 pool = money.pool() - s.payment + (s.deposit - s.released);
        if (status.settled() == volume && money.paid() == 0) {
            emit PoolSwept(s.window, pool);
            _credit(treasury, pool);
            pool = 0;
        }
        _money[s.window] = MoneyWord.make(pool, money.escrow() - s.deposit, money.paid());
        _credit(s.holder, s.payment);
        _settleDepositor(s);
    }

    /// @dev The depositor's released deposit, freed energy, and its device's reliability r ← r(1 − w) + ρw (§6); rounded
    /// down, the escrow gains. A device that the account has replaced has no say any more.
    function _settleDepositor(SellerSettlement calldata s) private {
        uint256 account = _unpromise(_plus(_accounts[s.depositor], s.released), s.units);
        if (s.weight != 0 && uint32(account >> DEVICE_SHIFT) == s.device) {
            uint256 old = (account >> RELIABILITY_SHIFT) & RELIABILITY_MASK;
            uint256 reliability = (old * (Money.PPM - s.weight) + s.fulfilment * s.weight) / Money.PPM;
            if (reliability != old) {
                account = _withReliability(account, reliability);
                emit ReliabilityChanged(s.depositor, s.device, reliability);
            }
        }
        _accounts[s.depositor] = account;
    }

    /// @notice Settles a buyer's paid right of `quantity` Wh: its share of the pool to the holder, its deposit to the
    /// depositor (β_B = 1). Sellers come first.
    /// @dev The pool P and the paid Wh W stand still while buyers settle; the right that comes after c Wh gets
    /// ⌊P(c+y)/W⌋ − ⌊Pc/W⌋. The shares sum to P, and the order of settlement moves at most one unit.
    function settleBuyer(uint256 window, address holder, address depositor, uint256 deposit, uint256 quantity)
        external
        onlyDelivery
        nonReentrant
        returns (uint256 compensation)
    {
        uint256 volume = _result[window].volume();
        uint256 status = _status[window];
        if (status.settled() < volume) revert Errors.SellersOutstanding(window, status.settled(), volume);
        _status[window] = status.withSettled(quantity);
        uint256 money = _money[window];
        (uint256 pool, uint256 paid) = (money.pool(), money.paid());
        uint256 before = status.settled() - volume;
        compensation = Money.share(pool, before + quantity, paid) - Money.share(pool, before, paid);
        if (before + quantity == paid) pool = 0;
        _money[window] = MoneyWord.make(pool, money.escrow() - deposit, paid);
        _credit(holder, compensation);
        _credit(depositor, deposit);
    }
}

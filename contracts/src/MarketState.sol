// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "./Calendar.sol";
import {Vault} from "./Vault.sol";
import {Errors} from "./lib/Errors.sol";
import {Money} from "./lib/Money.sol";
import {StatusWord, ResultWord, MoneyWord} from "./lib/WindowWords.sol";

/// @title What the market stores of its windows, and the views of it.
abstract contract MarketState is Calendar, Vault {
    using StatusWord for uint256;
    using ResultWord for uint256;
    using MoneyWord for uint256;

    uint256 internal constant SELL = 0;
    uint256 internal constant BUY = 1;

    /// @notice Receives the bonds forfeited in a window without trade, and pools that nobody has a claim on.
    address public immutable treasury;

    /// @dev By window: see the libraries in WindowWords.
    mapping(uint256 window => uint256 word) internal _status;
    mapping(uint256 window => uint256 word) internal _result;
    mapping(uint256 window => uint256 word) internal _money;
    /// @dev By window: deposits of buyers in default, for the sellers to share.
    mapping(uint256 window => uint256 amount) internal _forfeited;
    /// @dev By ring place: 1 + the sum of the opened blinders' hashes. The 1 keeps the slot from ever being empty.
    mapping(uint256 place => uint256 sum) internal _blinders;
    /// @dev By ring place: 1 + the window that holds it.
    mapping(uint256 place => uint256 windowPlusOne) internal _occupant;
    /// @dev By account and ring place: see BidSlot.
    mapping(address account => mapping(uint256 place => uint256 word)) internal _slots;

    constructor(address treasury_) {
        if (treasury_ == address(0)) revert Errors.ZeroAddress();
        treasury = treasury_;
    }

    /// @notice The window's phase now.
    function phaseOf(uint256 window) public view returns (Phase) {
        _ringOf(window);
        return _phase(window, _status[window].status(), block.timestamp);
    }

    /// @notice Commitments of the window that are not opened yet (all of them until it is cleared), and progress in Wh.
    function statusOf(uint256 window)
        external
        view
        returns (uint256 status, uint256 sellers, uint256 buyers, uint256 resolvedWh, uint256 settledWh)
    {
        uint256 word = _status[window];
        bool traded = word.status() == STATUS_TRADED;
        return
            (word.status(), word.sellers(), word.buyers(), traded ? word.resolved() : 0, traded ? word.settled() : 0);
    }

    /// @notice The clearing's price (tick), volume, and the rationed cohort: residual R of total T, phase φ, side (2: none).
    function resultOf(uint256 window)
        external
        view
        returns (uint256 tick, uint256 volume, uint256 residual, uint256 total, uint256 rationPhase, uint256 side)
    {
        uint256 word = _result[window];
        return (word.tick(), word.volume(), word.residual(), word.total(), word.phase(), word.rationedSide());
    }

    /// @notice The window's pool, escrow, paid Wh, and the defaulted buyers' deposits that the sellers share.
    function moneyOf(uint256 window)
        external
        view
        returns (uint256 pool, uint256 escrow, uint256 paidWh, uint256 forfeited)
    {
        uint256 word = _money[window];
        (pool, escrow, paidWh, forfeited) = (word.pool(), word.escrow(), word.paid(), _forfeited[window]);
        uint256 settled = _status[window].status() == STATUS_TRADED ? _status[window].settled() : 0;
        uint256 volume = _result[window].volume();
        // While buyers settle, the stored pool stands still; what was paid out of it follows from the settled Wh.
        if (settled > volume) pool -= Money.share(pool, settled - volume, paidWh);
    }

    /// @notice The word in the account's ring place for this window: see BidSlot.
    function slotOf(uint256 window, address account) external view returns (uint256) {
        return _slots[account][window % _ring];
    }

    /// @dev Reverts unless the window is in `wanted`; returns its status word.
    function _inPhase(uint256 window, Phase wanted) internal view returns (uint256 word) {
        word = _status[window];
        Phase actual = _phase(window, word.status(), block.timestamp);
        if (actual != wanted) revert Errors.WrongPhase(window, uint8(actual));
    }
}

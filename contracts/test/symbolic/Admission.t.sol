// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Vault} from "../../src/Vault.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice Proofs on the account word: who is admitted, and that money never touches admission (T20).
contract AdmissionProofs is Vault {
    constructor() Vault(IERC20(address(1)), address(2)) {}

    /// @notice Admitted is: a device to sell from; and, outside the open mode, the side's role in an unexpired credential.
    function check_admission(
        uint96 balance,
        uint32 device,
        uint80 rest,
        uint40 expiry,
        uint8 roles,
        uint8 side,
        bool open,
        uint64 time
    ) external pure {
        require(side < 2);
        uint256 word = uint256(balance) | (uint256(device) << 96) | (uint256(rest) << 128) | (uint256(expiry) << 212)
            | (uint256(roles & 15) << 252);
        bool role = side == 0 ? roles & 1 != 0 : roles & 2 != 0;
        bool wanted = (open || (role && time <= expiry)) && (side == 1 || device != 0);
        assert(_admits(word, side, open, time) == wanted);
    }

    /// @notice A promise adds its units to what is promised and to nothing else, and never goes beyond the capacity (T42).
    function check_promises(uint256 word, uint8 units) external pure {
        uint256 more = _promise(word, address(1), units); // reverts beyond the capacity
        uint256 promised = uint16(word >> PROMISED_SHIFT);
        assert(uint16(more >> PROMISED_SHIFT) == promised + units);
        assert(promised + units <= uint16(word >> CAPACITY_SHIFT));
        uint256 mask = ~(uint256(type(uint16).max) << PROMISED_SHIFT);
        assert(more & mask == word & mask);
        assert(_unpromise(more, units) == word);
    }

    /// @notice A record changes its own field alone.
    function check_records(uint256 word, uint256 reliability) external pure {
        require(reliability <= 1e6);
        uint256 after_ = _withReliability(word, reliability);
        assert((after_ >> RELIABILITY_SHIFT) & RELIABILITY_MASK == reliability);
        uint256 mask = ~(RELIABILITY_MASK << RELIABILITY_SHIFT);
        assert(after_ & mask == word & mask);
    }

    /// @notice A credit or a debit changes the balance alone, by its amount, or reverts.
    function check_moneyDoesNotTouchAdmission(uint256 word, uint256 amount) external pure {
        uint256 more = _plus(word, amount);
        assert(more >> 96 == word >> 96);
        assert(more & BALANCE_MASK == (word & BALANCE_MASK) + amount);
    }

    function check_debitsDoNotTouchAdmission(uint256 word, uint256 amount) external pure {
        uint256 less = _minus(word, address(1), amount);
        assert(less >> 96 == word >> 96);
        assert((less & BALANCE_MASK) + amount == word & BALANCE_MASK);
    }
}

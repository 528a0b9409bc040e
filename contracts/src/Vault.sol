// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Errors} from "./lib/Errors.sol";

/// @title Participants' balances of the settlement token (§6), and what the registry says of them.
/// @notice One word an account: free balance, 96 bits | device, 32 | Q_max in Wh, 32 | the device's reliability r in ppm,
/// 20 | its energy, 16, and what of it is promised, 16, in units of Q_max/64 | credential's expiry, 40 | roles, 4.
/// Paths out are pulls (T13); the received amount is measured (T14); one lock guards every call (T15).
/// @dev A seller's commitments, opened bids and unsettled rights each hold units of its battery's energy. They never hold
/// more than it has, so that one battery is not sold in many windows beyond what it can deliver (§2, T42).
abstract contract Vault is ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice `balance` is the account's free balance afterwards.
    event Deposited(address indexed account, uint256 amount, uint256 balance);
    event Withdrawn(address indexed account, address indexed to, uint256 amount, uint256 balance);

    uint256 internal constant BALANCE_MASK = (1 << 96) - 1;
    uint256 internal constant DEVICE_SHIFT = 96;
    uint256 internal constant LIMIT_SHIFT = 128;
    uint256 internal constant RELIABILITY_SHIFT = 160;
    uint256 internal constant CAPACITY_SHIFT = 180;
    uint256 internal constant PROMISED_SHIFT = 196;
    uint256 internal constant EXPIRY_SHIFT = 212;
    uint256 internal constant ROLES_SHIFT = 252;
    /// @dev Energy units in Q_max, the most that a device can deliver in one window.
    uint256 internal constant UNITS = 64;
    uint256 internal constant RELIABILITY_MASK = (1 << 20) - 1;
    /// @dev What the registry cannot change: the balance, and the units that are promised.
    uint256 private constant KEPT_MASK = BALANCE_MASK | (0xffff << PROMISED_SHIFT);

    IERC20 public immutable token;
    address public immutable registry;

    mapping(address account => uint256 word) internal _accounts;
    /// @notice H_i of the account's device, zero for none.
    mapping(address account => bytes32 fingerprint) public fingerprintOf;

    constructor(IERC20 token_, address registry_) {
        if (address(token_) == address(0) || registry_ == address(0)) revert Errors.ZeroAddress();
        token = token_;
        registry = registry_;
    }

    /// @notice Deposits `amount`, approved before, to the caller's free balance.
    function deposit(uint256 amount) external nonReentrant {
        _deposit(msg.sender, amount);
    }

    /// @notice Deposits with an EIP-2612 permit. A permit that somebody else submitted first does no harm: the
    /// allowance is then there already.
    function depositWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external nonReentrant {
        try IERC20Permit(address(token)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(msg.sender, amount);
    }

    /// @notice Withdraws from the caller's free balance.
    function withdraw(address to, uint256 amount) external nonReentrant {
        if (to == address(0)) revert Errors.ZeroAddress();
        if (amount == 0) revert Errors.BadAmount(amount);
        _take(msg.sender, amount);
        emit Withdrawn(msg.sender, to, amount, balanceOf(msg.sender));
        token.safeTransfer(to, amount);
    }

    /// @notice Written by the registry whenever an account's admission or device changes. Another device has no record: its
    /// reliability starts at 0 (T43), and it has no energy to sell until all that was promised with the old one is over and
    /// the registry is asked again: the units of two devices differ in size (T42).
    function sync(
        address account,
        uint8 roles,
        uint40 expiry,
        uint32 device,
        uint32 limitWh,
        uint16 capacity,
        bytes32 fingerprint
    ) external {
        if (msg.sender != registry) revert Errors.NotRegistry(msg.sender);
        uint256 old = _accounts[account];
        uint256 kept = old & KEPT_MASK;
        bool same = uint32(old >> DEVICE_SHIFT) == device;
        if (same) kept |= old & (RELIABILITY_MASK << RELIABILITY_SHIFT);
        if (uint16(old >> PROMISED_SHIFT) != 0) capacity = same ? uint16(old >> CAPACITY_SHIFT) : 0;
        _accounts[account] = kept | (uint256(device) << DEVICE_SHIFT) | (uint256(limitWh) << LIMIT_SHIFT)
            | (uint256(capacity) << CAPACITY_SHIFT) | (uint256(expiry) << EXPIRY_SHIFT) | (uint256(roles) << ROLES_SHIFT);
        fingerprintOf[account] = fingerprint;
    }

    /// @notice The account's free balance.
    function balanceOf(address account) public view returns (uint256) {
        return _accounts[account] & BALANCE_MASK;
    }

    /// @notice All that is stored of the account in one word, laid out as above. Off chain it costs nothing to take apart.
    function accountOf(address account) external view returns (uint256) {
        return _accounts[account];
    }

    /// @dev May the account of this word bid on `side`? A seller (0) needs a device; outside the open mode everybody needs the
    /// side's role in an unexpired credential.
    function _admits(uint256 word, uint256 side, bool open, uint256 time) internal pure returns (bool) {
        if (!open && ((word >> (ROLES_SHIFT + side)) & 1 == 0 || time > uint40(word >> EXPIRY_SHIFT))) return false;
        return side != 0 || uint32(word >> DEVICE_SHIFT) != 0;
    }

    function _credit(address account, uint256 amount) internal {
        if (amount != 0) _accounts[account] = _plus(_accounts[account], amount);
    }

    function _take(address account, uint256 amount) internal {
        _accounts[account] = _minus(_accounts[account], account, amount);
    }

    /// @dev The account's word with `units` more of its battery's energy promised.
    function _promise(uint256 word, address account, uint256 units) internal pure returns (uint256) {
        unchecked {
            uint256 promised = uint16(word >> PROMISED_SHIFT) + units;
            if (promised > uint16(word >> CAPACITY_SHIFT)) {
                revert Errors.Oversold(account, promised, uint16(word >> CAPACITY_SHIFT));
            }
            return word + (units << PROMISED_SHIFT);
        }
    }

    /// @dev The account's word with `units` less promised. Every unit is returned once: by whatever ends its promise.
    function _unpromise(uint256 word, uint256 units) internal pure returns (uint256) {
        unchecked {
            return word - (units << PROMISED_SHIFT);
        }
    }

    /// @dev The account's word with another reliability.
    function _withReliability(uint256 word, uint256 reliability) internal pure returns (uint256) {
        return (word & ~(RELIABILITY_MASK << RELIABILITY_SHIFT)) | (reliability << RELIABILITY_SHIFT);
    }

    /// @dev An account word with a larger free balance.
    function _plus(uint256 word, uint256 amount) internal pure returns (uint256) {
        if (amount > BALANCE_MASK - (word & BALANCE_MASK)) revert Errors.BadAmount(amount);
        unchecked {
            return word + amount;
        }
    }

    /// @dev An account word with a smaller free balance.
    function _minus(uint256 word, address account, uint256 amount) internal pure returns (uint256) {
        uint256 free = word & BALANCE_MASK;
        if (free < amount) revert Errors.InsufficientBalance(account, free, amount);
        unchecked {
            return word - amount;
        }
    }

    function _deposit(address account, uint256 amount) private {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(account, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received == 0) revert Errors.BadAmount(received);
        _credit(account, received);
        emit Deposited(account, received, balanceOf(account));
    }
}

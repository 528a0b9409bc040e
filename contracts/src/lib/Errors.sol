// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Every custom error of the market, by the contract that raises it.
/// @notice Errors carry the values that a caller needs to find the way out.
library Errors {
    // ---------------------------------------------------------------- Calendar (§2)

    /// @notice A calendar parameter is out of its range. `field` is its position in `Calendar.Parameters`.
    error BadCalendar(uint256 field);
    /// @notice The window lies beyond the calendar's last round of the ring.
    error WindowBeyondCalendar(uint256 window);
    /// @notice The window is in phase `actual`, in which this call is not allowed.
    error WrongPhase(uint256 window, uint8 actual);

    // ---------------------------------------------------------------- Vault (§6)

    /// @notice The account's free balance does not cover what the call takes.
    error InsufficientBalance(address account, uint256 free, uint256 needed);
    /// @notice An amount of zero, or beyond 96 bits.
    error BadAmount(uint256 amount);
    /// @notice Only the registry may call this.
    error NotRegistry(address caller);
    /// @notice Only the delivery contract may call this.
    error NotDelivery(address caller);
    /// @notice Only the market may call this.
    error NotMarket(address caller);
    /// @notice The contracts were deployed with addresses that do not point at each other.
    error BadWiring(address expected, address actual);
    /// @notice An address is zero where one is needed.
    error ZeroAddress();

    // ---------------------------------------------------------------- Market (§2, §3, §5)

    /// @notice The window's ring place still holds a window that is neither cleared nor void (T17).
    error RingOccupied(uint256 window, uint256 occupant);
    /// @notice The window may be opened only once its start is less than one ring ahead.
    error TooEarlyToOpen(uint256 window);
    /// @notice The account's credential is missing the side's role, revoked, or expired; or a seller has no device.
    error NotAdmitted(address account, uint8 side);
    /// @notice A bid holds at most 64 units of a battery's energy: all that one window can take.
    error BadUnits(uint256 units);
    /// @notice The battery's energy is promised already: with this commitment `promised` of `capacity` units would be (§2).
    error Oversold(address account, uint256 promised, uint256 capacity);
    /// @notice The commitment is zero, the encoding of no point.
    error BadCommitment(uint256 window);
    /// @notice The account's ring place holds a bid of an earlier window that must be claimed first (T17).
    error UnclaimedBid(address account, uint256 window);
    /// @notice The account has no unopened commitment in this window.
    error NoCommitment(uint256 window, address account);
    /// @notice The opening is refused; `reason` is the selector of one of: WrongPhase, NoCommitment, BadCurve,
    /// BeyondDevice, BadBlinder, OpeningMismatch, InsufficientBalance.
    error OpeningRefused(uint256 window, address participant, bytes4 reason);
    /// @notice The curve's encoding breaks §2.
    error BadCurve();
    /// @notice The curve's sum of widths exceeds its commitment's units of the device's certified Q_max (1).
    error BeyondDevice();
    /// @notice The blinder is zero or not below the group order (T4).
    error BadBlinder();
    /// @notice The opening does not match the commitment (7).
    error OpeningMismatch();
    /// @notice A tick's quantity lane would overflow (T8).
    error LaneFull(uint256 tick);
    /// @notice The bid passed does not hash to the stored word, or was claimed already (T10).
    error NoSuchBid(uint256 window, address account);
    /// @notice The right is not an unpaid buyer's right.
    error NotPayable(uint256 rightId);
    /// @notice Some fills of the window are neither claimed, paid nor defaulted yet: `resolved` of `needed` Wh.
    error FillsOutstanding(uint256 window, uint256 resolved, uint256 needed);
    /// @notice Sellers' rights must be settled before buyers': `settled` of `needed` Wh are.
    error SellersOutstanding(uint256 window, uint256 settled, uint256 needed);
    /// @notice Two arrays of one batch differ in length.
    error LengthMismatch();

    // ---------------------------------------------------------------- Pedersen (§5)

    /// @notice The chain's ecAdd or ecMul precompile is missing or wrong (T25).
    error PrecompileFailed();

    // ---------------------------------------------------------------- CapacityRights (25), (27)

    /// @notice The right does not exist (never minted, settled, or void).
    error NoSuchRight(uint256 rightId);
    /// @notice The caller neither owns the right nor is approved for it.
    error NotHolder(uint256 rightId, address caller);
    /// @notice The split quantity is zero or not below the right's.
    error BadSplit(uint256 rightId, uint256 quantity);
    /// @notice The right must be paid before it can be split.
    error Unpaid(uint256 rightId);

    // ---------------------------------------------------------------- Registry

    /// @notice The statement was not signed by an issuer of the community.
    error NotIssuer(address signer);
    /// @notice The statement's nonce was used already, or an earlier one.
    error StaleNonce(address account, uint256 nonce, uint256 last);
    /// @notice Roles are a bit set of 1 (sell) and 2 (buy).
    error BadRoles(uint256 roles);
    /// @notice The DID is empty or longer than 128 bytes.
    error BadDid(uint256 length);
    /// @notice The account is not registered.
    error UnknownParticipant(address account);
    /// @notice The device is not registered.
    error UnknownDevice(uint256 device);
    /// @notice The caller is neither an issuer nor, in the open mode, the device's owner.
    error NotDeviceAuthority(uint256 device, address caller);
    /// @notice A device parameter is zero or out of range. `field` is its position in the certificate.
    error BadDevice(uint256 field);
    /// @notice A key's validity ends before it begins.
    error BadValidity(uint256 from, uint256 to);

    // ---------------------------------------------------------------- Delivery (30)-(32)

    /// @notice The reading is refused; `reason` is a `Delivery.Refusal`.
    error ReadingRefused(uint256 device, uint256 window, uint256 subSlot, uint8 reason);
    /// @notice The right is not a seller's right.
    error NotSellerRight(uint256 rightId);
    /// @notice The right's final settlement token cannot be settled again.
    error AlreadySettled(uint256 rightId);
}

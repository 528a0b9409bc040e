// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Vm} from "./Vm.sol";

/// @title Base of every test: assertions, bounded fuzz inputs, named accounts, and the targets of invariant runs
/// @notice A failed assertion reverts with both values; nothing is recorded and the test ends there.
abstract contract Test {
    /// @notice What an invariant run may call on one target: the contract and its selectors, as forge reads them.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    event log(string text);
    event log_named_uint(string key, uint256 value);
    event log_named_bytes32(string key, bytes32 value);
    event log_named_address(string key, address value);

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Tells forge that this contract is a test.
    bool public constant IS_TEST = true;

    uint256 internal constant MAX_UINT = type(uint256).max;

    address[] private _targetContracts;
    address[] private _excludedContracts;
    address[] private _targetSenders;
    address[] private _excludedSenders;
    FuzzSelector[] private _targetSelectors;
    FuzzSelector[] private _excludedSelectors;

    // ------------------------------------------------------------------------------------------------ invariant targets

    /// @dev Adds to the contracts called in invariant runs.
    function targetContract(address item) internal {
        _targetContracts.push(item);
    }

    /// @notice Read by forge before an invariant run.
    function targetContracts() external view returns (address[] memory) {
        return _targetContracts;
    }

    /// @dev Takes from the contracts called in invariant runs.
    function excludeContract(address item) internal {
        _excludedContracts.push(item);
    }

    /// @notice Read by forge before an invariant run.
    function excludeContracts() external view returns (address[] memory) {
        return _excludedContracts;
    }

    /// @dev Adds to the senders used in invariant runs.
    function targetSender(address item) internal {
        _targetSenders.push(item);
    }

    /// @notice Read by forge before an invariant run.
    function targetSenders() external view returns (address[] memory) {
        return _targetSenders;
    }

    /// @dev Takes from the senders used in invariant runs.
    function excludeSender(address item) internal {
        _excludedSenders.push(item);
    }

    /// @notice Read by forge before an invariant run.
    function excludeSenders() external view returns (address[] memory) {
        return _excludedSenders;
    }

    /// @dev Adds to the functions called in invariant runs.
    function targetSelector(FuzzSelector memory item) internal {
        _targetSelectors.push(item);
    }

    /// @notice Read by forge before an invariant run.
    function targetSelectors() external view returns (FuzzSelector[] memory) {
        return _targetSelectors;
    }

    /// @dev Takes from the functions called in invariant runs.
    function excludeSelector(FuzzSelector memory item) internal {
        _excludedSelectors.push(item);
    }

    /// @notice Read by forge before an invariant run.
    function excludeSelectors() external view returns (FuzzSelector[] memory) {
        return _excludedSelectors;
    }

    // ------------------------------------------------------------------------------------------------- inputs, accounts

    /// @dev `x` folded into [min, max]; values inside stay as they are, so that a counterexample reads well.
    function bound(uint256 x, uint256 min, uint256 max) internal pure returns (uint256) {
        require(min <= max, "bound: min is above max");
        if (x >= min && x <= max) return x;
        uint256 size = max - min;
        if (size == MAX_UINT) return x;
        return min + (x % (size + 1));
    }

    /// @dev The address and key that belong to a name; the address is labelled in traces.
    function makeAddrAndKey(string memory name) internal returns (address account, uint256 key) {
        key = uint256(keccak256(bytes(name)));
        account = vm.addr(key);
        vm.label(account, name);
    }

    /// @dev The address that belongs to a name.
    function makeAddr(string memory name) internal returns (address account) {
        (account,) = makeAddrAndKey(name);
    }

    /// @dev Moves the block time forward.
    function skip(uint256 secondsLater) internal {
        vm.warp(vm.getBlockTimestamp() + secondsLater);
    }

    // ------------------------------------------------------------------------------------------------------- assertions

    function assertTrue(bool condition) internal pure {
        vm.assertTrue(condition);
    }

    function assertTrue(bool condition, string memory error) internal pure {
        vm.assertTrue(condition, error);
    }

    function assertFalse(bool condition) internal pure {
        vm.assertFalse(condition);
    }

    function assertFalse(bool condition, string memory error) internal pure {
        vm.assertFalse(condition, error);
    }

    function assertEq(bool left, bool right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(bool left, bool right, string memory error) internal pure {
        vm.assertEq(left, right, error);
    }

    function assertEq(uint256 left, uint256 right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(uint256 left, uint256 right, string memory error) internal pure {
        vm.assertEq(left, right, error);
    }

    function assertEq(int256 left, int256 right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(int256 left, int256 right, string memory error) internal pure {
        vm.assertEq(left, right, error);
    }

    function assertEq(address left, address right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(address left, address right, string memory error) internal pure {
        vm.assertEq(left, right, error);
    }

    function assertEq(bytes32 left, bytes32 right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(bytes32 left, bytes32 right, string memory error) internal pure {
        vm.assertEq(left, right, error);
    }

    function assertEq(string memory left, string memory right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(string memory left, string memory right, string memory error) internal pure {
        vm.assertEq(left, right, error);
    }

    function assertEq(bytes memory left, bytes memory right) internal pure {
        vm.assertEq(left, right);
    }

    function assertEq(bytes memory left, bytes memory right, string memory error) internal pure {
        vm.assertEq(left, right, error);
    }

    function assertEq(uint256[] memory left, uint256[] memory right) internal pure {
        vm.assertEq(left, right);
    }

    function assertNotEq(uint256 left, uint256 right) internal pure {
        vm.assertNotEq(left, right);
    }

    function assertNotEq(uint256 left, uint256 right, string memory error) internal pure {
        vm.assertNotEq(left, right, error);
    }

    function assertNotEq(address left, address right) internal pure {
        vm.assertNotEq(left, right);
    }

    function assertNotEq(address left, address right, string memory error) internal pure {
        vm.assertNotEq(left, right, error);
    }

    function assertNotEq(bytes32 left, bytes32 right) internal pure {
        vm.assertNotEq(left, right);
    }

    function assertNotEq(bytes32 left, bytes32 right, string memory error) internal pure {
        vm.assertNotEq(left, right, error);
    }

    function assertLt(uint256 left, uint256 right) internal pure {
        vm.assertLt(left, right);
    }

    function assertLt(uint256 left, uint256 right, string memory error) internal pure {
        vm.assertLt(left, right, error);
    }

    function assertLe(uint256 left, uint256 right) internal pure {
        vm.assertLe(left, right);
    }

    function assertLe(uint256 left, uint256 right, string memory error) internal pure {
        vm.assertLe(left, right, error);
    }

    function assertGt(uint256 left, uint256 right) internal pure {
        vm.assertGt(left, right);
    }

    function assertGt(uint256 left, uint256 right, string memory error) internal pure {
        vm.assertGt(left, right, error);
    }

    function assertGe(uint256 left, uint256 right) internal pure {
        vm.assertGe(left, right);
    }

    function assertGe(uint256 left, uint256 right, string memory error) internal pure {
        vm.assertGe(left, right, error);
    }

    function assertApproxEqAbs(uint256 left, uint256 right, uint256 maxDelta) internal pure {
        vm.assertApproxEqAbs(left, right, maxDelta);
    }

    function assertApproxEqAbs(uint256 left, uint256 right, uint256 maxDelta, string memory error) internal pure {
        vm.assertApproxEqAbs(left, right, maxDelta, error);
    }

    /// @dev Ends the test with a reason.
    function fail(string memory reason) internal pure {
        vm.assertTrue(false, reason);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token that keeps a hundredth of every transfer.
contract FeeToken is ERC20("Fee", "FEE") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(to, address(0xfee), value / 100);
    }
}

/// @notice A token that calls sender and receiver in the middle of a transfer.
contract HookToken is ERC20("Hook", "HOOK") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        _call(from);
        _call(to);
    }

    function _call(address account) private {
        if (account.code.length == 0) return;
        try Hooked(account).onMove() {} catch {}
    }
}

interface Hooked {
    function onMove() external;
}

/// @notice A token that says yes and moves nothing.
contract IdleToken is ERC20("Idle", "IDLE") {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

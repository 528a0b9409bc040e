// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Registry} from "../../src/Registry.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

/// @notice Registry's constructor, register(credential, signature), revoke(account), and the issuer's role.
contract RegisterTest is Fixture {
    /// constructor > when market or admin is zero > it reverts with ZeroAddress
    function test_ConstructorRevertWhen_AnAddressIsZero() external {
        vm.expectRevert(Errors.ZeroAddress.selector);
        this.createExternal("Registry.sol:Registry", abi.encode(address(0), 900, false, admin, issuer));
        vm.expectRevert(Errors.ZeroAddress.selector);
        this.createExternal("Registry.sol:Registry", abi.encode(address(market), 900, false, address(0), issuer));
    }

    /// constructor > when there is no issuer > nobody has the role, not even address zero
    function test_ConstructorWithoutIssuer() external {
        Registry r = Registry(
            this.createExternal("Registry.sol:Registry", abi.encode(address(market), 900, true, admin, address(0)))
        );
        assertFalse(r.hasRole(r.ISSUER_ROLE(), address(0)), "no issuer");
        assertTrue(r.hasRole(r.DEFAULT_ADMIN_ROLE(), admin), "admin");
    }

    /// register > when the signer is no issuer > it reverts with NotIssuer (T20)
    function testFuzz_RevertWhen_NotSignedByAnIssuer(uint256 key) external {
        key = bound(key, 1, type(uint128).max);
        Registry.Credential memory c = _credential(stranger, 3);
        bytes memory signature = _signCredential(c, key);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotIssuer.selector, vm.addr(key)));
        registry.register(c, signature);
    }

    /// register > when the signature is no signature > it reverts with NotIssuer of address zero
    function testFuzz_RevertWhen_NoSignature(bytes memory signature) external {
        vm.assume(signature.length != 65);
        Registry.Credential memory c = _credential(stranger, 3);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotIssuer.selector, address(0)));
        registry.register(c, signature);
    }

    /// register > when the role was given to address zero > an empty signature is refused all the same
    function test_RevertWhen_AddressZeroHoldsTheRole() external {
        bytes32 role = registry.ISSUER_ROLE();
        vm.prank(admin);
        registry.grantRole(role, address(0));
        Registry.Credential memory c = _credential(stranger, 3);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotIssuer.selector, address(0)));
        registry.register(c, "");
    }

    /// register > when any value of the statement was altered > it reverts with NotIssuer
    function testFuzz_RevertWhen_Altered(uint8 which) external {
        Registry.Credential memory c = _credential(stranger, 1);
        bytes memory signature = _signCredential(c, issuerKey);
        which %= 5;
        if (which == 0) c.account = admin;
        if (which == 1) c.did = "did:example:other";
        if (which == 2) c.roles = 3;
        if (which == 3) c.expiry += 1;
        if (which == 4) c.nonce += 1;
        vm.expectPartialRevert(Errors.NotIssuer.selector);
        registry.register(c, signature);
    }

    /// register > when the account is zero > it reverts with ZeroAddress
    function test_RevertWhen_NoAccount() external {
        Registry.Credential memory c = _credential(address(0), 3);
        _expect(c, abi.encodeWithSelector(Errors.ZeroAddress.selector));
    }

    /// register > when the roles are none or unknown > it reverts with BadRoles
    function testFuzz_RevertWhen_BadRoles(uint8 roles) external {
        vm.assume(roles == 0 || roles > 3);
        _expect(_credential(stranger, roles), abi.encodeWithSelector(Errors.BadRoles.selector, roles));
    }

    /// register > when the DID is empty or longer than 128 bytes > it reverts with BadDid; at 128 > it registers
    function testFuzz_RevertWhen_BadDid(uint16 length) external {
        Registry.Credential memory c = _credential(stranger, 3);
        c.did = "";
        _expect(c, abi.encodeWithSelector(Errors.BadDid.selector, 0));
        length = uint16(bound(length, 129, 2000));
        c.did = string(new bytes(length));
        _expect(c, abi.encodeWithSelector(Errors.BadDid.selector, length));
        c.did = string(new bytes(128));
        registry.register(c, _signCredential(c, issuerKey));
    }

    /// register > when the expiry exceeds 40 bits > it reverts with BadValidity (T8)
    function testFuzz_RevertWhen_BadExpiry(uint64 expiry) external {
        Registry.Credential memory c = _credential(stranger, 3);
        c.expiry = uint64(bound(expiry, uint256(type(uint40).max) + 1, type(uint64).max));
        _expect(c, abi.encodeWithSelector(Errors.BadValidity.selector, 0, c.expiry));
    }

    /// register > when the nonce is not above the last one > it reverts with StaleNonce
    function testFuzz_RevertWhen_StaleNonce(uint256 nonce, uint256 stale) external {
        nonce = bound(nonce, 1, type(uint256).max);
        Registry.Credential memory c = _credential(stranger, 3);
        c.nonce = nonce;
        registry.register(c, _signCredential(c, issuerKey));
        c.nonce = bound(stale, 0, nonce);
        _expect(c, abi.encodeWithSelector(Errors.StaleNonce.selector, stranger, c.nonce, nonce));
    }

    /// register > when all is well > anybody may submit it, and the market knows at once
    function testFuzz_Registers(address caller, uint8 roles, uint40 expiry) external {
        Registry.Credential memory c = _credential(stranger, uint8(bound(roles, 1, 3)));
        c.expiry = expiry;
        bytes memory signature = _signCredential(c, issuerKey);
        vm.prank(caller);
        registry.register(c, signature);
        (uint8 r, uint40 e,,) = _admission(stranger);
        assertEq(r, c.roles, "roles");
        assertEq(e, expiry, "expiry");
        assertEq(registry.didOf(stranger), c.did, "did");
        assertEq(registry.participantOf(stranger).roles, c.roles, "registry");
    }

    /// register > when it changes anything > the digest is chained
    function test_ChainsTheDigest() external {
        bytes32 before = registry.digest();
        Registry.Credential memory c = _credential(stranger, 3);
        bytes32 values = keccak256(abi.encode("register", c.account, c.did, c.roles, c.expiry, c.nonce, issuer));
        bytes32 wanted = keccak256(abi.encode(before, values));
        vm.expectEmit(address(registry));
        emit Registry.ParticipantRegistered(stranger, c.did, 3, c.expiry, c.nonce, issuer, wanted);
        registry.register(c, _signCredential(c, issuerKey));
        assertEq(registry.digest(), wanted, "digest");
    }

    /// revoke > when the caller is no issuer > it reverts with AccessControl's error (T20)
    function testFuzz_RevokeRevertWhen_NotAnIssuer(address caller) external {
        vm.assume(caller != issuer);
        bytes32 role = registry.ISSUER_ROLE();
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, role));
        vm.prank(caller);
        registry.revoke(buyer);
    }

    /// revoke > when the account is not registered > it reverts with UnknownParticipant
    function testFuzz_RevokeRevertWhen_Unknown(address account) external {
        vm.assume(registry.participantOf(account).roles == 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.UnknownParticipant.selector, account));
        vm.prank(issuer);
        registry.revoke(account);
    }

    /// revoke > it takes roles and expiry, in the market too
    function test_Revokes() external {
        vm.expectEmit(true, false, false, false, address(registry));
        emit Registry.ParticipantRevoked(seller, issuer, 0);
        vm.prank(issuer);
        registry.revoke(seller);
        (uint8 roles, uint40 expiry, uint32 device,) = _admission(seller);
        assertEq(roles, 0, "roles");
        assertEq(expiry, 0, "expiry");
        assertEq(device, 1, "the device stays");
    }

    /// register > when the account was revoked > a statement signed before is refused from anybody but an issuer
    function testFuzz_ARevocationIsNotUndoneByAnOldStatement(address caller) external {
        vm.assume(caller != issuer);
        Registry.Credential memory c = _credential(buyer, 3);
        bytes memory signature = _signCredential(c, issuerKey);
        bytes32 role = registry.ISSUER_ROLE();
        vm.prank(issuer);
        registry.revoke(buyer);
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, role));
        vm.prank(caller);
        registry.register(c, signature);
        vm.prank(issuer);
        registry.register(c, signature);
        assertEq(registry.participantOf(buyer).roles, 3, "registered again");
    }

    /// grantRole > when the caller is not the admin > it reverts with AccessControl's error (T20)
    function testFuzz_GrantRevertWhen_NotTheAdmin(address caller) external {
        vm.assume(caller != admin);
        bytes32 role = registry.ISSUER_ROLE();
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, bytes32(0))
        );
        vm.prank(caller);
        registry.grantRole(role, caller);
    }

    function _expect(Registry.Credential memory c, bytes memory error) private {
        bytes memory signature = _signCredential(c, issuerKey);
        vm.expectRevert(error);
        registry.register(c, signature);
    }
}

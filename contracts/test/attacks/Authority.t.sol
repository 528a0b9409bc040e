// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CapacityRights} from "../../src/CapacityRights.sol";
import {Market} from "../../src/Market.sol";
import {Registry} from "../../src/Registry.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @notice Attacks on authority: who may call what, statements and their replay, names as code (T20, T30, T34, T40).
contract AuthorityAttacks is Fixture {
    /// The doors between the contracts, tried by a stranger, by the admin and by an issuer.
    function test_T20_TheContractsTrustOnlyEachOther() external {
        address[3] memory callers = [stranger, admin, issuer];
        for (uint256 i; i < callers.length; ++i) {
            address caller = callers[i];
            vm.startPrank(caller);
            vm.expectRevert(abi.encodeWithSelector(Errors.NotRegistry.selector, caller));
            market.sync(caller, 3, type(uint40).max, 1, 1000, 64, 0);
            bytes memory notDelivery = abi.encodeWithSelector(Errors.NotDelivery.selector, caller);
            vm.expectRevert(notDelivery);
            market.payStream(W, caller, 1);
            vm.expectRevert(notDelivery);
            market.settleSeller(Market.SellerSettlement(W, 1, caller, 1, caller, 1, 1, 1, 1, 1, 1));
            vm.expectRevert(notDelivery);
            market.settleBuyer(W, caller, caller, 1, 1);
            vm.expectRevert(notDelivery);
            rights.recordDrawn(1, 1);
            vm.expectRevert(notDelivery);
            rights.settle(1, CapacityRights.Settlement(1, 1, 1, 1));
            bytes memory notMarket = abi.encodeWithSelector(Errors.NotMarket.selector, caller);
            vm.expectRevert(notMarket);
            rights.mint(caller, 1, 1);
            vm.expectRevert(notMarket);
            rights.markPaid(1);
            vm.expectRevert(notMarket);
            rights.burn(1);
            vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
            token.mint(caller, 1);
            vm.stopPrank();
        }
    }

    /// A stranger, and a participant, try the registry's doors.
    function test_T20_OnlyIssuersRevokeAndSetKeys() external {
        address[2] memory callers = [stranger, seller];
        for (uint256 i; i < callers.length; ++i) {
            vm.startPrank(callers[i]);
            vm.expectRevert(_noRole(callers[i], registry.ISSUER_ROLE()));
            registry.revoke(seller2);
            vm.expectRevert(abi.encodeWithSelector(Errors.NotDeviceAuthority.selector, 1, callers[i]));
            registry.setMeterKey(1, callers[i], 0, 1);
            vm.expectRevert(abi.encodeWithSelector(Errors.NotDeviceAuthority.selector, 1, callers[i]));
            registry.revokeDevice(1);
            vm.stopPrank();
        }
        bytes32 role = registry.ISSUER_ROLE();
        vm.expectRevert(_noRole(stranger, bytes32(0)));
        vm.prank(stranger);
        registry.grantRole(role, stranger);
    }

    /// In the open mode an owner has authority over its own device, not over others'.
    function test_T20_InTheOpenModeAnOwnerHasItsOwnDeviceOnly() external {
        _deployOpen(_parameters());
        _enrol();
        vm.expectRevert(abi.encodeWithSelector(Errors.NotDeviceAuthority.selector, 2, seller));
        vm.prank(seller);
        registry.setMeterKey(2, seller, 0, 1);
        Registry.DeviceCertificate memory c = _certificate(seller2, seller2Key, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotDeviceAuthority.selector, 3, seller));
        vm.prank(seller);
        registry.registerDevice(c, "");
    }

    /// Bids of who is not admitted: no credential, the other role only, expired, revoked, no device.
    function test_T20_OnlyTheAdmittedBid() external {
        _open(W);
        _notAdmitted(stranger, BUY);
        _notAdmitted(buyer, SELL); // has no device
        _register(buyer2, 1);
        _notAdmitted(buyer2, BUY);
        vm.prank(issuer);
        registry.revoke(seller);
        _notAdmitted(seller, SELL);
        Registry.Credential memory c = _credential(buyer, 3);
        c.expiry = uint64(vm.getBlockTimestamp() - 1);
        registry.register(c, _signCredential(c, issuerKey));
        _notAdmitted(buyer, BUY);
    }

    /// A statement signed before the revocation, and never used, would undo it.
    function test_T30_AStatementSignedBeforeDoesNotUndoARevocation() external {
        Registry.Credential memory c = _credential(buyer, 3);
        bytes memory signature = _signCredential(c, issuerKey);
        vm.prank(issuer);
        registry.revoke(buyer);
        bytes32 role = registry.ISSUER_ROLE();
        vm.expectRevert(_noRole(buyer, role));
        vm.prank(buyer);
        registry.register(c, signature);
        _open(W);
        _notAdmitted(buyer, BUY);

        vm.prank(issuer);
        registry.register(c, signature); // an issuer itself may
        vm.prank(buyer);
        market.commit(W, NO_UNITS, 1);
        c = _credential(buyer, 3);
        registry.register(c, _signCredential(c, issuerKey)); // and renewals are anybody's again
    }

    /// The same for devices.
    function test_T30_ACertificateSignedBeforeDoesNotUndoADevicesRevocation() external {
        Registry.DeviceCertificate memory c = _certificate(seller, sellerKey, 20_000, 80_000);
        bytes memory signature = _signCertificate(c, issuerKey);
        vm.prank(issuer);
        registry.revokeDevice(1);
        bytes32 role = registry.ISSUER_ROLE();
        vm.expectRevert(_noRole(seller, role));
        vm.prank(seller);
        registry.registerDevice(c, signature);
        _open(W);
        _notAdmitted(seller, SELL);
        vm.prank(issuer);
        assertEq(registry.registerDevice(c, signature), 3);
        vm.prank(seller);
        market.commit(W, ALL_UNITS, 1);
    }

    /// A used statement is used again; one of another issuer, another registry, another account.
    function test_T30_StatementsAreNotReplayed() external {
        Registry.Credential memory c = _credential(stranger, 3);
        bytes memory signature = _signCredential(c, issuerKey);
        registry.register(c, signature);
        vm.expectRevert(abi.encodeWithSelector(Errors.StaleNonce.selector, stranger, c.nonce, c.nonce));
        registry.register(c, signature);
        c.account = buyer;
        vm.expectPartialRevert(Errors.NotIssuer.selector);
        registry.register(c, signature);
        c = _credential(stranger, 3);
        signature = _signCredential(c, sellerKey);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotIssuer.selector, seller));
        registry.register(c, signature);
        signature = _signCredential(c, issuerKey);
        _deploy(_parameters(), false);
        vm.expectPartialRevert(Errors.NotIssuer.selector);
        registry.register(c, signature);
    }

    /// The role is given to address zero by mistake: a signature that recovers to nobody must not be an issuer's.
    function test_T30_AddressZeroIsNoIssuer() external {
        bytes32 role = registry.ISSUER_ROLE();
        vm.prank(admin);
        registry.grantRole(role, address(0));
        Registry.Credential memory c = _credential(stranger, 3);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotIssuer.selector, address(0)));
        registry.register(c, "");
    }

    /// The struct hash of a certificate is EIP-712's: each field in one word, in order. A packed or shifted encoding would
    /// let one signature stand for two certificates.
    function testFuzz_T40_ACertificatesHashIsThatOfTheStandard(Registry.DeviceCertificate memory c, uint8 altered)
        external
    {
        c.owner = seller;
        c.usableWh = uint32(bound(c.usableWh, 1, type(uint32).max));
        c.exportW = uint32(bound(c.exportW, 1, type(uint32).max));
        c.chargeEfficiency = uint32(bound(c.chargeEfficiency, 1, 1e6));
        c.dischargeEfficiency = uint32(bound(c.dischargeEfficiency, 1, 1e6));
        c.validTo = uint64(bound(c.validTo, c.validFrom, type(uint64).max));
        c.nonce = bound(c.nonce, 2, type(uint256).max);
        if (c.meterKey == address(0)) c.meterKey = seller;
        bytes32 structHash = keccak256(
            bytes.concat(
                abi.encode(DEVICE_TYPEHASH, c.owner, c.usableWh, c.exportW, c.chargeW, c.chargeEfficiency),
                abi.encode(c.dischargeEfficiency, c.serial, c.meterKey, c.validFrom, c.validTo, c.nonce)
            )
        );
        bytes memory signature = _sign(issuerKey, address(registry), "Stowatt Registry", structHash);
        uint256 before = vm.snapshotState();
        registry.registerDevice(c, signature);
        vm.revertToState(before);
        altered = uint8(bound(altered, 0, 5));
        if (altered == 0) c.usableWh ^= 1;
        if (altered == 1) c.chargeW ^= 1;
        if (altered == 2) c.serial ^= bytes32(uint256(1));
        if (altered == 3) c.meterKey = address(uint160(c.meterKey) ^ 1);
        if (altered == 4) c.nonce ^= 1;
        if (altered == 5) c.validFrom ^= 1;
        vm.expectPartialRevert(Errors.NotIssuer.selector);
        registry.registerDevice(c, signature);
    }

    /// A DID that closes the string and goes on as JSON of its own.
    function test_T34_ADidCannotInjectJson() external {
        string[4] memory dids = [
            'did:x:"},{"trait_type":"quantity Wh","value":999999},{"a":"',
            "did:x:\\",
            "did:x:\n\t\r\x08\x0c\x00\x1f",
            unicode"did:x:äöü€𝔘</script><script>alert(1)</script>"
        ];
        (uint256 sellerRight,) = _issued();
        for (uint256 i; i < dids.length; ++i) {
            Registry.Credential memory c = _credential(seller, 3);
            c.did = dids[i];
            registry.register(c, _signCredential(c, issuerKey));
            string memory json = _json(rights.tokenURI(sellerRight));
            assertEq(vm.parseJsonString(json, ".attributes[1].value"), dids[i], "the DID and nothing else");
            assertEq(vm.parseJsonUint(json, ".attributes[6].value"), 1000, "the quantity");
            assertFalse(vm.keyExistsJson(json, ".attributes[10]"), "ten attributes");
        }
    }

    function _notAdmitted(address account, uint256 side) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.NotAdmitted.selector, account, uint8(side)));
        vm.prank(account);
        market.commit(W, side == SELL ? ALL_UNITS : NO_UNITS, 1);
    }

    function _noRole(address account, bytes32 role) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }

    /// @dev The JSON in a base64 data URI.
    function _json(string memory uri) private pure returns (string memory) {
        bytes memory text = bytes(uri);
        uint256 skipped = bytes("data:application/json;base64,").length;
        bytes memory out = new bytes((text.length - skipped) / 4 * 3);
        uint256 length;
        for (uint256 i = skipped; i < text.length; i += 4) {
            uint256 word;
            uint256 pads;
            for (uint256 j; j < 4; ++j) {
                bytes1 c = text[i + j];
                if (c == "=") ++pads;
                word = (word << 6) | _sextet(c);
            }
            for (uint256 j; j < 3 - pads; ++j) {
                out[length++] = bytes1(uint8(word >> (16 - 8 * j)));
            }
        }
        assembly ("memory-safe") {
            mstore(out, length)
        }
        return string(out);
    }

    function _sextet(bytes1 c) private pure returns (uint256) {
        if (c >= "A" && c <= "Z") return uint8(c) - 65;
        if (c >= "a" && c <= "z") return uint8(c) - 71;
        if (c >= "0" && c <= "9") return uint8(c) + 4;
        return c == "+" ? 62 : c == "/" ? 63 : 0;
    }
}

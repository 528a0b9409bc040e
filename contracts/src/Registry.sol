// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Errors} from "./lib/Errors.sol";

/// @notice What the registry tells the market of an account.
interface IAdmission {
    function sync(
        address account,
        uint8 roles,
        uint40 expiry,
        uint32 device,
        uint32 limitWh,
        uint16 capacity,
        bytes32 fingerprint
    ) external;
}

/// @title Who may trade, with which device, metered by which key.
/// @notice Participants and devices enter by an EIP-712 statement of the community's issuer, which anybody may submit.
/// In the open mode devices need no issuer: their owner registers them itself, and nobody needs a credential.
/// @dev Each event carries a digest chained over all events before it, so that an auditor detects any altered value.
contract Registry is AccessControl, EIP712 {
    struct Credential {
        address account;
        string did;
        uint8 roles; // 1 sell, 2 buy
        uint64 expiry; // last second of validity
        uint256 nonce; // larger than the account's last one
    }

    struct DeviceCertificate {
        address owner;
        uint32 usableWh;
        uint32 exportW;
        uint32 chargeW;
        uint32 chargeEfficiency; // ppm
        uint32 dischargeEfficiency; // ppm
        bytes32 serial;
        address meterKey;
        uint64 validFrom; // of the meter key
        uint64 validTo;
        uint256 nonce; // larger than the owner's last one
    }

    struct Participant {
        string did;
        uint8 roles;
        uint40 expiry;
        uint32 device;
    }

    struct Device {
        address owner;
        uint32 usableWh;
        uint32 exportW;
        uint32 limitWh; // Q_max of a window (1)
        bytes32 fingerprint; // H_i
    }

    event ParticipantRegistered(
        address indexed account, string did, uint8 roles, uint64 expiry, uint256 nonce, address issuer, bytes32 digest
    );
    event ParticipantRevoked(address indexed account, address issuer, bytes32 digest);
    event DeviceRegistered(
        uint256 indexed device, DeviceCertificate certificate, bytes32 fingerprint, uint32 limitWh, bytes32 digest
    );
    event DeviceRevoked(uint256 indexed device, bytes32 digest);
    event AccountRefreshed(address indexed account, bytes32 digest);
    event MeterKeySet(uint256 indexed device, address indexed key, uint64 validFrom, uint64 validTo, bytes32 digest);

    bytes32 public constant ISSUER_ROLE = keccak256("ISSUER_ROLE");
    bytes32 private constant CREDENTIAL_TYPEHASH =
        keccak256("Credential(address account,string did,uint8 roles,uint64 expiry,uint256 nonce)");
    bytes32 private constant DEVICE_TYPEHASH = keccak256(
        "DeviceCertificate(address owner,uint32 usableWh,uint32 exportW,uint32 chargeW,uint32 chargeEfficiency,uint32 dischargeEfficiency,bytes32 serial,address meterKey,uint64 validFrom,uint64 validTo,uint256 nonce)"
    );
    bytes32 private constant DEVICE_DOMAIN = keccak256("Stowatt/device/1");
    uint256 private constant MAX_DID = 128;
    uint256 private constant PPM = 1e6;

    IAdmission public immutable market;
    uint256 public immutable windowLength;
    bool public immutable openMode;

    uint256 public deviceCount;
    bytes32 public digest;
    mapping(address account => Participant) private _participants;
    mapping(uint256 device => Device) private _devices;
    /// @dev from (64 bits) | to (64 bits); both inclusive; zero for an unknown key.
    mapping(uint256 device => mapping(address key => uint256 validity)) private _meterKeys;
    mapping(address account => uint256) public lastCredentialNonce;
    mapping(address owner => uint256) public lastDeviceNonce;
    /// @dev Revoked by an issuer: a statement that was signed before must not undo that, so an issuer itself must send the
    /// next one. By account, for its credential and for its device.
    mapping(address account => bool) private _credentialBarred;
    mapping(address owner => bool) private _deviceBarred;

    constructor(address market_, uint256 windowLength_, bool openMode_, address admin, address issuer)
        EIP712("Stowatt Registry", "1")
    {
        if (market_ == address(0) || admin == address(0)) revert Errors.ZeroAddress();
        market = IAdmission(market_);
        windowLength = windowLength_;
        openMode = openMode_;
        digest = keccak256(abi.encode("registry", market_, windowLength_, openMode_, admin, issuer));
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        if (issuer != address(0)) _grantRole(ISSUER_ROLE, issuer);
    }

    /// @notice Registers a participant, or renews it, by its issuer-signed credential.
    function register(Credential calldata c, bytes calldata signature) external {
        bytes32 hash = keccak256(
            abi.encode(CREDENTIAL_TYPEHASH, c.account, keccak256(bytes(c.did)), c.roles, c.expiry, c.nonce)
        );
        address issuer = _issuerOf(hash, signature);
        if (_credentialBarred[c.account]) {
            _checkRole(ISSUER_ROLE);
            _credentialBarred[c.account] = false;
        }
        if (c.account == address(0)) revert Errors.ZeroAddress();
        if (c.roles == 0 || c.roles > 3) revert Errors.BadRoles(c.roles);
        if (bytes(c.did).length == 0 || bytes(c.did).length > MAX_DID) revert Errors.BadDid(bytes(c.did).length);
        if (c.expiry > type(uint40).max) revert Errors.BadValidity(0, c.expiry);
        if (c.nonce <= lastCredentialNonce[c.account]) {
            revert Errors.StaleNonce(c.account, c.nonce, lastCredentialNonce[c.account]);
        }
        lastCredentialNonce[c.account] = c.nonce;
        Participant storage p = _participants[c.account];
        (p.did, p.roles, p.expiry) = (c.did, c.roles, uint40(c.expiry));
        bytes32 d = _chain(abi.encode("register", c.account, c.did, c.roles, c.expiry, c.nonce, issuer));
        emit ParticipantRegistered(c.account, c.did, c.roles, c.expiry, c.nonce, issuer, d);
        _sync(c.account);
    }

    /// @notice Revokes a participant: it can make no further commitment. What it has in running windows goes on. Only an
    /// issuer can register it again.
    function revoke(address account) external onlyRole(ISSUER_ROLE) {
        Participant storage p = _participants[account];
        if (p.roles == 0) revert Errors.UnknownParticipant(account);
        (p.roles, p.expiry) = (0, 0);
        _credentialBarred[account] = true;
        emit ParticipantRevoked(account, msg.sender, _chain(abi.encode("revoke", account, msg.sender)));
        _sync(account);
    }

    /// @notice Registers a device with its meter's key, and makes it its owner's device for selling.
    function registerDevice(DeviceCertificate calldata c, bytes calldata signature) external returns (uint256 device) {
        if (openMode) {
            if (msg.sender != c.owner) revert Errors.NotDeviceAuthority(deviceCount + 1, msg.sender);
        } else {
            _issuerOf(keccak256(abi.encode(DEVICE_TYPEHASH, c)), signature);
            if (_deviceBarred[c.owner]) {
                _checkRole(ISSUER_ROLE);
                _deviceBarred[c.owner] = false;
            }
        }
        _checkDevice(c);
        lastDeviceNonce[c.owner] = c.nonce;
        device = ++deviceCount;
        bytes32 fingerprint = keccak256(
            abi.encode(
                DEVICE_DOMAIN, c.usableWh, c.exportW, c.chargeW, c.chargeEfficiency, c.dischargeEfficiency, c.serial
            )
        );
        uint256 limit = (uint256(c.exportW) * windowLength) / 3600;
        if (limit > c.usableWh) limit = c.usableWh;
        _devices[device] = Device(c.owner, c.usableWh, c.exportW, uint32(limit), fingerprint);
        _participants[c.owner].device = uint32(device);
        bytes32 d = _chain(abi.encode("device", device, c, fingerprint, limit));
        emit DeviceRegistered(device, c, fingerprint, uint32(limit), d);
        _setMeterKey(device, c.meterKey, c.validFrom, c.validTo);
        _sync(c.owner);
    }

    /// @notice Takes a device from its owner's account: it can sell no more. Its meter keys stay valid for what it sold.
    /// Outside the open mode only an issuer can give the owner another one.
    function revokeDevice(uint256 device) external {
        _requireAuthority(device);
        address owner = _devices[device].owner;
        if (_participants[owner].device != device) revert Errors.UnknownDevice(device);
        _participants[owner].device = 0;
        _deviceBarred[owner] = true;
        emit DeviceRevoked(device, _chain(abi.encode("revokeDevice", device)));
        _sync(owner);
    }

    /// @notice Sets or changes a meter key's validity. Ending it at a past moment revokes it from then on (T23).
    function setMeterKey(uint256 device, address key, uint64 validFrom, uint64 validTo) external {
        _requireAuthority(device);
        _setMeterKey(device, key, validFrom, validTo);
    }

    /// @notice Tells the market again what is registered of an account. Anybody may; it matters to a seller with another device
    /// than before, once nothing is promised with the old one any more.
    function refresh(address account) external {
        emit AccountRefreshed(account, _chain(abi.encode("refresh", account)));
        _sync(account);
    }

    /// @notice Was `key` a valid meter key of `device` at `time`?
    function isMeterKey(uint256 device, address key, uint256 time) external view returns (bool) {
        uint256 validity = _meterKeys[device][key];
        return validity != 0 && time >= uint64(validity >> 64) && time <= uint64(validity);
    }

    function participantOf(address account) external view returns (Participant memory) {
        return _participants[account];
    }

    function deviceOf(uint256 device) external view returns (Device memory) {
        return _devices[device];
    }

    /// @notice The device's certified export power in W; zero for an unknown device.
    function exportLimitOf(uint256 device) external view returns (uint256) {
        return _devices[device].exportW;
    }

    /// @notice The device's Q_max (1) in Wh; zero for an unknown device.
    function windowLimitOf(uint256 device) external view returns (uint256) {
        return _devices[device].limitWh;
    }

    function didOf(address account) external view returns (string memory) {
        return _participants[account].did;
    }

    function _setMeterKey(uint256 device, address key, uint64 validFrom, uint64 validTo) private {
        if (key == address(0)) revert Errors.ZeroAddress();
        if (validFrom > validTo) revert Errors.BadValidity(validFrom, validTo);
        _meterKeys[device][key] = (uint256(validFrom) << 64) | validTo;
        emit MeterKeySet(device, key, validFrom, validTo, _chain(abi.encode("key", device, key, validFrom, validTo)));
    }

    function _checkDevice(DeviceCertificate calldata c) private view {
        if (c.owner == address(0)) revert Errors.BadDevice(0);
        if (c.usableWh == 0) revert Errors.BadDevice(1);
        if (c.exportW == 0) revert Errors.BadDevice(2);
        if (c.chargeEfficiency == 0 || c.chargeEfficiency > PPM) revert Errors.BadDevice(4);
        if (c.dischargeEfficiency == 0 || c.dischargeEfficiency > PPM) revert Errors.BadDevice(5);
        if (c.nonce <= lastDeviceNonce[c.owner]) {
            revert Errors.StaleNonce(c.owner, c.nonce, lastDeviceNonce[c.owner]);
        }
        if (deviceCount >= type(uint32).max) revert Errors.BadDevice(deviceCount);
    }

    function _requireAuthority(uint256 device) private view {
        address owner = _devices[device].owner;
        if (owner == address(0)) revert Errors.UnknownDevice(device);
        if (!hasRole(ISSUER_ROLE, msg.sender) && !(openMode && msg.sender == owner)) {
            revert Errors.NotDeviceAuthority(device, msg.sender);
        }
    }

    function _issuerOf(bytes32 structHash, bytes calldata signature) private view returns (address signer) {
        (signer,,) = ECDSA.tryRecover(_hashTypedDataV4(structHash), signature);
        // Address zero stands for a signature that recovers to nobody, whoever holds the role.
        if (signer == address(0) || !hasRole(ISSUER_ROLE, signer)) revert Errors.NotIssuer(signer);
    }

    function _sync(address account) private {
        Participant storage p = _participants[account];
        Device storage d = _devices[p.device];
        market.sync(account, p.roles, p.expiry, p.device, d.limitWh, _capacity(d.usableWh, d.limitWh), d.fingerprint);
    }

    /// @dev The device's energy in units of Q_max/64, rounded down: nothing beyond it can be sold.
    function _capacity(uint256 usableWh, uint256 limitWh) private pure returns (uint16) {
        if (limitWh == 0) return 0;
        uint256 units = (64 * usableWh) / limitWh;
        return units < type(uint16).max ? uint16(units) : type(uint16).max;
    }

    function _chain(bytes memory values) private returns (bytes32 d) {
        d = keccak256(abi.encode(digest, keccak256(values)));
        digest = d;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {CapacityRights} from "../../src/CapacityRights.sol";
import {Delivery} from "../../src/Delivery.sol";
import {Issue} from "../../src/Issue.sol";
import {Market} from "../../src/Market.sol";
import {Metering} from "../../src/Metering.sol";
import {Registry} from "../../src/Registry.sol";
import {RightMetadata} from "../../src/RightMetadata.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {RightId} from "../../src/lib/RightId.sol";
import {CommunityToken} from "../../src/token/CommunityToken.sol";
import {Seal} from "./Seal.sol";
import {Test} from "./Test.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title A wired market with actors, and the steps of a window's life as single calls.
/// @notice Contracts are deployed from their artefacts, so that a test's own code stays small. The default market is
/// gated; `_deployOpen` makes one without gating. Windows are 15 minutes; ring of 8; grid of 64 ticks; 100 base units
/// per kWh and tick; a bond of 500.
abstract contract Fixture is Test {
    uint256 internal constant SELL = 0;
    uint256 internal constant BUY = 1;
    uint256 internal constant NO_UNITS = 0; // a commitment to a buyer's bid
    uint256 internal constant ALL_UNITS = 64; // to a seller's, of up to Q_max
    uint256 internal constant ORIGIN = 1_800_000_000;
    uint256 internal constant BOND = 500;
    uint256 internal constant FUNDS = 1e12;
    uint256 internal constant METER = 0x4d45544552; // added to an actor's key
    uint256 internal constant W = 0; // the window of most tests

    bytes32 internal constant CREDENTIAL_TYPEHASH =
        keccak256("Credential(address account,string did,uint8 roles,uint64 expiry,uint256 nonce)");
    bytes32 internal constant DEVICE_TYPEHASH = keccak256(
        "DeviceCertificate(address owner,uint32 usableWh,uint32 exportW,uint32 chargeW,uint32 chargeEfficiency,uint32 dischargeEfficiency,bytes32 serial,address meterKey,uint64 validFrom,uint64 validTo,uint256 nonce)"
    );

    CommunityToken internal token;
    Registry internal registry;
    Market internal market;
    RightMetadata internal metadata;
    CapacityRights internal rights;
    Delivery internal delivery;

    address internal admin;
    address internal issuer;
    uint256 internal issuerKey;
    address internal treasury;
    address internal stranger;

    address internal seller;
    address internal seller2;
    address internal buyer;
    address internal buyer2;
    uint256 internal sellerKey;
    uint256 internal seller2Key;
    uint256 internal buyerKey;
    uint256 internal buyer2Key;

    uint256 private _blinderCount;

    // ------------------------------------------------------------------------------------------------------- deployment

    function setUp() public virtual {
        _actors();
        _deploy(_parameters(), false);
        _enrol();
    }

    function _actors() internal {
        admin = makeAddr("admin");
        treasury = makeAddr("treasury");
        stranger = makeAddr("stranger");
        (issuer, issuerKey) = makeAddrAndKey("issuer");
        (seller, sellerKey) = makeAddrAndKey("seller");
        (seller2, seller2Key) = makeAddrAndKey("seller2");
        (buyer, buyerKey) = makeAddrAndKey("buyer");
        (buyer2, buyer2Key) = makeAddrAndKey("buyer2");
    }

    /// @dev Two sellers with devices, two buyers, all registered and funded.
    function _enrol() internal {
        _seller(seller, sellerKey);
        _seller(seller2, seller2Key);
        _buyer(buyer);
        _buyer(buyer2);
    }

    function _parameters() internal pure virtual returns (Calendar.Parameters memory p) {
        p.origin = uint64(ORIGIN);
        p.length = 900;
        p.subSlot = 300;
        p.commitLead = 3600;
        p.revealLead = 1800;
        p.paymentLead = 300;
        p.readingGrace = 600;
        p.voidDelay = 900;
        p.ring = 8;
        p.ticks = 64;
        p.priceRule = 0;
        p.rationing = 0;
        p.tickSize = 100;
        p.bond = uint96(BOND);
        p.alphaSeller = 200_000;
        p.alphaBuyer = 200_000;
        p.efficiency = 950_000;
        p.tolerance = 980_000;
        p.alphaProven = 50_000;
        p.reliabilityGain = 0;
    }

    function _deploy(Calendar.Parameters memory p, bool openMode) internal {
        vm.warp(ORIGIN - 5000);
        token = CommunityToken(_create("CommunityToken.sol:CommunityToken", abi.encode("Euro", "EUR", address(this))));
        _deployWith(p, openMode, address(token));
    }

    function _deployOpen(Calendar.Parameters memory p) internal {
        _deploy(p, true);
    }

    /// @dev The five contracts by one deployer at five nonces in a row; the addresses are known before.
    function _deployWith(Calendar.Parameters memory p, bool openMode, address token_) internal {
        Market.Wiring memory w = _wiring(token_);
        registry = Registry(
            _create("Registry.sol:Registry", abi.encode(_next(1), uint256(p.length), openMode, admin, issuer))
        );
        market = Market(_create("Market.sol:Market", abi.encode(p, w, openMode)));
        metadata = RightMetadata(_create("RightMetadata.sol:RightMetadata", abi.encode(market)));
        rights = CapacityRights(_create("CapacityRights.sol:CapacityRights", abi.encode(market, w.delivery, metadata)));
        delivery = Delivery(_create("Delivery.sol:Delivery", abi.encode(market)));
    }

    function _wiring(address token_) internal view returns (Market.Wiring memory) {
        return Market.Wiring(IERC20(token_), _next(0), CapacityRights(_next(3)), _next(4), treasury);
    }

    /// @dev The address of the contract that this one creates `ahead` creations from now.
    function _next(uint256 ahead) internal view returns (address) {
        uint256 nonce = vm.getNonce(address(this)) + ahead;
        bytes memory rlp = nonce < 0x80
            ? abi.encodePacked(bytes2(0xd694), address(this), uint8(nonce))
            : nonce < 0x100
                ? abi.encodePacked(bytes2(0xd794), address(this), bytes1(0x81), uint8(nonce))
                : abi.encodePacked(bytes2(0xd894), address(this), bytes1(0x82), uint16(nonce));
        return address(uint160(uint256(keccak256(rlp))));
    }

    function _create(string memory artefact, bytes memory arguments) internal returns (address made) {
        bytes memory code = bytes.concat(vm.getCode(artefact), arguments);
        assembly ("memory-safe") {
            made := create(0, add(code, 0x20), mload(code))
            if iszero(made) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    /// @dev As an external call, so that a test can expect the constructor's error.
    function createExternal(string calldata artefact, bytes calldata arguments) external returns (address) {
        return _create(artefact, arguments);
    }

    // --------------------------------------------------------------------------------------------------------- enrolment

    /// @dev A device whose export power allows 20,000 Wh a window, with the energy of eight such windows: a whole ring.
    function _seller(address account, uint256 key) internal returns (uint256 device) {
        return _sellerWith(account, key, 160_000, 80_000);
    }

    /// @dev Registers, funds, and gives a device with its own meter key (the actor's key + METER).
    function _sellerWith(address account, uint256 key, uint32 usableWh, uint32 exportW)
        internal
        returns (uint256 device)
    {
        if (!market.openMode()) _register(account, 3);
        device = _device(_certificate(account, key, usableWh, exportW));
        _fund(account, FUNDS);
    }

    function _buyer(address account) internal {
        if (!market.openMode()) _register(account, 3);
        _fund(account, FUNDS);
    }

    function _register(address account, uint8 roles) internal {
        Registry.Credential memory c = _credential(account, roles);
        registry.register(c, _signCredential(c, issuerKey));
    }

    function _credential(address account, uint8 roles) internal view returns (Registry.Credential memory) {
        return Registry.Credential(
            account,
            string.concat("did:example:", vm.toString(account)),
            roles,
            uint64(ORIGIN + 365 days),
            registry.lastCredentialNonce(account) + 1
        );
    }

    function _signCredential(Registry.Credential memory c, uint256 key) internal view returns (bytes memory) {
        bytes32 structHash =
            keccak256(abi.encode(CREDENTIAL_TYPEHASH, c.account, keccak256(bytes(c.did)), c.roles, c.expiry, c.nonce));
        return _sign(key, address(registry), "Stowatt Registry", structHash);
    }

    function _certificate(address owner, uint256 key, uint32 usableWh, uint32 exportW)
        internal
        view
        returns (Registry.DeviceCertificate memory c)
    {
        c.owner = owner;
        c.usableWh = usableWh;
        c.exportW = exportW;
        c.chargeW = exportW;
        c.chargeEfficiency = 950_000;
        c.dischargeEfficiency = 950_000;
        c.serial = bytes32(uint256(uint160(owner)));
        c.meterKey = vm.addr(_meterKey(key));
        c.validFrom = 0;
        c.validTo = type(uint64).max;
        c.nonce = registry.lastDeviceNonce(owner) + 1;
    }

    function _device(Registry.DeviceCertificate memory c) internal returns (uint256) {
        bytes memory signature = _signCertificate(c, issuerKey);
        if (market.openMode()) vm.prank(c.owner);
        return registry.registerDevice(c, signature);
    }

    function _signCertificate(Registry.DeviceCertificate memory c, uint256 key) internal view returns (bytes memory) {
        return _sign(key, address(registry), "Stowatt Registry", keccak256(abi.encode(DEVICE_TYPEHASH, c)));
    }

    function _meterKey(uint256 key) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(key, METER)));
    }

    /// @dev EIP-712, written out.
    function _sign(uint256 key, address verifier, string memory name, bytes32 structHash)
        internal
        view
        returns (bytes memory)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256("1"),
                block.chainid,
                verifier
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }

    /// @dev What the registry told the market of the account, from the account's word.
    function _admission(address account)
        internal
        view
        returns (uint8 roles, uint40 expiry, uint32 device, uint32 limitWh)
    {
        uint256 word = market.accountOf(account);
        return (uint8(word >> 252), uint40(word >> 212), uint32(word >> 96), uint32(word >> 128));
    }

    /// @dev The reliability of the account's device, ppm.
    function _reliability(address account) internal view returns (uint256) {
        return (market.accountOf(account) >> 160) & 0xfffff;
    }

    /// @dev The energy of the account's device, in units.
    function _capacity(address account) internal view returns (uint256) {
        return uint16(market.accountOf(account) >> 180);
    }

    /// @dev What of it is promised.
    function _promised(address account) internal view returns (uint256) {
        return uint16(market.accountOf(account) >> 196);
    }

    /// @dev Gives the account's device a record, straight into the account's word (the vault's first slot).
    function _setReliability(address account, uint256 reliability) internal {
        uint256 word = market.accountOf(account);
        word = (word & ~(uint256(0xfffff) << 160)) | (reliability << 160);
        vm.store(address(market), keccak256(abi.encode(account, uint256(0))), bytes32(word));
        assertEq(market.accountOf(account), word, "the account's slot");
    }

    function _fund(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(market), amount);
        market.deposit(amount);
        vm.stopPrank();
    }

    // -------------------------------------------------------------------------------------------------------------- time

    function _start(uint256 window) internal view returns (uint256) {
        Calendar.Parameters memory p = market.calendar();
        return p.origin + window * p.length;
    }

    function _commitDeadline(uint256 window) internal view returns (uint256) {
        return _start(window) - market.calendar().commitLead;
    }

    function _revealDeadline(uint256 window) internal view returns (uint256) {
        return _start(window) - market.calendar().revealLead;
    }

    function _lapse(uint256 window) internal view returns (uint256) {
        return _revealDeadline(window) + market.calendar().voidDelay;
    }

    function _paymentDeadline(uint256 window) internal view returns (uint256) {
        return _start(window) - market.calendar().paymentLead;
    }

    function _end(uint256 window) internal view returns (uint256) {
        return _start(window) + market.calendar().length;
    }

    function _readingsClose(uint256 window) internal view returns (uint256) {
        return _end(window) + market.calendar().readingGrace;
    }

    // -------------------------------------------------------------------------------------------------------------- bids

    function _blinder() internal returns (uint256) {
        return uint256(keccak256(abi.encode("blinder", ++_blinderCount))) % (Seal.ORDER - 1) + 1;
    }

    function _one(uint256 tick, uint256 width) internal pure returns (bytes memory) {
        return Seal.segment(tick, width);
    }

    /// @dev An opening with the account's terms as they are now; a seller's bid holds units of its whole Q_max.
    function _opening(uint256 window, address account, uint256 side, bytes memory curve)
        internal
        returns (Bidding.Opening memory)
    {
        return _openingOf(window, account, side == SELL ? ALL_UNITS : NO_UNITS, curve);
    }

    /// @dev The same with `units`; none for a buyer.
    function _openingOf(uint256 window, address account, uint256 units, bytes memory curve)
        internal
        returns (Bidding.Opening memory o)
    {
        o.window = uint32(window);
        o.participant = account;
        o.blinder = _blinder();
        o.curve = curve;
        if (units != NO_UNITS) {
            o.terms = _terms(account, units);
            o.fingerprint = market.fingerprintOf(account);
        }
    }

    function _open(uint256 window) internal {
        market.open(window, 1);
    }

    /// @dev Seals and commits.
    function _commit(uint256 window, address account, uint256 side, bytes memory curve)
        internal
        returns (Bidding.Opening memory o)
    {
        return _commitUnits(window, account, side == SELL ? ALL_UNITS : NO_UNITS, curve);
    }

    /// @dev The same with `units`; none for a buyer.
    function _commitUnits(uint256 window, address account, uint256 units, bytes memory curve)
        internal
        returns (Bidding.Opening memory o)
    {
        o = _openingOf(window, account, units, curve);
        uint256 point = Seal.point(address(market), o, units == NO_UNITS ? BUY : SELL);
        vm.prank(account);
        market.commit(window, units, point);
    }

    /// @dev The terms that a seller's commitment binds: device, Q_max, α_S, units.
    function _terms(address account, uint256 units) internal view returns (uint96) {
        return uint96(market.termsOf(account) | (units << 88));
    }

    function _toReveal(uint256 window) internal {
        vm.warp(_commitDeadline(window));
    }

    /// @dev Reveals, and returns the claim that the `Revealed` event lets anybody make.
    function _reveal(Bidding.Opening memory o) internal returns (Issue.Claim memory c) {
        vm.recordLogs();
        market.reveal(o);
        (, bytes memory bid) = abi.decode(vm.getRecordedLogs()[0].data, (uint256, bytes));
        c = Issue.Claim(o.window, o.participant, o.terms, bid);
    }

    // ----------------------------------------------------------------------------------------------------- whole windows

    /// @dev One ask and one bid, committed and opened in window `W`.
    function _pair(bytes memory ask, bytes memory bid)
        internal
        returns (Issue.Claim memory ofSeller, Issue.Claim memory ofBuyer)
    {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, ask);
        Bidding.Opening memory b = _commit(W, buyer, BUY, bid);
        _toReveal(W);
        ofSeller = _reveal(a);
        ofBuyer = _reveal(b);
    }

    /// @dev 1,000 Wh asked at tick 10 and bid at tick 20, cleared: 1,000 Wh at tick 10.
    function _cleared() internal returns (Issue.Claim memory ofSeller, Issue.Claim memory ofBuyer) {
        (ofSeller, ofBuyer) = _pair(_one(10, 1000), _one(20, 1000));
        market.clear(W);
    }

    /// @dev The same, claimed: the two rights. Deposits 200 each, payment 1,000.
    function _issued() internal returns (uint256 sellerRight, uint256 buyerRight) {
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        market.claim(s);
        market.claim(b);
        return (_right(W, SELL, seller), _right(W, BUY, buyer));
    }

    function _right(uint256 window, uint256 side, address account) internal pure returns (uint256) {
        return RightId.make(window, side, account, 0);
    }

    /// @dev Takes what exceeds `left` out of the account's free balance.
    function _drain(address account, uint256 left) internal {
        uint256 amount = market.balanceOf(account) - left;
        if (amount == 0) return;
        vm.prank(account);
        market.withdraw(account, amount);
    }

    // ---------------------------------------------------------------------------------------------------------- readings

    function _reading(uint256 device, uint256 window, uint256 subSlot, uint256 energy, uint256 counter)
        internal
        pure
        returns (Metering.Reading memory)
    {
        return Metering.Reading(uint32(device), uint32(window), uint16(subSlot), uint48(energy), uint64(counter));
    }

    function _signReading(Metering.Reading memory r, uint256 meterKey) internal view returns (bytes memory) {
        bytes32 structHash = keccak256(
            abi.encode(keccak256("Reading(uint32 device,uint32 window,uint16 subSlot,uint48 energy,uint64 counter)"), r)
        );
        return _sign(meterKey, address(delivery), "Stowatt Delivery", structHash);
    }

    /// @dev One reading, signed by the owner's meter; the time moves to the sub-slot's end if need be.
    function _read(uint256 key, uint256 device, uint256 window, uint256 subSlot, uint256 energy) internal {
        (uint256 counter,) = delivery.progressOf(device);
        uint256 over = _start(window) + (subSlot + 1) * market.calendar().subSlot;
        if (vm.getBlockTimestamp() < over) vm.warp(over);
        Metering.Reading memory r = _reading(device, window, subSlot, energy, counter + 1);
        delivery.submit(r, _signReading(r, _meterKey(key)));
    }

    /// @dev Three readings of a third of `energy` each, the last with the rest.
    function _deliver(uint256 key, uint256 device, uint256 window, uint256 energy) internal {
        _read(key, device, window, 0, energy / 3);
        _read(key, device, window, 1, energy / 3);
        _read(key, device, window, 2, energy - 2 * (energy / 3));
    }

    // ------------------------------------------------------------------------------------------------------ expectations

    function _refused(Bidding.Opening memory o, bytes4 reason) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.OpeningRefused.selector, o.window, o.participant, reason);
    }

    function _wrongPhase(uint256 window, Calendar.Phase actual) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.WrongPhase.selector, window, uint8(actual));
    }

    function _assertPhase(uint256 window, Calendar.Phase wanted) internal view {
        assertEq(uint256(market.phaseOf(window)), uint256(wanted), "phase");
    }

    /// @dev Everything of one account and one window that the market's token balance must cover, when only the four
    /// actors and the treasury hold anything, and `locked` is what bids of the window keep locked.
    function _assertConserved(uint256 window, uint256 locked) internal view {
        (uint256 pool, uint256 escrow,,) = market.moneyOf(window);
        uint256 free = market.balanceOf(seller) + market.balanceOf(seller2) + market.balanceOf(buyer)
            + market.balanceOf(buyer2) + market.balanceOf(treasury);
        assertEq(free + locked + pool + escrow, token.balanceOf(address(market)), "conservation");
    }
}

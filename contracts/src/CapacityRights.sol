// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Errors} from "./lib/Errors.sol";
import {RightId} from "./lib/RightId.sol";
import {RightWord} from "./lib/RightWord.sol";

/// @notice Renders a right's metadata; kept apart so that the token stays small.
interface IRightMetadata {
    function tokenURI(uint256 rightId) external view returns (string memory);
}

/// @title Capacity rights as ERC-721 tokens (25), and the final settlement tokens (27).
/// @notice A seller's right receives the payments of its bid, a buyer's the compensation for what is not delivered.
/// What can be derived (window, side, participant, price, deposit, payment) is not stored: see RightId.
contract CapacityRights is ERC721 {
    using RightWord for uint256;

    /// @notice What is stored of a right. `whole` is the bid's filled quantity, of which the right is a part.
    struct Right {
        uint40 quantity; // Wh
        uint40 whole; // Wh
        uint32 device; // of a seller
        bool paid; // by a buyer; always true for a seller
        uint24 alpha; // ppm, a seller's deposit coefficient α_S
        uint8 units; // of the battery's energy that the whole bid holds, in Q_max/64; 0 for a buyer
        uint96 drawn; // base units drawn by a seller
    }

    /// @notice What a final settlement token records.
    struct Settlement {
        uint40 quantity; // Wh
        uint24 fulfilment; // ρ, ppm; 1e6 for a buyer
        uint96 amount; // payments to the seller's holder, or compensation to the buyer's
        uint96 released; // deposit released: P_S or P_B (26)
    }

    event Split(uint256 indexed rightId, uint256 indexed newRightId, uint256 quantity);

    address public immutable market;
    address public immutable delivery;
    IRightMetadata public immutable metadata;

    mapping(uint256 rightId => uint256 word) private _rights;
    mapping(uint256 finalId => Settlement settlement) private _settlements;

    constructor(address market_, address delivery_, IRightMetadata metadata_) ERC721("Stowatt capacity right", "SWCR") {
        if (market_ == address(0) || delivery_ == address(0) || address(metadata_) == address(0)) {
            revert Errors.ZeroAddress();
        }
        market = market_;
        delivery = delivery_;
        metadata = metadata_;
    }

    modifier onlyMarket() {
        if (msg.sender != market) revert Errors.NotMarket(msg.sender);
        _;
    }

    modifier onlyDelivery() {
        if (msg.sender != delivery) revert Errors.NotDelivery(msg.sender);
        _;
    }

    /// @notice Mints a bid's right; `word` is what is stored of it, see RightWord. There is no callback to the receiver (T13).
    function mint(address to, uint256 rightId, uint256 word) external onlyMarket {
        _rights[rightId] = word;
        _mint(to, rightId);
    }

    /// @notice Records a buyer's payment.
    function markPaid(uint256 rightId) external onlyMarket {
        _rights[rightId] = _rights[rightId].asPaid();
    }

    /// @notice Destroys the right of a buyer in default.
    function burn(uint256 rightId) external onlyMarket {
        delete _rights[rightId];
        _burn(rightId);
    }

    /// @notice Records what a seller's right has drawn so far (32).
    function recordDrawn(uint256 rightId, uint256 drawn) external onlyDelivery {
        _rights[rightId] = _rights[rightId].withDrawn(drawn);
    }

    /// @notice Replaces a right by its final settlement token (27), which its holder receives.
    function settle(uint256 rightId, Settlement calldata s) external onlyDelivery {
        address holder = ownerOf(rightId);
        delete _rights[rightId];
        _burn(rightId);
        uint256 finalId = RightId.finalOf(rightId);
        _settlements[finalId] = s;
        _mint(holder, finalId);
    }

    /// @notice Splits a right in two: `quantity` Wh stay, the rest becomes a new right of the same holder.
    /// @dev Each part records the share of what was drawn, rounded up, so that the parts never draw more than the whole.
    function split(uint256 rightId, uint256 quantity) external returns (uint256 newRightId) {
        address holder = ownerOf(rightId);
        if (RightId.isFinal(rightId)) revert Errors.AlreadySettled(rightId);
        if (!_isAuthorized(holder, msg.sender, rightId)) revert Errors.NotHolder(rightId, msg.sender);
        uint256 right = _rights[rightId];
        if (!right.paid()) revert Errors.Unpaid(rightId);
        if (quantity == 0 || quantity >= right.quantity()) revert Errors.BadSplit(rightId, quantity);

        newRightId = RightId.later(rightId, quantity);
        _rights[newRightId] = right.part(right.quantity() - quantity);
        _rights[rightId] = right.part(quantity);
        emit Split(rightId, newRightId, quantity);
        _mint(holder, newRightId);
    }

    /// @notice What is stored of a right.
    function rightOf(uint256 rightId) external view returns (Right memory) {
        _requireOwned(rightId);
        if (RightId.isFinal(rightId)) revert Errors.AlreadySettled(rightId);
        uint256 word = _rights[rightId];
        return Right(
            uint40(word.quantity()),
            uint40(word.whole()),
            uint32(word.device()),
            word.paid(),
            uint24(word.alpha()),
            uint8(word.units()),
            uint96(word.drawn())
        );
    }

    /// @notice What a final settlement token records.
    function settlementOf(uint256 finalId) external view returns (Settlement memory) {
        _requireOwned(finalId);
        return _settlements[finalId];
    }

    /// @notice A right's quantity in Wh, and whether it is paid. Reverts if the right does not exist.
    function quantityAndPaid(uint256 rightId) external view returns (uint256 quantity, bool paid) {
        uint256 word = _rights[rightId];
        (quantity, paid) = (word.quantity(), word.paid());
        if (quantity == 0) revert Errors.NoSuchRight(rightId);
    }

    /// @notice The state that gives a right its value (ERC-5646): it changes when the right is split, paid or drawn on. A
    /// contract that buys or lends on a right must compare it, since the token id stays the same.
    function getStateFingerprint(uint256 rightId) external view returns (bytes32) {
        _requireOwned(rightId);
        return keccak256(abi.encode(rightId, _rights[rightId]));
    }

    /// @inheritdoc ERC721
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == this.getStateFingerprint.selector || super.supportsInterface(interfaceId);
    }

    /// @inheritdoc ERC721
    function tokenURI(uint256 rightId) public view override returns (string memory) {
        _requireOwned(rightId);
        return metadata.tokenURI(rightId);
    }
}

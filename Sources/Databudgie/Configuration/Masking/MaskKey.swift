import Crypto
import Foundation
import Storage

/// The key of masks: all that is keyed is HMAC-SHA-256 (RFC 2104) under a key derived for its context.
///
/// Only derived keys reach the server, as parameters; the secret never does.
struct MaskKey: Sendable {
    private let secret: SymmetricKey
    /// Tells the keys of sets apart without revealing them: equal ids mean that equal values have equal masks.
    let id: String

    private static let prefix = "databudgie/1/"
    /// The block of SHA-256, which HMAC pads keys to, in bytes.
    private static let block = 64

    /// - Parameter key: The configured key; nil or random: a new one.
    init(_ key: MaskingConfiguration.Key?) {
        let secret =
            switch key {
            case .secret(let text): SymmetricKey(data: Data(text.utf8))
            case .random, nil: SymmetricKey(size: .bits256)
            }
        self.secret = secret
        id = String(hexadecimal(Self.code(Self.prefix + "key-id", under: secret)).prefix(8))
    }

    private static func code(_ text: String, under key: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
    }

    /// The derived key of a context, padded to a block and combined with the two constants of HMAC.
    ///
    /// - Parameter context: What equal values must have in common to get equal masks.
    /// - Returns: The keys of the inner and the outer hash, in hexadecimal digits.
    func pads(of context: String) -> (inner: String, outer: String) {
        let derived = Self.code(Self.prefix + context, under: secret)
        let padded = derived + [UInt8](repeating: 0, count: Self.block - derived.count)
        return (hexadecimal(padded.map { $0 ^ 0x36 }), hexadecimal(padded.map { $0 ^ 0x5C }))
    }

    /// The mask's hash as the server computes it.
    ///
    /// - Parameters:
    ///   - text: The canonical text of a value.
    ///   - context: What equal values must have in common to get equal masks.
    /// - Returns: 32 bytes.
    func hash(_ text: String, in context: String) -> [UInt8] {
        Self.code(text, under: SymmetricKey(data: Self.code(Self.prefix + context, under: secret)))
    }
}

import Foundation

/// The JSON of the files in a set catalog: keys in the order of the alphabet, moments in UTC and whole seconds (ISO 8601).
enum CatalogJSON {
    /// Writes a value.
    ///
    /// - Parameters:
    ///   - value: What the file holds.
    ///   - isOneLine: All of it is in one line.
    /// - Returns: The file's bytes, with a line break at the end.
    /// - Throws: `EncodingError`.
    static func bytes(_ value: some Encodable, isOneLine: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if !isOneLine { encoder.outputFormatting.insert(.prettyPrinted) }
        encoder.dateEncodingStrategy = .iso8601
        return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
    }

    /// Reads a value.
    ///
    /// - Parameters:
    ///   - type: What the file holds.
    ///   - bytes: The file's bytes.
    /// - Returns: The value.
    /// - Throws: `DecodingError`.
    static func value<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(type, from: Data(bytes))
    }
}

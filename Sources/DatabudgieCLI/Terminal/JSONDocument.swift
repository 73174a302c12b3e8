import Foundation

/// What `--json` of the commands other than runs prints: keys in snake_case and sorted, times in ISO 8601.
enum JSONDocument {
    /// A document on several lines, without a line break at its end.
    ///
    /// - Throws: `EncodingError` for a number that is not finite; strings never cause one.
    static func text(_ document: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        return lines(try encoder.encode(document))
    }

    /// JSON with line breaks as they are, and whatever else a terminal would act upon as an escape of JSON.
    static func lines(_ json: Data) -> String {
        json.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self).escapedInJSON }.joined(separator: "\n")
    }
}

import Foundation

extension SetRecord {
    /// What every record of any format has.
    private struct Head: Decodable {
        let format: Int
        let tool: String?
    }

    /// A later version has written a record, in a format of its own.
    struct LaterFormat: Error {
        /// What wrote it: `databudgie 4.0.0`.
        let tool: String
    }

    /// A record, or nothing but its head when its format is a later one.
    private struct Checked<Value: Decodable>: Decodable {
        let head: Head
        let value: Value?

        init(from decoder: any Decoder) throws {
            head = try Head(from: decoder)
            value = head.format <= SetRecord.currentFormat ? try Value(from: decoder) : nil
        }
    }

    /// Reads a record.
    ///
    /// Keys that this version does not know are ignored; all of a record's text has passed through here.
    /// - Parameters:
    ///   - bytes: The file's bytes.
    ///   - path: The file, for messages.
    /// - Throws: ``DatabudgieError`` with the code `dataFile`, when it is damaged or of a later format.
    init(json bytes: [UInt8], at path: String) throws(DatabudgieError) {
        self = try Self.decode(SetRecord.self, bytes, at: path)
    }

    /// Reads some of a record.
    ///
    /// - Parameters:
    ///   - type: The keys that matter.
    ///   - bytes: The file's bytes.
    ///   - path: The file, for messages.
    /// - Returns: The value.
    /// - Throws: ``DatabudgieError`` with the code `dataFile`, when it is damaged or of a later format.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        _ bytes: [UInt8],
        at path: String
    ) throws(DatabudgieError) -> Value {
        do {
            let checked = try CatalogJSON.value(Checked<Value>.self, bytes)
            let head = checked.head
            guard let value = checked.value else {
                throw DatabudgieError(
                    .dataFile,
                    "the set record \(path) has the format \(head.format) of \(head.tool ?? "a later version"), and this "
                        + "version reads formats up to \(Self.currentFormat)",
                    hint: "use the version that wrote it, or a later one",
                    underlying: LaterFormat(tool: head.tool ?? "a later version")
                )
            }
            return value
        } catch let error as DatabudgieError {
            throw error
        } catch {
            throw DatabudgieError(
                .dataFile,
                "the set record \(path) is damaged: \(Self.explanation(error))",
                hint: "restore the file, or remove it and adopt its files again",
                underlying: error
            )
        }
    }

    /// The record as it is stored: keys in the order of the alphabet, with a line break at the end.
    ///
    /// - Throws: `EncodingError`.
    func json() throws -> [UInt8] {
        try CatalogJSON.bytes(self)
    }

    /// Says in a stored record that its files are replaced, and keeps everything else, unknown keys too.
    ///
    /// - Parameters:
    ///   - bytes: The file's bytes.
    ///   - id: The set whose files replace them; nil when they are not replaced after all.
    /// - Returns: The new bytes.
    /// - Throws: An error for what is not a JSON object.
    static func superseding(_ bytes: [UInt8], by id: String?) throws -> [UInt8] {
        guard var object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
            throw DatabudgieError(.dataFile, "the set record is not a JSON object")
        }
        object[CodingKeys.supersededBy.rawValue] = id
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try JSONSerialization.data(withJSONObject: object, options: options)) + [UInt8(ascii: "\n")]
    }

    /// Where the mistake is, by the keys that lead there.
    private static func explanation(_ error: any Error) -> String {
        func place(_ context: DecodingError.Context) -> String {
            context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        }
        return switch error as? DecodingError {
        case .keyNotFound(let key, let context):
            "'\(key.stringValue)' is missing\(context.codingPath.isEmpty ? "" : " in \(place(context))")"
        case .valueNotFound(_, let context), .typeMismatch(_, let context): "\(place(context)) has a wrong value"
        case .dataCorrupted(let context) where !context.codingPath.isEmpty: "\(place(context)) has a wrong value"
        default: "it is not JSON"
        }
    }
}

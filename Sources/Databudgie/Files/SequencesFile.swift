import Foundation
import Storage

/// Where a sequence stands.
struct SequenceValue: Sendable, Hashable {
    let lastValue: Int64
    /// False when the next value is ``lastValue`` itself, as in a new sequence.
    let isCalled: Bool
}

/// The file of a table's sequence positions: `{"product_id_seq": 17}`, as databudgie 2.9.3 writes and reads it.
///
/// That tool restores an entry by `SELECT setval('name', value)`, which always means a value that was given out already.
/// So the position of a sequence that has not given its value out is written as the text `"1, false"`: it becomes the
/// two last arguments of `setval` there, and is read by its exact form here, never as SQL.
enum SequencesFile {
    /// Ample for thousands of sequences; a file of another kind is noticed before it fills the memory.
    private static let maximumBytes = 4 << 20

    /// Writes positions in the order given.
    ///
    /// - Parameter positions: The sequences' keys and positions.
    /// - Returns: The file's bytes.
    /// - Throws: An encoding error; texts never cause one.
    static func bytes(_ positions: [(key: String, position: SequenceValue)]) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let entries = try positions.map { key, position in
            let value = position.isCalled ? "\(position.lastValue)" : "\"\(position.lastValue), false\""
            return String(decoding: try encoder.encode(key), as: UTF8.self) + ": " + value
        }
        return Array("{\(entries.joined(separator: ", "))}".utf8)
    }

    /// Reads a file whole.
    ///
    /// - Parameters:
    ///   - file: The file as it was listed.
    ///   - storage: Where it lies.
    /// - Returns: Keys and positions in the file's order.
    /// - Throws: ``DatabudgieError`` that names the file and the key for anything but whole numbers; `StorageError`.
    static func read(
        _ file: FileInfo,
        from storage: any Storage
    ) async throws -> [(key: String, position: SequenceValue)] {
        let bytes = try await storage.read(file.path).collect(upTo: maximumBytes)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DatabudgieError(.dataFile, "\(file.path) is no UTF-8 text, which a file of sequences has to be.")
        }
        return try positions(text, path: file.path)
    }

    private static func positions(
        _ text: String,
        path: StoragePath
    ) throws -> [(key: String, position: SequenceValue)] {
        let value: SourceValue
        do {
            value = try JSONReader.read(text, source: path.description)
        } catch {
            throw DatabudgieError(.dataFile, error.lines.map { $0 + "." }, underlying: error)
        }
        guard let mapping = value.mapping else {
            throw DatabudgieError(
                .dataFile,
                "\(path) holds \(value.noun) instead of the positions of sequences, as in {\"product_id_seq\": 17}."
            )
        }
        return try mapping.entries.map { entry in
            guard let scalar = entry.value.scalar, let position = position(scalar) else {
                throw DatabudgieError(
                    .dataFile,
                    "\(path): the value of \"\(entry.key)\" is no whole number of 64 bits, as in {\"\(entry.key)\": 17}; "
                        + "correct it, or remove the file."
                )
            }
            return (entry.key, position)
        }
    }

    private static func position(_ scalar: SourceScalar) -> SequenceValue? {
        switch scalar.kind {
        case .number:
            return Int64(scalar.text).map { SequenceValue(lastValue: $0, isCalled: true) }
        case .string:
            guard let match = scalar.text.wholeMatch(of: /(-?[0-9]+), (true|false)/), let value = Int64(match.1)
            else { return nil }
            return SequenceValue(lastValue: value, isCalled: match.2 == "true")
        case .null, .bool, .untyped:
            return nil
        }
    }
}

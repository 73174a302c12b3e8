import FoundationEssentials
import XMLCoder

/// Reads XML that a server sent.
///
/// Foundation's parser ends the process when names are not UTF-8, so a body that is not is refused before.
///
/// - Parameters:
///   - type: What the document is.
///   - body: The document.
///   - trimsValues: Values lose white space at their ends.
/// - Returns: The document.
/// - Throws: `DecodingError` when it is something else.
func decodedXML<Document: Decodable>(
    _ type: Document.Type,
    from body: Data,
    trimsValues: Bool = true
) throws -> Document {
    guard String(validating: body, as: UTF8.self) != nil else {
        throw DecodingError.dataCorrupted(DecodingError.Context(codingPath: [], debugDescription: "it is not UTF-8"))
    }
    return try XMLDecoder(trimValueWhitespaces: trimsValues).decode(type, from: body)
}

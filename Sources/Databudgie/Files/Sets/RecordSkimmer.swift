/// Takes a few members out of a JSON object that arrives in chunks, and forgets the rest as it passes.
///
/// A record of ten thousand tables has some twenty megabytes, of which a list needs a few hundred bytes.
struct RecordSkimmer {
    /// The names of the members, without escapes.
    private let wanted: Set<String>
    /// The open brackets, innermost last.
    private var brackets: [UInt8] = []
    private var isInString = false
    private var isEscaped = false
    /// What has been read of the member at the object's own level, up to its value.
    private var name: [UInt8] = []
    private var isInValue = false
    private var isWanted = false
    private var hasEnded = false
    private var members: [UInt8] = []

    init(_ wanted: Set<String>) {
        self.wanted = wanted
    }

    /// Reads a chunk.
    ///
    /// - Parameter bytes: What follows the last chunk.
    /// - Returns: False when it cannot be the text of one JSON object.
    mutating func read(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { read($0) }
    }

    private mutating func read(_ byte: UInt8) -> Bool {
        if isInString {
            keep(byte)
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
            return true
        }
        switch byte {
        case UInt8(ascii: "\""):
            guard !brackets.isEmpty else { return false }
            keep(byte)
            isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard !hasEnded, !brackets.isEmpty || byte == UInt8(ascii: "{") else { return false }
            brackets.append(byte)
            if brackets.count > 1 { keep(byte) }
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            // The brackets of a pair are two apart in ASCII.
            guard let opening = brackets.popLast(), byte == opening + 2 else { return false }
            if brackets.isEmpty {
                hasEnded = true
            } else {
                keep(byte)
            }
        case UInt8(ascii: ":") where brackets.count == 1 && !isInValue:
            isInValue = true
            isWanted = wanted.contains(String(decoding: name.dropFirst().dropLast(), as: UTF8.self))
            if isWanted { members += (members.isEmpty ? [] : [UInt8(ascii: ",")]) + name + [byte] }
        case UInt8(ascii: ",") where brackets.count == 1:
            (isInValue, isWanted, name) = (false, false, [])
        case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
            // Two numbers with a space between them are not one.
            if isWanted { members.append(byte) }
        default:
            guard !brackets.isEmpty else { return false }
            keep(byte)
        }
        return true
    }

    private mutating func keep(_ byte: UInt8) {
        if isWanted {
            members.append(byte)
        } else if brackets.count == 1, !isInValue {
            name.append(byte)
        }
    }

    /// An object with the wanted members; nil when the text broke off.
    var object: [UInt8]? { hasEnded && !isInString ? [UInt8(ascii: "{")] + members + [UInt8(ascii: "}")] : nil }
}

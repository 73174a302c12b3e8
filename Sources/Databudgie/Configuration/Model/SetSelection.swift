public import Foundation

/// Which backup set a restore reads, where entries do not choose their files by name or time of modification.
public enum SetSelection: Sendable, Equatable {
    /// The newest one that is complete and has every table that is asked for.
    case newest
    /// The one whose id begins with this text, or `latest`: the newest complete one (`--set`).
    case id(String)
    /// The newest one that is complete, has every table that is asked for, and is not newer than this moment (`--as-of`).
    case asOf(Date)

    /// The option that asks for it; nil for the default.
    var option: String? {
        switch self {
        case .newest: nil
        case .id: "--set"
        case .asOf: "--as-of"
        }
    }
}

extension SetSelection {
    /// Reads a moment as ISO 8601 has it.
    ///
    /// - Parameter text: A date, which stands for its last second; or a date and a time, with or without seconds, with a `T`
    ///   or a space between them, and with an offset, or else in UTC, as the ids of sets are.
    /// - Returns: The moment; nil when the text is none.
    static func moment(_ text: String) -> Date? {
        let bytes = Array(text.utf8)
        guard bytes.count > 10 else { return date(text, "T23:59:59Z") }
        guard bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: " ") else { return nil }
        let day = String(decoding: bytes[..<10], as: UTF8.self)
        let rest = bytes[11...]
        let end = rest.firstIndex { !(0x30...0x3A).contains($0) } ?? rest.endIndex
        let offset = String(decoding: rest[end...], as: UTF8.self)
        let seconds = rest[..<end].count == 5 ? ":00" : ""
        let time = String(decoding: rest[..<end], as: UTF8.self) + seconds
        guard let zone = zone(offset) else { return nil }
        return date(day, "T\(time)\(zone)")
    }

    /// An offset as ISO 8601 has it in full; nil for anything else.
    private static func zone(_ text: String) -> String? {
        guard !text.isEmpty, !text.hasBytes(of: "Z"), !text.hasBytes(of: "z") else { return "Z" }
        let digits = text.utf8.filter { (0x30...0x39).contains($0) }
        guard let sign = text.utf8.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"),
            digits.count == 2 || digits.count == 4
        else { return nil }
        let (hours, minutes) = (digits.prefix(2), digits.count == 4 ? digits.dropFirst(2) : [0x30, 0x30])
        let full = String(decoding: [sign] + hours + [UInt8(ascii: ":")] + minutes, as: UTF8.self)
        let forms = [full, full.replacingBytes(of: ":", with: ""), String(decoding: [sign] + hours, as: UTF8.self)]
        return forms.contains { text.hasBytes(of: $0) } ? full : nil
    }

    /// Refuses what is not in the calendar, which the parser takes for a later day.
    private static func date(_ day: String, _ rest: String) -> Date? {
        guard let midnight = try? Date("\(day)T00:00:00Z", strategy: .iso8601),
            RunTimestamp(midnight).date.hasBytes(of: day)
        else { return nil }
        let time = rest.utf8.dropFirst(1).prefix(8)
        guard RunTimestamp.isTimestamp(day + "T" + String(decoding: time, as: UTF8.self)) else { return nil }
        let parts = time.split(separator: UInt8(ascii: ":")).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
        guard zip(parts, [23, 59, 59]).allSatisfy({ $0 <= $1 }) else { return nil }
        return try? Date(day + rest, strategy: .iso8601)
    }
}

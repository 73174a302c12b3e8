/// Numbers as people read them.
package enum HumanNumber {
    /// A count with its thousands apart: `1,234,567`.
    package static func count(_ value: Int) -> String {
        let digits = String(value.magnitude)
        var result = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { result.append(",") }
            result.append(digit)
        }
        return result
    }

    /// A count with its noun, in the plural but for one: `1 row`, `2 rows`.
    package static func count(_ value: Int, _ noun: String) -> String {
        "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
    }

    /// A size in decimal units: `0 B`, `999 B`, `12.3 MB`.
    package static func bytes(_ value: Int64) -> String {
        guard value >= 1000 else { return "\(value) B" }
        var size = Double(value)
        for unit in ["kB", "MB", "GB", "TB"] {
            size /= 1000
            // 999.95 would be shown as 1000.0 of its unit.
            if size < 999.95 { return "\(oneDecimal(size)) \(unit)" }
        }
        return "\(oneDecimal(size / 1000)) PB"
    }

    /// Megabytes a second: `98.1`; nil when no time went by.
    package static func megabytesPerSecond(_ bytes: Int64, over duration: Duration) -> String? {
        let seconds = duration.inSeconds
        guard seconds > 0 else { return nil }
        return oneDecimal(Double(bytes) / seconds / 1_000_000)
    }

    /// A length of time for a result: `120 ms`, `12.3 s`, `2 min 05 s`, `1 h 02 min`.
    package static func duration(_ duration: Duration) -> String {
        let seconds = duration.inSeconds
        guard seconds >= 0.9995 else { return "\(Int((seconds * 1000).rounded())) ms" }
        guard seconds >= 59.95 else { return "\(oneDecimal(seconds)) s" }
        let whole = Int(seconds.rounded())
        guard whole >= 3600 else { return "\(whole / 60) min \(twoDigits(whole % 60)) s" }
        return "\(whole / 3600) h \(twoDigits(whole % 3600 / 60)) min"
    }

    /// How long ago something was, in its largest unit: `5 s`, `12 min`, `30 h`, `8 d`.
    ///
    /// - Parameter seconds: The time since then; clocks that differ may make it negative.
    /// - Returns: A whole number, rounded down, and its unit.
    package static func age(_ seconds: Double) -> String {
        let whole = Int(min(max(seconds, 0), 1e15))
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3_600: return "\(whole / 60) min"
        case ..<172_800: return "\(whole / 3_600) h"
        default: return "\(count(whole / 86_400)) d"
        }
    }

    /// A running clock: `0:04`, `12:34`, `1:02:03`.
    package static func clock(_ duration: Duration) -> String {
        let whole = Int(duration.inSeconds)
        let minutesAndSeconds = "\(twoDigits(whole % 60))"
        guard whole >= 3600 else { return "\(whole / 60):\(minutesAndSeconds)" }
        return "\(whole / 3600):\(twoDigits(whole % 3600 / 60)):\(minutesAndSeconds)"
    }

    /// A number with one digit after the point.
    package static func oneDecimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(count(tenths / 10)).\(abs(tenths % 10))"
    }

    private static func twoDigits(_ value: Int) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }
}

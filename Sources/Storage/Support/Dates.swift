import FoundationEssentials

/// Reads `2026-01-02T03:04:05Z`, with or without a fraction of a second or an offset.
func date(iso8601 text: String) -> Date? {
    (try? Date(text, strategy: .iso8601))
        ?? (try? Date(text, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true)))
}

extension Date {
    /// Reads a date of HTTP, `Fri, 24 May 2013 00:00:00 GMT` (RFC 9110, section 5.6.7).
    init?(http text: String) {
        let parts = text.split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 6, let month = months.firstIndex(of: String(parts[2])), let day = Int(parts[1]),
            let found = date(
                iso8601: "\(parts[3])-\(month < 9 ? "0" : "")\(month + 1)-\(day < 10 ? "0" : "")\(day)T\(parts[4])Z"
            )
        else { return nil }
        self = found
    }
}

import Foundation

/// The moment that a run began, as its file names carry it: in UTC and whole seconds.
struct RunTimestamp: Sendable {
    /// As in `2021-04-26T09:00:00`.
    let timestamp: String
    /// As in `2021-04-26`.
    let date: String
    let moment: Date

    /// The bytes of a timestamp.
    static let length = 19

    /// Whether a text has the form of a timestamp; whether there is such a moment is not looked at.
    static func isTimestamp(_ text: String) -> Bool {
        text.utf8.count == length
            && zip(text.utf8, "0000-00-00T00:00:00".utf8).allSatisfy { byte, form in
                form == UInt8(ascii: "0") ? (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) : byte == form
            }
    }

    /// The moment of a set, by its id; nil for a text that is not a timestamp.
    init?(id: String) {
        guard Self.isTimestamp(id), let moment = try? Date(id + "Z", strategy: .iso8601) else { return nil }
        self.init(moment)
    }

    /// The next second.
    var next: RunTimestamp { RunTimestamp(moment.addingTimeInterval(1)) }

    init(_ moment: Date) {
        self.moment = moment
        let style = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day()
        date = moment.formatted(style)
        timestamp = moment.formatted(style.time(includingFractionalSeconds: false))
    }
}

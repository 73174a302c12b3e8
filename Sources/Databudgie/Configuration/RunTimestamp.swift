import Foundation

/// The moment that a run began, as its file names carry it: in UTC and whole seconds.
struct RunTimestamp: Sendable {
    /// As in `2021-04-26T09:00:00`.
    let timestamp: String
    /// As in `2021-04-26`.
    let date: String
    private let moment: Date

    /// The next second.
    var next: RunTimestamp { RunTimestamp(moment.addingTimeInterval(1)) }

    init(_ moment: Date) {
        self.moment = moment
        let style = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day()
        date = moment.formatted(style)
        timestamp = moment.formatted(style.time(includingFractionalSeconds: false))
    }
}

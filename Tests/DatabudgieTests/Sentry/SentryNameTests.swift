import FoundationEssentials
import Testing

@testable import Databudgie

@Suite("Names in Sentry's events")
struct SentryNameTests {
    @Test("A combining mark does not protect what Sentry refuses", arguments: ["\u{301}", "\u{200D}", "\u{FE0F}"])
    func combiningMarks(mark: String) {
        let event = SentryEvent(
            FailureSummary(DatabudgieError(.database, "m")),
            kind: .backup,
            table: "public.t",
            at: .distantPast,
            release: "a/\(mark)b\\\(mark)c",
            environment: "a/\(mark)b"
        )
        #expect(Array(event.release.utf8) == Array("a-\(mark)b-\(mark)c".utf8))
        #expect(event.environment.map { Array($0.utf8) } == Array("a-\(mark)b".utf8))
    }
}

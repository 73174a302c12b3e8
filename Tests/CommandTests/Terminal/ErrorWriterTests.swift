import Databudgie
import Foundation
import Testing

@testable import DatabudgieCLI

@Suite("Errors that end a command")
struct ErrorWriterTests {
    private let time = Date(timeIntervalSince1970: 1_767_323_045)
    private let several = DatabudgieError(
        .preflight,
        [
            Finding(.problem, "the role lacks TRUNCATE", table: "public.sales", hint: "grant it, or drop 'truncate'"),
            Finding(.problem, "there is no file", table: "public.products"),
        ]
    )

    private func text(_ error: any Error, leaving remains: RunRemains? = nil) -> [String] {
        ErrorWriter(format: .text, style: .plain).lines(error, leaving: remains, at: time)
    }

    @Test("Every problem has a line of its own, and its hint below it")
    func problems() {
        #expect(
            text(several) == [
                "databudgie: error: public.sales: the role lacks TRUNCATE\n  hint: grant it, or drop 'truncate'",
                "databudgie: error: public.products: there is no file",
            ]
        )
    }

    @Test("What became of the target is said once, last")
    func effect() {
        let error = CommandError(.notConfirmed, "not confirmed", effect: .nothingChanged)
        #expect(text(error) == ["databudgie: error: not confirmed", "databudgie: nothing was changed"])
    }

    @Test("Tables that were restored before the error are counted last")
    func remains() {
        let lines = text(several, leaving: RunRemains(.restore, completed: 3))
        #expect(lines.count == 3)
        #expect(lines.last == "databudgie: 3 tables were restored; the others are unchanged")
        #expect(text(several, leaving: RunRemains(.restore, completed: 0)).count == 2)
    }

    @Test("Machines get an object per problem, and the effect with the last")
    func json() {
        let error = CommandError(.usage, "no terminal", hint: "pass --yes", effect: .nothingChanged)
        let writer = ErrorWriter(format: .json, style: .plain)
        #expect(writer.lines(several, at: time).count == 2)
        #expect(
            writer.lines(error, at: time) == [
                #"{"effect":"nothing_changed","event":"error","hint":"pass --yes","message":"no terminal","#
                    + #""time":"2026-01-02T03:04:05Z"}"#
            ]
        )
    }

    @Test("Control characters in a message or a hint are shown instead of sent")
    func hostileText() {
        let error = CommandError(.usage, "a\u{1B}[2Jb", hint: "c\nd")
        #expect(text(error) == ["databudgie: error: a\\u{1B}[2Jb\n  hint: c\\nd"])
    }
}

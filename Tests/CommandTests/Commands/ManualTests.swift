import DatabudgieTestSupport
import Foundation
import Testing

@testable import DatabudgieCLI

@Suite("The manual page")
struct ManualTests {
    private static let script = URL(filePath: #filePath).appending(path: "../../../../scripts/manual")
        .standardizedFileURL

    @Test("It has every command, and what the help says of options, exit codes and environment variables")
    func page() async throws {
        try await withTemporaryFolder { folder in
            let program = Program(folder: folder)
            let outcome = try await program.shell(
                "'\(Self.script.path(percentEncoded: false))' \"$(command -v databudgie)\""
            )
            #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
            #expect(outcome.output.hasPrefix(".TH DATABUDGIE 1 20"))
            let text = outcome.output.replacing("\\-", with: "-").replacing("\\(aq", with: "'").replacing(
                "\n",
                with: " "
            )
            // There is a file for the help of each command; those of several commands have no section of their own.
            let snapshots = Self.script.deletingLastPathComponent().appending(path: "../Tests/CommandTests/Snapshots")
            let names = try FileManager.default.contentsOfDirectory(atPath: snapshots.path(percentEncoded: false))
                .compactMap { $0.wholeMatch(of: /help-(.+)\.txt/).map { String($0.1).replacing("-", with: " ") } }
            #expect(names.count > 20)
            for name in names where !names.contains(where: { $0.hasPrefix(name + " ") }) {
                #expect(text.contains(".SS \"databudgie \(name)"), "\(name)")
            }
            for part in [
                "\\fB-c\\fR, \\fB--config\\fR \\fIfile\\fR", ".SS \"Where\"",
                ".SH \"EXIT STATUS\" .TP \\fB0\\fR everything was done",
                "\\fB129, 130, 143\\fR", ".SH \"ENVIRONMENT\" .TP \\fBDATABUDGIE_BACKUP__URL=...\\fR",
                "\\fB--ddl\\fR, \\fB--no-ddl\\fR",
            ] {
                #expect(text.contains(part), "\(part)")
            }
        }
    }
}

import ArgumentParser
import DatabudgieTestSupport
import Foundation
import Testing

@testable import DatabudgieCLI

@Suite("The manual page")
struct ManualTests {
    private static let script = URL(filePath: #filePath).appending(path: "../../../../scripts/manual")
        .standardizedFileURL
        .path(percentEncoded: false)

    @Test("It has every command, and what the help says of options, exit codes and environment variables")
    func page() async throws {
        try await withTemporaryFolder { folder in
            let program = Program(folder: folder)
            let outcome = try await program.shell("'\(Self.script)' \"$(command -v databudgie)\"")
            #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
            #expect(outcome.output.hasPrefix(".TH DATABUDGIE 1 20"))
            let text = outcome.output.replacing("\\-", with: "-").replacing("\\(aq", with: "'").replacing(
                "\n",
                with: " "
            )
            for command in DatabudgieCommand.configuration.subcommands {
                let name = try #require(command.configuration.commandName)
                let parts = command.configuration.subcommands.compactMap { $0.configuration.commandName }
                for part in parts.isEmpty ? [name] : parts.map({ "\(name) \($0)" }) {
                    #expect(text.contains(".SS \"databudgie \(part)"), "\(part)")
                }
            }
            for part in [
                "\\fB-c\\fR, \\fB--config\\fR \\fIfile\\fR", ".SS \"Where\"",
                ".SH \"EXIT STATUS\" .TP \\fB0\\fR everything was done",
                "\\fB130, 143\\fR", ".SH \"ENVIRONMENT\" .TP \\fBDATABUDGIE_BACKUP__URL=...\\fR",
                "\\fB--ddl\\fR, \\fB--no-ddl\\fR",
            ] {
                #expect(text.contains(part), "\(part)")
            }
        }
    }
}

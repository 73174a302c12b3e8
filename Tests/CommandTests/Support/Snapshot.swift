import Foundation
import Testing

/// Compares a text with the one that was recorded under a name.
///
/// `RECORD_SNAPSHOTS=1` records it again; look at the difference before committing it.
///
/// - Parameters:
///   - name: The name of the file, without its `.txt`.
///   - text: What there is now.
///   - folder: The folder beside the tests in which the file is.
///   - sourceLocation: Where a difference is reported.
/// - Throws: What Foundation says about a file that cannot be read or written.
func expectSnapshot(
    _ name: String,
    _ text: String,
    in folder: String = "Snapshots",
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "\(folder)/\(name).txt")
    if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1" {
        try Data(text.utf8).write(to: file)
    }
    let recorded = try String(contentsOf: file, encoding: .utf8)
    #expect(text == recorded, "RECORD_SNAPSHOTS=1 records it again", sourceLocation: sourceLocation)
}

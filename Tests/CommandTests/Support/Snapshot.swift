import Foundation
import Testing

/// Compares a text with the one that was recorded under a name.
///
/// `RECORD_SNAPSHOTS=1` records it anew; look at the difference before committing it.
func expectSnapshot(_ name: String, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Snapshots/\(name).txt")
    if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1" {
        try Data(text.utf8).write(to: file)
    }
    let recorded = try String(contentsOf: file, encoding: .utf8)
    #expect(text == recorded, "RECORD_SNAPSHOTS=1 records it anew", sourceLocation: sourceLocation)
}

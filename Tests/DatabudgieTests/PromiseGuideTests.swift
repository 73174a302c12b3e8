import Foundation
import Testing

@Suite("The guide to promises")
struct PromiseGuideTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The names of all types below Tests.
    private static func suites() throws -> Set<Substring> {
        let tests = repository.appending(path: "Tests")
        let files = try FileManager.default.subpathsOfDirectory(atPath: tests.path(percentEncoded: false))
        var names: Set<Substring> = []
        for file in files where file.hasSuffix(".swift") {
            let text = try String(contentsOf: tests.appending(path: file), encoding: .utf8)
            names.formUnion(text.matches(of: /struct ([A-Za-z0-9]+Tests)\b/).map(\.output.1))
        }
        return names
    }

    @Test("Each suite that it names exists, and each promise and fault names one")
    func names() throws {
        let guide = try String(
            contentsOf: Self.repository.appending(path: "Documentation/promises.md"),
            encoding: .utf8
        )
        let named = guide.matches(of: /`([A-Za-z0-9]+Tests)`/).map(\.output.1)
        #expect(named.count > 100)
        let missing = Set(named).subtracting(try Self.suites())
        #expect(missing.isEmpty, "\(missing.sorted())")
        // All rows but heads, rules, and what is measured and not tested.
        let rows = guide.split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.hasSuffix("| suites |") }
        let unnamed = rows.filter { !$0.contains("Tests`") && !$0.contains("none: `scripts/") }
        #expect(rows.count > 50 && unnamed.isEmpty, "\(unnamed)")
    }

    @Test("It is among the guides of the README")
    func linked() throws {
        let readme = try String(contentsOf: Self.repository.appending(path: "README.md"), encoding: .utf8)
        #expect(readme.contains("(Documentation/promises.md)"))
    }
}

import Databudgie
import DatabudgieTestSupport
import Foundation
import Postgres
import Synchronization
import Testing

/// The example of the landing page, word for word, so that it compiles.
private func landingPageExample() async throws {
    // begin
    let configuration = try Configuration.load(files: ["databudgie.yml"])
    let report = try await BackupRun(configuration).run { event in print(event) }
    print("\(report.finished.count) tables saved, \(report.failed.count) failed")
    // end
}

@Suite("The library's example")
struct LibraryExampleTests {
    private static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: repository.appending(path: path), encoding: .utf8)
    }

    @Test(
        "The example is on the landing page and in the README as it is compiled here",
        arguments: ["Sources/Databudgie/Databudgie.docc/Databudgie.md", "README.md"]
    )
    func sameText(page: String) throws {
        let source = try Self.text("Tests/RunTests/LibraryExampleTests.swift")
        let begin = try #require(source.range(of: "    // begin\n"))
        let end = try #require(source.range(of: "    // end\n"))
        let example = source[begin.upperBound..<end.lowerBound].split(separator: "\n")
            .map { $0.trimmingPrefix("    ") }
            .joined(separator: "\n")
        #expect(try Self.text(page).contains("```swift\nimport Databudgie\n\n\(example)\n```"))
    }

    @Test("The example saves a table and reports what it does")
    func run() async throws {
        try await PostgresServer.withDatabase { parameters in
            try await Connection.withConnection(to: parameters) { connection in
                try await connection.execute("create table birds as select n as id from generate_series(1, 3) n")
            }
            try await withTemporaryFolder { folder in
                let keywords = parameters.keywords.map { "\($0)='\($1)'" }.joined(separator: " ")
                let file = folder + "/databudgie.yml"
                let yaml = "url: \"\(keywords)\"\nroot_location: \(folder)\ntables: [public.birds]\n"
                try Data(yaml.utf8).write(to: URL(filePath: file))

                let finished = Mutex<[String]>([])
                let configuration = try Configuration.load(files: [file])
                let report = try await BackupRun(configuration).run { event in
                    if case .finished(let table) = event { finished.withLock { $0.append(table.job.name) } }
                }

                #expect(report.finished.map(\.totals.rows) == [3])
                #expect(report.failed.isEmpty)
                #expect(finished.withLock { $0 } == ["public.birds"])
                let path = try #require(report.finished.first?.path)
                #expect(try String(contentsOfFile: path, encoding: .utf8) == "id\n1\n2\n3\n")
            }
        }
    }
}

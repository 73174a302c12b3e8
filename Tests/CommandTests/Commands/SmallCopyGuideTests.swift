import DatabudgieTestSupport
import Foundation
import Postgres
import Testing

@testable import DatabudgieCLI

/// The guide "A small copy of production for every developer" is true: its commands run, and print what it shows.
@Suite("The guide about small copies")
struct SmallCopyGuideTests {
    private let guide = try? String(
        contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Documentation/small-copies.md"),
        encoding: .utf8
    )

    /// The contents of its code blocks in a language.
    private func blocks(_ language: String) throws -> [String] {
        let pieces = try #require(guide).components(separatedBy: "\n```")
        return pieces.filter { $0.hasPrefix(language + "\n") }.map { $0.dropFirst(language.count + 1) + "\n" }
    }

    @Test("Its shop, its configuration and its commands make the copy that it shows")
    func copy() async throws {
        let (guide, yaml) = (try #require(guide), try blocks("yaml"))
        try await PostgresServer.withDatabase { source in
            try await PostgresServer.withDatabase { target in
                try await withTemporaryFolder { folder in
                    try await Connection.withConnection(to: source) { connection in
                        for statements in try blocks("sql") { try await connection.execute(statements) }
                    }
                    let urls = [source, target].map { Shop(parameters: $0, folder: folder).url }
                    let configuration = (yaml[0] + yaml[1])
                        .replacing("url: postgresql:///shop_dev", with: "url: \"\(urls[1])\"")
                        .replacing("url: postgresql:///shop\n", with: "url: \"\(urls[0])\"\n")
                    try Data(configuration.utf8).write(to: URL(filePath: "\(folder)/databudgie.yml"))
                    var program = Program(folder: folder)
                    program.environment["MASK_KEY"] = "databudgie-guide-secret-0123456789"

                    let plan = try await program.run("plan", "backup")
                    #expect(plan.status == 0)
                    let rows = try #require(
                        plan.output.components(separatedBy: "\n\n").first { $0.hasPrefix("rows of") }
                    )
                    #expect(guide.contains("\n\(rows)\n"), "\(rows)")
                    let why = try await program.run("why", "public.products:7")
                    #expect(why.status == 0 && guide.contains("\n\(why.output)"), "\(why)")
                    #expect(try await program.run("mask", "suggest").status == 0)
                    let check = try await program.run("mask", "check")
                    #expect(check.status == 0 && guide.contains("\n\(check.output)"), "\(check)")
                    let preview = try await program.run("mask", "preview", "public.customers", "--rows", "3")
                    #expect(preview.status == 0 && guide.contains("\n\(preview.output)"), "\(preview)")
                    #expect(try await program.run("backup").status == 0)
                    for _ in 1...2 {
                        let restore = try await program.run("restore")
                        let end = try #require(restore.errorLines.last?.components(separatedBy: " in ").first)
                        #expect(restore.status == 0 && end.hasPrefix("Restore complete"), "\(restore)")
                        #expect(guide.contains("\n\(end) in "), "\(restore)")
                    }
                    try await PostgresServer.withDatabase { other in
                        // The list of definitions is in the folder of the other sets, not in that of the case.
                        let start = ["--start", "public.customers=id = 4711", "-l", "case-4711/{table}"]
                        #expect(try await program.run(["backup"] + start).status == 0)
                        let url = Shop(parameters: other, folder: folder).url
                        let restore = try await program.run(["restore", "--url", url] + start.suffix(2))
                        #expect(restore.status == 0, "\(restore)")
                    }
                    try await Connection.withConnection(to: target) { connection in
                        let keys = try await connection.query(
                            "select count(*) as n from pg_constraint where contype = 'f' and convalidated"
                        )
                        #expect(keys.rows.first?["n"] == "8")
                        let originals = try await connection.query(
                            "select 1 from customers where email like '%@example.org' or name like 'Customer%' or phone like '+49 30%'"
                        )
                        #expect(originals.rows.isEmpty)
                    }
                }
            }
        }
    }
}

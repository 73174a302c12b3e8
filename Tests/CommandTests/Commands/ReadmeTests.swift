import Foundation
import Testing

/// The first page that anybody reads is true: its configuration runs, and what it shows is what the program prints.
@Suite("README")
struct ReadmeTests {
    private static let text = try? String(
        contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "README.md"),
        encoding: .utf8
    )

    /// The contents of the README's code blocks in a language.
    private static func blocks(_ language: String) throws -> [String] {
        let pieces = try #require(text).components(separatedBy: "\n```")
        return pieces.filter { $0.hasPrefix(language + "\n") }.map { $0.dropFirst(language.count + 1) + "\n" }
    }

    @Test("The configuration of the README runs, and prints what the README shows")
    func transcript() async throws {
        var configuration = try #require(try Self.blocks("yaml").first)
        for address in ["postgresql://reader@db.example.com/shop", "postgresql://dev@localhost/shop"] {
            #expect(configuration.contains("url: \(address)\n"))
        }
        try await Shop.with { shop in
            try await shop.execute(
                """
                alter table sales add column store_id integer;
                update sales set store_id = id % 5;
                create schema crm;
                create table crm.campaigns (id integer primary key, title text not null);
                insert into crm.campaigns select n, 'campaign ' || n from generate_series(1, 20) n;
                create table crm.audit_campaigns (id integer, change text);
                """
            )
            configuration.replace(/url: postgresql:.*/, with: "url: \"\(shop.url)\"")
            try Data(configuration.utf8).write(to: URL(filePath: shop.folder + "/databudgie.yml"))
            var transcript = Transcript(shop)
            try await transcript.run("databudgie backup")
            try await transcript.run("databudgie restore --dry-run")
            try await transcript.run("databudgie restore")
            try expectSnapshot("readme", transcript.text, in: "Transcripts")
            #expect(try Self.blocks("console").joined() == transcript.text, "quote Transcripts/readme.txt in README.md")
        }
    }
}

import Databudgie
import DatabudgieTestSupport
import Foundation
import Testing

@testable import DatabudgieCLI

@Suite("The schema of configurations")
struct SchemaCommandTests {
    private static let repository = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL

    @Test("config --schema prints what the documentation has, and reads no configuration")
    func prints() async throws {
        try await withTemporaryFolder { folder in
            try Data("not: [a configuration".utf8).write(to: URL(filePath: folder + "/databudgie.yml"))
            let outcome = try await Program(folder: folder).run("config", "--schema")
            let file = Self.repository.appending(path: "Documentation/configuration.schema.json")
            #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
            #expect(try outcome.output == String(contentsOf: file, encoding: .utf8))
        }
    }

    /// The blocks of YAML of the guide, but for those of other programs, which begin with the name of their file.
    private func blocks() throws -> [String] {
        let documentation = Self.repository.appending(path: "Documentation")
        let pages = try FileManager.default.contentsOfDirectory(at: documentation, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "md" }
        return try ([Self.repository.appending(path: "README.md")] + pages).flatMap { page in
            try String(contentsOf: page, encoding: .utf8).matches(of: /(?s)\n```yaml\n(.*?\n)```/).map { String($0.1) }
        }
        .filter { $0.prefixMatch(of: /# (\.|[a-z-]+\/)/) == nil }
    }

    private func check(_ files: [String: String], in folder: String) async throws -> Program.Outcome {
        for (name, text) in files { try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)")) }
        let names = files.keys.sorted().joined(separator: " ")
        return try await Program(folder: folder).shell(
            "databudgie config --schema >schema.json && '\(MaskGuideTests.validator ?? "")' --schemafile schema.json \(names)"
        )
    }

    @Test("Another program takes every configuration of the guide by it", .enabled(if: MaskGuideTests.validator != nil))
    func right() async throws {
        var files: [String: String] = [:]
        for (number, block) in try blocks().enumerated() { files["\(number).yml"] = block }
        #expect(files.count > 15)
        files["empty.yml"] = ""
        files["words.yml"] = """
            $schema: databudgie.schema.json
            url: {host: "<% ENV[HOST] %>", port: 5432, query: {sslmode: require}}
            strict: yes
            jobs: <% ENV[JOBS, 2] %>
            compression: zstd:9
            ddl: {enabled: on, location: ddl}
            tables:
            - public.a
            - {name: public.b, ddl: false, truncate: cascade, missing_columns: null}
            - name: public.c
              rename: "{ref.restore.rename}"
            """
        try await withTemporaryFolder { folder in
            let outcome = try await check(files, in: folder)
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
        }
    }

    @Test(
        "Another program refuses what is wrong by it",
        .enabled(if: MaskGuideTests.validator != nil),
        arguments: [
            "bakcup: {}", "tables: {public.a: {compresion: gzip}}", "strict: maybe", "jobs: many", "compression: lz4",
            "backup: {tables: [{name: a, url: x}]}", "masking: {columns: {a.b.c: emial}}", "s3: []",
            "restore: {mode: overwrite}", "retention: {keep_daily: -1}", "subset: {start: {a: {wher: x}}}",
        ]
    )
    func wrong(yaml: String) async throws {
        try await withTemporaryFolder { folder in
            let outcome = try await check(["wrong.yml": yaml], in: folder)
            #expect(outcome.status == 1 && outcome.output.contains("Schema validation errors"), "\(outcome.output)")
        }
    }

    @Test("What init writes is right by it, in the file beside it", .enabled(if: MaskGuideTests.validator != nil))
    func starter() async throws {
        try await Shop.with { shop in
            #expect(try await shop.program.run("init", shop.url).status == 0)
            let outcome = try await shop.program.shell(
                "'\(MaskGuideTests.validator ?? "")' --schemafile databudgie.schema.json databudgie.yml"
            )
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.error)")
        }
    }

    @Test("A file of the schema that is there already stays as it is")
    func existing() async throws {
        try await Shop.with { shop in
            let file = URL(filePath: shop.folder + "/databudgie.schema.json")
            try Data("{}".utf8).write(to: file)
            #expect(try await shop.program.run("init", shop.url).status == 0)
            #expect(try Data(contentsOf: file) == Data("{}".utf8))
        }
    }
}

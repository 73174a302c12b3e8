import DatabudgieTestSupport
import Foundation
import Testing

@Suite("The option --metrics")
struct MetricsCommandTests {
    @Test("The file is readable for all whatever the umask is, beats the key, and survives a run that fails")
    func option() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [public.sales]\nbackup: {metrics: other.prom}\ntruncate: true")
            let outcome = try await shop.program.shell("umask 077; databudgie backup --metrics shop.prom")
            #expect(outcome.status == 0, "\(outcome.error)")
            let path = shop.folder + "/shop.prom"
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o644)
            let first = try String(contentsOfFile: path, encoding: .utf8)
            #expect(first.contains("databudgie_backup_last_run_rows{name=\"shop\",database=\""))
            #expect(try !shop.files().contains("other.prom"))
            let success = first.split(separator: "\n").filter { $0.hasPrefix("databudgie_backup_last_success_") }
            #expect(success.count == 1)

            let failed = try await shop.program.run(
                "backup",
                "-u",
                "postgresql://127.0.0.1:1/shop",
                "--metrics",
                "shop.prom"
            )
            #expect(failed.status == 1)
            let second = try String(contentsOfFile: path, encoding: .utf8)
            #expect(second.contains("databudgie_backup_last_run_success{name=\"shop\",database=\"shop\"} 0\n"))
            let time = try #require(success[0].split(separator: " ").last)
            #expect(
                second.contains(
                    "databudgie_backup_last_success_timestamp_seconds{name=\"shop\",database=\"shop\"} \(time)\n"
                )
            )

            let restored = try await shop.program.run("restore", "--metrics", "shop.prom")
            #expect(restored.status == 0, "\(restored.error)")
            let third = try String(contentsOfFile: path, encoding: .utf8)
            #expect(third.hasPrefix(second) && third.contains("databudgie_restore_last_run_success{"))
            let byKey = try await shop.program.run("backup")
            #expect(byKey.status == 0)
            #expect(try shop.files().contains("other.prom"))
        }
    }

    @Test("A folder that is not there is a mistake, before the run begins")
    func missingFolder() async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [public.sales]")
            let outcome = try await shop.program.run("backup", "--metrics", "none/shop.prom")
            #expect(
                outcome.status == 2 && outcome.error.contains("--metrics: there is no folder none for none/shop.prom")
            )
            #expect(try shop.files().isEmpty)
        }
    }

    @Test("What is not a local file is a mistake", arguments: ["s3://bucket/shop.prom", "folder/"])
    func mistakes(path: String) async throws {
        try await Shop.with { shop in
            try shop.configure("tables: [public.sales]")
            let outcome = try await shop.program.run("backup", "--metrics", path)
            #expect(outcome.status == 2)
            #expect(
                outcome.error == """
                    databudgie: error: --metrics: 'metrics' is not the path of a local file
                      hint: write the path of a file in the folder that the textfile collector reads

                    """
            )
            try shop.configure("tables: [public.sales]\nmetrics: '\(path)'")
            let key = try await shop.program.run("config")
            #expect(key.errors == ["databudgie: error: databudgie.yml:3: 'metrics' is not the path of a local file"])
        }
    }
}

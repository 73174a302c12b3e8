import DatabudgieTestSupport
import Foundation
import Testing

@Suite("Reporting")
struct ReportingTests {
    @Test("sends failures to Sentry and ends with the same code, also when Sentry refuses them")
    func sentry() async throws {
        try await Shop.with { shop in
            try await SentryServer.withServer { server in
                try shop.configure(
                    """
                    sentry: {sentry_dsn: "\(server.dsn)"}
                    environment: staging
                    location: out/{table}
                    tables: [{name: public.products, query: "select 1 / 0 from {table}"}, public.sales]
                    """
                )
                let outcome = try await shop.program.run("backup", "-v")
                #expect(outcome.status == 1)
                #expect(outcome.error.contains("1 failure reported to Sentry at 127.0.0.1."))
                #expect(server.problems.isEmpty)
                #expect(server.envelopes.map { $0.tags["table"] } == ["public.products"])
            }
            try await SentryServer.withServer(.reply(500)) { server in
                let overridden = ["DATABUDGIE_SENTRY__SENTRY_DSN": server.dsn]
                let outcome = try await Program(folder: shop.folder, environment: overridden).run(
                    "backup",
                    "-l",
                    "again/{table}"
                )
                #expect(outcome.status == 1)
                #expect(outcome.error.contains("databudgie: warning: 0 of 1 failure reported to Sentry at 127.0.0.1: "))
                #expect(outcome.error.contains("Backup finished with failures: 1 table, 500 rows"))
                #expect(server.envelopes.count == 1)
            }
        }
    }

    @Test("refuses a bad address before anything is begun, and prints the key of a good one as ***")
    func configuration() async throws {
        try await Shop.with { shop in
            try shop.configure("sentry: {sentry_dsn: 'https://hiddenkey.example.com/1'}\ntables: [public.*]")
            let outcome = try await shop.program.run("backup")
            #expect(outcome.status == 2)
            #expect(outcome.errorLines.count == 1)
            #expect(outcome.error.contains("databudgie.yml:2: 'sentry_dsn' is no address of a Sentry project"))
            #expect(!outcome.error.contains("hiddenkey"))
            try shop.configure("sentry: {sentry_dsn: 'https://hiddenkey@example.com/1'}\ntables: [public.*]")
            let printed = try await shop.program.run("config")
            #expect(printed.output.contains("sentry_dsn: https://***@example.com/1"))
            #expect(!printed.output.contains("hiddenkey"))
        }
    }

    @Test("says nothing but errors and results when logging is switched off")
    func silence() async throws {
        try await Shop.with { shop in
            let tables = "tables: [public.products, public.nothing_there]"
            try shop.configure("logging: {enabled: false}\n\(tables)")
            let silent = try await shop.program.run("backup", "--stats")
            #expect(silent.status == 0)
            #expect(silent.error.isEmpty)
            #expect(silent.output.contains(/public\.products +100 +/))
            let loud = try await shop.program.run("backup", "-v", "-l", "loud/{table}")
            #expect(loud.error.contains("warning: "))
            #expect(loud.error.contains("Backup complete"))
            let failed = try await shop.program.run("backup", "--strict", "-l", "strict/{table}")
            #expect(failed.status == 1)
            #expect(failed.error.hasPrefix("databudgie: error: "))
        }
    }

    @Test(
        "tells as much as the logging level asks for, in any case",
        arguments: [
            ("debug", true, true, true), ("INFO", true, true, false), ("Warning", true, false, false),
            ("error", false, false, false), ("CRITICAL", false, false, false),
        ]
    )
    func levels(level: String, tellsWarnings: Bool, tellsProgress: Bool, tellsDetails: Bool) async throws {
        try await Shop.with { shop in
            try shop.configure("logging: {level: \(level)}\ntables: [public.products, public.nothing_there]")
            let outcome = try await shop.program.run("backup")
            #expect(outcome.error.contains("warning: ") == tellsWarnings)
            #expect(outcome.error.contains("Backup complete") == tellsProgress)
            #expect(outcome.error.contains("databudgie: public.products: ") == tellsDetails)
        }
    }

    @Test("prints what was done with --stats when the run breaks off, and nothing with --no-stats")
    func statistics() async throws {
        try await Shop.with { shop in
            try shop.configure(
                """
                tables:
                  - public.products
                  - {name: public.sales, query: "select pg_terminate_backend(pg_backend_pid()) from {table}"}
                """
            )
            let outcome = try await shop.program.run("backup", "--stats")
            #expect(outcome.status == 1)
            #expect(outcome.output.contains(/public\.products +100 +/))
            #expect(outcome.output.contains("failed  public.sales: "))
            let dry = try await shop.program.run("backup", "--dry-run", "--no-stats", "-t", "public.products")
            #expect(dry.status == 0)
            #expect(dry.output.isEmpty)
        }
    }
}

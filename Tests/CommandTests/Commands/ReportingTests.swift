import DatabudgieTestSupport
import Foundation
import Testing

@Suite("Reporting")
struct ReportingTests {
    @Test("Failures are sent to Sentry, and the exit code is the same, also when Sentry refuses them")
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
                #expect(outcome.error.contains("databudgie: 1 failure reported to Sentry at 127.0.0.1\n"))
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

    @Test("A bad address is a warning without its key, and the key of a good one is printed as ***")
    func configuration() async throws {
        try await Shop.with { shop in
            try shop.configure("sentry: {sentry_dsn: 'https://hiddenkey.example.com/1'}\ntables: [public.*]")
            let outcome = try await shop.program.run("backup")
            #expect(outcome.status == 0)
            #expect(outcome.errors.isEmpty)
            #expect(outcome.error.contains("databudgie.yml:2: 'sentry_dsn' is not the address of a Sentry project"))
            #expect(!outcome.error.contains("hiddenkey"))
            try shop.configure("sentry: {sentry_dsn: 'https://hiddenkey@example.com/1'}\ntables: [public.*]")
            let printed = try await shop.program.run("config")
            #expect(printed.output.contains("sentry_dsn: https://***@example.com/1"))
            #expect(!printed.output.contains("hiddenkey"))
        }
    }

    @Test("Only errors and results are printed when logging is switched off")
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
        "As much is printed as the logging level asks for, in any case",
        arguments: [
            ("debug", true, true, true), ("INFO", true, true, false), ("Warning", true, false, false),
            ("error", false, false, false), ("CRITICAL", false, false, false),
        ]
    )
    func levels(level: String, showsWarnings: Bool, showsProgress: Bool, showsDetails: Bool) async throws {
        try await Shop.with { shop in
            try shop.configure("logging: {level: \(level)}\ntables: [public.products, public.nothing_there]")
            let outcome = try await shop.program.run("backup")
            #expect(outcome.error.contains("warning: ") == showsWarnings)
            #expect(outcome.error.contains("Backup complete") == showsProgress)
            #expect(outcome.error.contains("databudgie: the table public.products is matched by ") == showsDetails)
        }
    }

    @Test("--stats prints what was done when the run breaks off, and --no-stats prints nothing")
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

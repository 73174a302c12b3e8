import Foundation
import Postgres
import Testing

@Suite("Connections")
struct ConnectionTests {
    @Test("Connections are chosen by name in the configuration and by --connection, from a mapping and from a list")
    func names() async throws {
        try await Shop.with { shop in
            let parts = shop.parameters.keywords
            let mapping =
                "{username: '\(parts["user"] ?? "")', database: '\(parts["dbname"] ?? "")', "
                + "query: {host: '\(parts["host"] ?? "")', port: '\(parts["port"] ?? "")'}}"
            let nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
            for (number, connections) in [
                "{good: \"\(shop.url)\", parts: \(mapping), bad: '\(nowhere)'}",
                "[{name: good, url: \"\(shop.url)\"}, {name: parts, \(mapping.dropFirst()), {name: bad, url: '\(nowhere)'}]",
            ].enumerated() {
                let yaml = """
                    connections: \(connections)
                    tables: [public.products]
                    backup: {connection: good}
                    restore: {connection: bad}
                    location: out/\(number)
                    """
                try Data(yaml.utf8).write(to: URL(filePath: shop.folder + "/databudgie.yml"))
                let backup = try await shop.program.run("backup")
                #expect(backup.status == 0, "\(backup.error)")
                let bad = try await shop.program.run("restore")
                #expect(bad.status == 1)
                #expect(bad.error.contains("127.0.0.1"))
                for name in ["good", "parts"] {
                    try await shop.execute("truncate products cascade")
                    let restore = try await shop.program.run("restore", "--connection", name)
                    #expect(restore.status == 0, "\(restore.error)")
                    #expect(try await shop.value("select count(*) from products") == "100")
                }
                let unknown = try await shop.program.run("backup", "-C", "goood")
                #expect(unknown.status == 2)
                #expect(unknown.error.contains("there is no connection 'goood'\n  hint: did you mean 'good'?"))
            }
        }
    }

    @Test("Connections have the limit on idle transactions, in a backup and in a restore")
    func idleInTransaction() async throws {
        try await Shop.with { shop in
            try await shop.execute(
                """
                create table settings (limit_ text, default_ text
                    default current_setting('idle_in_transaction_session_timeout'))
                """
            )
            try shop.configure(
                """
                idle_in_transaction_timeout: 7.5
                location: settings
                tables:
                  - name: public.settings
                    query: "select current_setting('idle_in_transaction_session_timeout') as limit_"
                """
            )
            let backup = try await shop.program.run("backup")
            #expect(backup.status == 0, "\(backup.error)")
            let restore = try await shop.program.run("restore")
            #expect(restore.status == 0, "\(restore.error)")
            #expect(try await shop.value("select limit_ || ' ' || default_ from settings") == "7500ms 7500ms")
        }
    }
}

import DatabudgieTestSupport
import Foundation
import Postgres

/// A database with two small tables and a folder of its own, for one test.
struct Shop {
    /// How to log in.
    let parameters: ConnectionParameters
    /// The folder in which the program runs and writes.
    let folder: String

    /// The value of `url` or `--url`: libpq's keywords, as the socket's path is no part of a URL.
    var url: String {
        parameters.keywords.sorted { $0.key < $1.key }.map { "\($0)='\($1)'" }.joined(separator: " ")
    }

    /// The program, running in the folder.
    var program: Program { Program(folder: folder) }

    /// Makes a shop for the length of a closure.
    static func with(_ body: (Shop) async throws -> Void) async throws {
        try await PostgresServer.withDatabase { parameters in
            try await withTemporaryFolder { folder in
                let shop = Shop(parameters: parameters, folder: folder)
                try await shop.execute(
                    """
                    create table products (id integer primary key, name text);
                    insert into products select n, 'product ' || n from generate_series(1, 100) n;
                    create table sales (id integer primary key, product_id integer references products);
                    insert into sales select n, n % 100 + 1 from generate_series(1, 500) n;
                    analyze;
                    """
                )
                try await body(shop)
            }
        }
    }

    /// Runs statements.
    func execute(_ sql: String) async throws {
        try await Connection.withConnection(to: parameters) { try await $0.execute(sql) }
    }

    /// Runs a query for one value.
    func value(_ sql: String) async throws -> String? {
        try await Connection.withConnection(to: parameters) { try await $0.query(sql).rows.first?[0] }
    }

    /// Waits until another session of the database runs a query that contains a text.
    func waitUntilRunning(_ query: String) async throws {
        let running =
            "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' "
            + "and pid <> pg_backend_pid() and position('\(query)' in query) > 0"
        while try await value(running) == "0" { await Task.yield() }
    }

    /// Writes a configuration file, `databudgie.yml` unless named otherwise, with the shop's `url` at its root.
    func configure(_ yaml: String) throws {
        try Data("url: \"\(url)\"\n\(yaml)\n".utf8).write(to: URL(filePath: folder + "/databudgie.yml"))
    }

    /// The files below the folder but for the configuration, relative and sorted.
    func files() throws -> [String] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
        return paths.filter { path in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: folder + "/" + path, isDirectory: &isDirectory)
                && !isDirectory.boolValue && path != "databudgie.yml" && !("/" + path).contains("/catalog/")
        }.sorted()
    }
}

import Databudgie
import FoundationEssentials
import Storage

/// Where the files of a new configuration go, from `--location`.
struct StarterLocation {
    /// The template for the configuration, with `{table}`.
    let text: String

    /// Checks a location as the other commands do, and gives each table a folder of its own unless it says where.
    ///
    /// - Parameter given: A folder or `s3://bucket/key`, perhaps with variables.
    /// - Throws: ``CommandError`` when it is empty or has credentials in it; `ConfigurationError` for another one that cannot
    ///   be used.
    init(_ given: String) throws {
        guard !given.isEmpty else {
            throw CommandError(.usage, "--location is empty", hint: "name a folder, or s3://bucket/key")
        }
        let bucket = given.utf8.firstRange(of: "://".utf8).map {
            given.utf8[$0.upperBound...].prefix { $0 != UInt8(ascii: "/") }
        }
        guard bucket?.contains(UInt8(ascii: "@")) != true else {
            // The location is not repeated: what is before the '@' may be a secret.
            throw CommandError(
                .usage,
                "--location has credentials in it, which no location can have",
                hint: "write s3://bucket/key; see 's3' in 'databudgie config --schema' for credentials"
            )
        }
        var overrides = ConfigurationOverrides()
        overrides.location = given
        overrides.tables = ["public.*"]
        // Something, so that no file is looked for.
        overrides.rawConfig = "{}"
        let environment = ProcessInfo.processInfo.environment.filter { $0.key.utf8.elementsEqual("HOME".utf8) }
        _ = try Configuration.load(ConfigurationSources(overrides: overrides, environment: environment))
        let template = try Template(given)
        do {
            _ = try StoragePath(
                template.render([.table: "table", .timestamp: "timestamp", .date: "date", .ext: "csv"])
            )
        } catch {
            throw CommandError(.usage, "--location: \(error.message)", hint: error.hint)
        }
        if template.variables.contains(.table) {
            text = given
        } else {
            var folder = given.utf8[...]
            while folder.last == UInt8(ascii: "/") { folder.removeLast() }
            text = String(decoding: folder, as: UTF8.self) + "/{table}"
        }
    }
}

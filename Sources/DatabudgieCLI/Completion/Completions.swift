import ArgumentParser
import Databudgie
import Dispatch
import Foundation
import Storage
import Synchronization

/// What the shell is offered for names that only the configuration and the database know.
///
/// It takes 300 ms at most, and what fails offers nothing: the user is writing, and has asked nothing yet.
enum Completions {
    /// The longest time that a user waits for the names of tables.
    private static let longest = DispatchTimeInterval.milliseconds(300)

    /// Configuration files.
    static let configurationFile = CompletionKind.file(extensions: ConfigurationFormat.allCases.map(\.rawValue))

    /// The names of `connections`.
    static let connection = CompletionKind.custom(connections)

    /// Tables, and globs for the tables of a schema.
    static let table = CompletionKind.custom(tables)

    private static func connections(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
        let line = CompletedLine(words, completing: index)
        return harmless(configuration(line).map { run(of: line, $0).connections.map(\.name) } ?? [])
    }

    /// Those that the configuration names, and those of its database.
    private static func tables(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
        let line = CompletedLine(words, completing: index)
        guard let configuration = configuration(line) else { return [] }
        let beginning = CompletedLine.unquoted(prefix)
        let configured =
            line.kind == .restore
            ? configuration.restore.tables.map(\.options.name) : configuration.backup.tables.map(\.options.name)
        var names = configured.compactMap(\.self).filter { $0.utf8.starts(with: beginning.utf8) }
        if let database = run(of: line, configuration).connection {
            let reader = TableNameReader(database)
            let found = within(longest) { try await reader.names(startingWith: beginning) } ?? []
            names += globs(found) + found
        }
        return harmless(names)
    }

    private static func configuration(_ line: CompletedLine) -> Configuration? {
        try? Configuration.load(line.sources(environment: ProcessInfo.processInfo.environment), for: line.kind)
    }

    private static func run(of line: CompletedLine, _ configuration: Configuration) -> RunConfiguration {
        line.kind == .restore ? configuration.restore.run : configuration.backup.run
    }

    /// `schema.*` for each schema that has several tables.
    private static func globs(_ names: [String]) -> [String] {
        let schemas = names.compactMap { name in name.utf8.firstIndex(of: UInt8(ascii: ".")).map { String(name[..<$0]) }
        }
        let counts = Dictionary(grouping: schemas) { $0 }.filter { $0.value.count > 1 }
        return counts.keys.sorted().map { "\($0).*" }
    }

    /// Each name once, and only those that no shell takes for anything else: bash expands what it is offered (`compgen -W`), so
    /// the name of a table could run a command.
    static func harmless(_ names: [String]) -> [String] {
        var seen: Set<[UInt8]> = []
        return names.filter { name in
            let isHarmless = name.utf8.allSatisfy { byte in
                byte >= 0x80 || byte.isLetter || byte.isDigit || "_.-*".utf8.contains(byte)
            }
            return isHarmless && !name.isEmpty && seen.insert(Array(name.utf8)).inserted
        }
    }

    /// The result of something asynchronous for a caller that cannot wait for it; nil when it fails, or takes too long.
    ///
    /// What is not ready then ends with the process.
    private static func within<Result: Sendable>(
        _ interval: DispatchTimeInterval,
        _ body: @escaping @Sendable () async throws -> Result
    ) -> Result? {
        let box = Box<Result>()
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            let value = try? await body()
            box.value.withLock { $0 = value }
            done.signal()
        }
        guard done.wait(timeout: .now() + interval) == .success else { return nil }
        return box.value.withLock { $0 }
    }

    private final class Box<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }
}

import DatabudgieTestSupport
import Foundation
import Postgres
import Storage
import Testing

@testable import Databudgie

extension RunFixture {
    /// Nothing is left of what failed: no claim, no temporary file or upload, and no set that is not as its record says.
    ///
    /// - Parameters:
    ///   - configuration: That of the backup, without the fault.
    ///   - variables: For its storage.
    /// - Returns: The ids of the sets, newest first.
    /// - Throws: What keeps them from being read.
    @discardableResult
    func expectSoundSets(_ configuration: Configuration, variables: [String: String] = [:]) async throws -> [String] {
        let environment = RunEnvironment(variables: variables)
        let folder = try #require(configuration.catalog(for: .backup))
        return try await StorageRouter.withStorages(of: configuration.backup.run, in: environment) { storages in
            let entries = try await SetCatalog(folder: folder, storages: storages).entries()
            #expect(entries.allSatisfy { $0.running == nil }, "\(entries)")
            let root = folder.parent ?? folder
            let writes = try await storages.storage(for: root).unfinishedWrites(root, before: .distantFuture)
            #expect(writes.isEmpty, "\(writes)")
            let sets = entries.filter { $0.record != nil }.map(\.id)
            guard !sets.isEmpty else { return [] }
            for set in try await Verification(configuration, level: .rows, environment: environment).runAll() {
                #expect(!set.hasFindings, "\(set)")
            }
            return sets
        }
    }

    /// The rows of tables, each as one text.
    func contents(_ parameters: ConnectionParameters, _ tables: [String]) async throws -> [String] {
        try await tables.asyncMap { table in
            try await rows(parameters, "select string_agg(t::text, ' ' order by t::text) from \(table) t")[0]
        }
    }

    /// What a run says that could not be done, in one line.
    func expectOneLine(_ error: (any Error)?, _ location: SourceLocation = #_sourceLocation) {
        let text = error.map { ErrorText($0).message } ?? ""
        #expect(!text.isEmpty && !text.contains("\n"), "\(text)", sourceLocation: location)
    }
}

extension Sequence {
    /// Transforms the elements one after another.
    func asyncMap<Result>(_ transform: (Element) async throws -> Result) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await transform(element)) }
        return results
    }
}

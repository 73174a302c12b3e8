import Foundation
import Postgres
import Storage

/// Restores a set into the database of a drill; what does not arrive is found.
struct DrillRestore: Sendable {
    let plan: DrillPlan
    /// The set; what cannot be restored of it is taken out.
    private(set) var record: SetRecord
    let catalog: SetCatalog
    let configuration: Configuration
    /// Whose catalog it is.
    let kind: RunKind
    let database: ConnectionParameters
    let environment: RunEnvironment
    let collector: DamageCollector
    let onEvent: @Sendable (VerificationEvent) -> Void
    /// The full names of tables of which is known that they did not arrive.
    private var failed: Set<ByteKey> = []

    init(
        plan: DrillPlan,
        record: SetRecord,
        catalog: SetCatalog,
        configuration: Configuration,
        kind: RunKind,
        database: ConnectionParameters,
        environment: RunEnvironment,
        collector: DamageCollector,
        onEvent: @escaping @Sendable (VerificationEvent) -> Void
    ) {
        (self.plan, self.record, self.catalog, self.configuration) = (plan, record, catalog, configuration)
        (self.kind, self.database, self.environment) = (kind, database, environment)
        (self.collector, self.onEvent) = (collector, onEvent)
    }

    /// The tables that should have the rows of the set now.
    var restoredTables: [(key: QualifiedName, value: SetRecord.Table)] {
        plan.tables.filter { !failed.contains(ByteKey($0.key.label)) }.map { name, table in
            guard plan.undefinedNames.contains(name) else { return (name, table) }
            var table = table
            // What was created has the recorded columns, some of them as text, and no sequences.
            for index in table.columns.indices { table.columns[index].type = "" }
            table.sequencesFile = nil
            return (name, table)
        }
    }

    /// Restores the tables that have definitions, then those that have none.
    ///
    /// - Returns: False when nothing was restored.
    /// - Throws: What says nothing about the set: `PostgresError`, `StorageError`, ``DatabudgieError``; `CancellationError`.
    mutating func run() async throws -> Bool {
        if !plan.entries.isEmpty {
            guard try await self.restore(plan.entries, plan.definitions) else { return false }
        }
        let undefined = plan.tables.filter { plan.undefinedNames.contains($0.key) }
        guard !undefined.isEmpty else { return true }
        let creation = RecordedTableCreation(database: database, catalog: catalog) { [onEvent] in
            onEvent(.progress(.found($0)))
        }
        for (name, message) in try await creation.run(undefined) { fail(name.label, message) }
        let entries = undefined.filter { !failed.contains(ByteKey($0.key.label)) }.map { name, table in
            RestoreEntry(
                options: TableOptions(
                    name: name.asPattern,
                    includesDefinition: false,
                    includesSequences: false
                ),
                strategy: .useLatestSet,
                query: table.query
            )
        }
        guard !entries.isEmpty else { return true }
        return try await self.restore(entries, DefinitionConfiguration())
    }

    private mutating func fail(_ table: String, _ message: String) {
        failed.insert(ByteKey(table))
        collector.add("it cannot be restored: \(message)", ofTable: table)
    }

    /// - Returns: False when nothing was restored.
    private mutating func restore(_ entries: [RestoreEntry], _ definitions: DefinitionConfiguration) async throws
        -> Bool
    {
        let run = configuration.run(for: kind)
        let restore = RestoreConfiguration(
            run: RunConfiguration(
                connection: database,
                s3: run.s3,
                catalog: catalog.folder,
                definitions: definitions
            ),
            tables: entries,
            assumesYes: true,
            set: .id(record.id)
        )
        let (set, collector, onEvent) = (record.id, collector, onEvent)
        do {
            let report = try await RestoreRun(Configuration(restore: restore), environment: environment).run { event in
                Self.relay(event, set, collector, onEvent)
            }
            for failure in report.failed {
                if let error = failure.error, Self.isTrouble(error) { throw error }
                fail(failure.job.name, failure.message)
            }
            return true
        } catch let error as DatabudgieError where !Self.isTrouble(error) {
            for problem in error.problems {
                collector.add("it cannot be restored: \(problem.message)", ofTable: problem.table)
            }
            return false
        }
    }

    private static func relay(
        _ event: RunEvent,
        _ set: String,
        _ collector: DamageCollector,
        _ onEvent: @Sendable (VerificationEvent) -> Void
    ) {
        switch event {
        case .planned(_, let jobs):
            onEvent(.began(set: set, .restore, jobs))
        case .found(let finding) where finding.concernsMissingRole:
            collector.add(finding.message, ofTable: finding.table)
        case .restoring, .recording:
            break
        // What becomes of a database that is about to be removed is no concern of the user.
        case .found where Task.isCancelled:
            break
        default:
            onEvent(.progress(event))
        }
    }

    /// Whether an error says something about the server or the storage, and nothing about the set.
    private static func isTrouble(_ error: any Error) -> Bool {
        switch error {
        case let error as PostgresError: error.isServerTrouble
        case let error as DatabudgieError:
            [.configuration, .storage, .internalInconsistency].contains(error.code)
                || error.underlying.map(isTrouble) == true
        case is StorageError, is CancellationError: true
        default: false
        }
    }
}

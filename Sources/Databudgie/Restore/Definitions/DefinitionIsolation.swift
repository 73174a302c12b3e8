import Postgres

/// Keeps a definition that cannot be used from stopping all others: it fails its table, and every table that needs it.
///
/// A table needs what its file requires, what its definitions name, such as the tables of a view or of a foreign key, its
/// schema, and, when it is partitioned, each of its partitions, because its rows are theirs.
struct DefinitionIsolation {
    private typealias Unit = DefinitionScript.Unit

    private let failures: [(unit: DefinitionScript.Unit, error: DatabudgieError)]
    /// What has failed, each with the definition that is to blame.
    private var causes: [Unit: Unit] = [:]

    /// - Parameters:
    ///   - scripts: All that was read.
    ///   - failures: What could not be read, and why.
    init(_ scripts: [FoundScript], failures: [(unit: DefinitionScript.Unit, error: DatabudgieError)]) {
        var seen: Set<Unit> = []
        self.failures = failures.filter { seen.insert($0.unit).inserted }
        guard !failures.isEmpty else { return }
        let dependents = Self.dependents(scripts, seen)
        var reached = self.failures.map(\.unit)
        for unit in reached { causes[unit] = unit }
        var index = 0
        while index < reached.count {
            let cause = causes[reached[index]]
            for unit in dependents[reached[index], default: []] where causes[unit] == nil {
                causes[unit] = cause
                reached.append(unit)
            }
            index += 1
        }
    }

    /// For each unit the tables that need it.
    private static func dependents(_ scripts: [FoundScript], _ failed: Set<Unit>) -> [Unit: [Unit]] {
        var tables: Set<Unit> = failed
        for item in scripts { tables.formUnion(item.script.definitions.compactMap(\.unit)) }
        var dependents: [Unit: [Unit]] = [:]
        for item in scripts {
            let own = Set(item.script.definitions.compactMap(\.unit) + [item.request.unit]).filter { $0.table != nil }
            for unit in own {
                for needed in item.script.requires + [Unit(schema: unit.schema)] where needed != unit {
                    dependents[needed, default: []].append(unit)
                }
            }
            for definition in item.script.definitions where !definition.isOptional {
                guard let unit = definition.unit else { continue }
                for needed in Self.named(in: definition, tables) where needed != unit {
                    dependents[needed, default: []].append(unit)
                }
                for partition in definition.partitions {
                    dependents[partition, default: []].append(unit)
                    dependents[unit, default: []].append(partition)
                }
            }
        }
        return dependents
    }

    /// Those of some tables that a definition names.
    private static func named(in definition: Definition, _ tables: Set<Unit>) -> Set<Unit> {
        let tokens = SQLStatements.tokens(definition.sql.utf8)
        var found: Set<Unit> = []
        var start = 0
        while let (name, end) = SQLStatements.qualifiedName(in: tokens, from: start) {
            let unit = Unit(schema: name.schema, table: name.name)
            if tables.contains(unit) { found.insert(unit) }
            start = end
        }
        return found
    }

    /// Takes what has failed out of the definitions.
    ///
    /// - Parameters:
    ///   - stored: All definitions that were read.
    ///   - strict: The tables whose failure stops everything.
    /// - Returns: The others, with what has failed beside them.
    func separated(_ stored: StoredDefinitions, strict: Set<QualifiedName>) -> StoredDefinitions {
        guard !causes.isEmpty else { return stored }
        let failed = Set(causes.keys.filter { $0.table != nil }.map(\.tableName))
        let own = Set(failures.map(\.unit))
        let dependents = stored.listed.map { Unit(schema: $0.schema, table: $0.name) }
            .filter { causes[$0] != nil && !own.contains($0) }
        var stored = stored
        stored.failures = failures.map { failure in
            DefinitionFailure(
                unit: failure.unit,
                problems: failure.error.problems.map {
                    .problem($0.message, of: $0.table ?? failure.unit.label, hint: $0.hint)
                },
                isStrict: strict.contains(failure.unit.tableName)
            )
        }
        stored.failures += dependents.map { unit in
            DefinitionFailure(unit: unit, cause: causes[unit], isStrict: strict.contains(unit.tableName))
        }
        stored.listed.removeAll { failed.contains($0) }
        stored.included.removeAll { failed.contains($0.name) }
        let lost = Set(causes.keys)
        var findings: [Finding] = []
        let remaining = stored.definitions.filter { item in
            if let unit = item.definition.unit { return causes[unit] == nil }
            guard let missing = Self.named(in: item.definition, lost).first else { return true }
            findings.append(
                .warning(
                    "a definition (\(item.definition.type)) in \(item.path) is skipped, because it names \(missing.label), which "
                        + "is not restored"
                )
            )
            return false
        }
        (stored.definitions, stored.findings) = (remaining, stored.findings + findings)
        return stored
    }
}

/// A table that is not restored, because a definition cannot be used.
struct DefinitionFailure: Sendable {
    let unit: DefinitionScript.Unit
    /// What is wrong with its own definition.
    var problems: [Finding] = []
    /// What it needs, when that is to blame.
    var cause: DefinitionScript.Unit?
    /// It stops everything.
    let isStrict: Bool

    /// The failure of a job.
    func jobFailure(_ job: JobID) -> JobFailure {
        guard let cause else { return JobFailure(job, problems: problems) }
        let name = cause.table == nil ? "the schema \(cause.label)" : cause.label
        return JobFailure(job, message: "not restored, because it depends on \(name), which failed")
    }
}

import Postgres

/// Finds the definitions of tables that are included by foreign keys, which the target does not have yet.
///
/// References are read from the definitions themselves. The place of a table's file depends on which table refers to it first,
/// so all places are searched.
struct DependencyDefinitions {
    /// A table that an entry names and whose references are followed.
    struct Owner {
        /// The position of its entry.
        let entry: Int
        let unit: DefinitionScript.Unit
        /// What stands for it in the paths of the backup.
        let component: PathComponent
    }

    /// A table that is referred to, with the entry that would have named it at one of its places.
    struct Candidate {
        let unit: DefinitionScript.Unit
        let entry: RestoreEntry
    }

    private let owners: [Owner]
    private let entries: [RestoreEntry]
    /// The listed tables that no entry names.
    private let unnamed: [PathComponent: DefinitionScript.Unit]
    /// The full names of all listed tables.
    private let names: Set<PathComponent>
    private var tried: Set<Attempt> = []
    /// Those of them that were found.
    private var found: Set<PathComponent> = []

    /// A table that was looked for below another one's place.
    private struct Attempt: Hashable {
        let entry: Int
        let owner: PathComponent
        let table: PathComponent
    }

    /// - Parameters:
    ///   - owners: All tables that entries name.
    ///   - entries: The restore's entries.
    ///   - units: All tables that the backup lists.
    init(owners: [Owner], entries: [RestoreEntry], units: [DefinitionScript.Unit]) {
        let named = Set(owners.map(\.unit.component))
        self.owners = owners.filter { entries[$0.entry].options.followsForeignKeys }
        self.entries = entries
        unnamed = Dictionary(
            units.filter { !named.contains($0.component) }.map { ($0.component, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        names = Set(units.map(\.component))
    }

    /// The places to look at next.
    ///
    /// - Parameter scripts: What was read so far, by the table.
    /// - Returns: Places that were not named before, of tables that were not found.
    /// - Throws: `StorageError` for a location that is not a path.
    mutating func next(_ scripts: [PathComponent: [DefinitionScript]]) throws -> [Candidate] {
        guard !owners.isEmpty, !unnamed.isEmpty else { return [] }
        let references = scripts.mapValues { scripts in scripts.flatMap(referenced) }
        var candidates: [Candidate] = []
        for owner in owners {
            var reached = [owner.unit.component]
            var seen = Set(reached)
            var index = 0
            while index < reached.count {
                for name in references[reached[index], default: []] where seen.insert(name).inserted {
                    reached.append(name)
                }
                index += 1
            }
            for name in reached.dropFirst() where !found.contains(name) {
                let attempt = Attempt(entry: owner.entry, owner: owner.unit.component, table: name)
                guard let unit = unnamed[name], tried.insert(attempt).inserted else { continue }
                let places = try entries[owner.entry].options.places(
                    of: QualifiedName(schema: unit.schema, name: unit.table ?? "").description,
                    below: owner.component
                )
                candidates += places.map { options in
                    var entry = entries[owner.entry]
                    entry.options = options
                    return Candidate(unit: unit, entry: entry)
                }
            }
        }
        return candidates
    }

    /// Takes note of a table that was found at one of its places.
    ///
    /// - Returns: False when it was found before.
    mutating func find(_ candidate: Candidate) -> Bool {
        found.insert(candidate.unit.component).inserted
    }

    /// The listed tables whose names follow `REFERENCES` in a foreign key.
    private func referenced(by script: DefinitionScript) -> [PathComponent] {
        script.definitions.flatMap { definition in
            let tokens = SQLStatements.tokens(definition.sql.utf8)
            return tokens.indices.compactMap { index -> PathComponent? in
                guard tokens[index].elementsEqual("REFERENCES".utf8), index + 3 < tokens.count,
                    tokens[index + 2].elementsEqual(".".utf8), let schema = SQLStatements.identifier(tokens[index + 1]),
                    let table = SQLStatements.identifier(tokens[index + 3])
                else { return nil }
                let unit = DefinitionScript.Unit(
                    schema: String(decoding: schema, as: UTF8.self),
                    table: String(decoding: table, as: UTF8.self)
                )
                return names.contains(unit.component) ? unit.component : nil
            }
        }
    }
}

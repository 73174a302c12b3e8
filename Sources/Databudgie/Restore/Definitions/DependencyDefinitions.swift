import Postgres

/// Finds the definitions of tables that come along (`follow_foreign_keys`), of which the target knows nothing yet.
///
/// References are read from the definitions themselves. Where a table's file lies depends on who refers to it first, so
/// that all places are looked at.
struct DependencyDefinitions {
    /// A table that an entry names and whose references are followed.
    struct Owner {
        /// The position of its entry.
        let entry: Int
        let unit: DefinitionScript.Unit
    }

    /// A table that is referred to, with the entry that would have named it at one of its places.
    struct Candidate {
        let unit: DefinitionScript.Unit
        let entry: RestoreEntry
    }

    private let owners: [Owner]
    private let entries: [RestoreEntry]
    /// The listed tables that no entry names.
    private let unnamed: [String: DefinitionScript.Unit]
    /// The names of all listed tables, by each of the ways in which pg_dump may write them.
    private let names: [String: String]
    private var tried: Set<String> = []

    /// - Parameters:
    ///   - owners: All tables that entries name.
    ///   - entries: The restore's entries.
    ///   - units: All tables that the backup lists.
    init(owners: [Owner], entries: [RestoreEntry], units: [DefinitionScript.Unit]) {
        let named = Set(owners.map(\.unit.pathName))
        self.owners = owners.filter { entries[$0.entry].options.followForeignKeys }
        self.entries = entries
        unnamed = Dictionary(
            units.filter { !named.contains($0.pathName) }.map { ($0.pathName, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let written = units.flatMap { unit -> [(String, String)] in
            let (schema, table) = (unit.schema, unit.table ?? "")
            return [schema, quotedIdentifier(schema)].flatMap { schema in
                [table, quotedIdentifier(table)].map { ("\(schema).\($0)", unit.pathName) }
            }
        }
        names = Dictionary(written, uniquingKeysWith: { first, _ in first })
    }

    /// The places to look at next.
    ///
    /// - Parameter scripts: What was read so far, by the table's full name.
    /// - Returns: Places that were not named before, of tables that are not among the scripts.
    mutating func next(_ scripts: [String: [DefinitionScript]]) -> [Candidate] {
        guard !owners.isEmpty, !unnamed.isEmpty else { return [] }
        let references = scripts.mapValues { scripts in scripts.flatMap(referenced) }
        var candidates: [Candidate] = []
        for owner in owners {
            var reached = [owner.unit.pathName]
            var seen = Set(reached)
            var index = 0
            while index < reached.count {
                for name in references[reached[index], default: []] where seen.insert(name).inserted {
                    reached.append(name)
                }
                index += 1
            }
            for name in reached.dropFirst() where scripts[name] == nil {
                guard let unit = unnamed[name], tried.insert("\(owner.entry) \(owner.unit.pathName) \(name)").inserted
                else { continue }
                var entry = entries[owner.entry]
                entry.options = entry.options.placed(name, below: owner.unit.pathName)
                candidates.append(Candidate(unit: unit, entry: entry))
            }
        }
        return candidates
    }

    /// What stands between `REFERENCES` and the columns in a foreign key, where it is a listed table.
    private func referenced(by script: DefinitionScript) -> [String] {
        script.blocks.flatMap { block in
            block.sql.split(separator: "REFERENCES ").dropFirst().compactMap { text in
                names[String(text.prefix { $0 != "(" })]
            }
        }
    }
}

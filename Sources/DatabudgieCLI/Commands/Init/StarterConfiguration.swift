import Databudgie

/// A first configuration for a database, as text to be read and changed by a person.
struct StarterConfiguration: Sendable {
    let outline: DatabaseOutline
    /// Where the files go, as ``location`` of the file has it: with `{table}`.
    let location: String
    /// The file beside the configuration is written, too, so that it can be named.
    var hasSchema = true

    /// The file beside the configuration from which editors know its keys.
    static let schemaName = "databudgie.schema.json"

    /// The most names in one comment.
    private static let mostNames = 5

    /// The configuration in YAML.
    var text: String {
        let values = [source, target, tables, files, definitions, subset, masking]
        let parts = [head, ConfigurationText.notes(for: values.flatMap(\.self))] + values
        return parts.filter { !$0.isEmpty }.map { $0.map { $0 + "\n" }.joined() }.joined(separator: "\n")
    }

    /// The environment variables that the configuration wants, each for one secret of the connection.
    var variables: [String] { outline.connection.filter { $0.value == nil }.map(variable) }

    private func variable(_ secret: DatabaseOutline.Keyword) -> String { "PG" + secret.name.uppercased() }

    // MARK: Its parts

    private var head: [String] {
        // The language server that all editors use for YAML reads this line.
        var lines = hasSchema ? ["# yaml-language-server: $schema=\(Self.schemaName)"] : []
        lines += comment(
            "A first configuration for the database \(visible(outline.database)) (Postgres \(outline.majorVersion)), written by "
                + "'databudgie init'. It runs as it is; 'databudgie config --schema' prints what each key means."
        )
        guard !outline.schemas.isEmpty else { return lines + comment("The database has no tables yet.") }
        lines.append("#")
        for schema in outline.schemas {
            let readable = schema.tables.filter(\.isReadable)
            let excluded = schema.tables.count - readable.count
            var line = "\(visible(schema.name)): \(HumanNumber.count(readable.count, "table"))"
            if !readable.isEmpty { line += ", \(Self.size(of: readable))" }
            if excluded > 0 { line += ", and \(HumanNumber.count(excluded)) excluded" }
            let largest = readable.prefix(3).compactMap { table in
                table.bytes.map { "\(visible(table.name.name)) \(HumanNumber.bytes($0))" }
            }
            if readable.count > 1, !largest.isEmpty { line += "; the largest: \(largest.joined(separator: ", "))" }
            lines += comment(line)
        }
        return lines
    }

    /// The tables that a backup with this configuration exports.
    var exported: [DatabaseOutline.Table] { outline.schemas.flatMap(\.tables).filter(\.isReadable) }

    /// The size of tables together, as far as it is known.
    static func size(of tables: [DatabaseOutline.Table]) -> String {
        let known = tables.compactMap(\.bytes)
        guard !known.isEmpty || tables.isEmpty else { return "size unknown" }
        return (known.count < tables.count ? "at least " : "") + HumanNumber.bytes(known.reduce(0, +))
    }

    private var source: [String] {
        ["backup:"] + comment("Where tables are read. A standby and a role with nothing but SELECT are enough.", "  ")
            + ["  url:"] + url("    ") + connectionVariables
    }

    /// What the connection takes from the environment beside the file.
    private var connectionVariables: [String] {
        let names = outline.connectionVariables
        guard !names.isEmpty else { return [] }
        let them = names.count == 1 ? "it" : "them"
        return comment(
            "The connection also used \(names.joined(separator: ", ")): set \(them) wherever this runs, under cron, too.",
            "    "
        )
    }

    /// libpq's keywords as the parts of an SQLAlchemy URL, which need no percent-encoding.
    private func url(_ indent: String) -> [String] {
        let names = ["user": "username", "dbname": "database", "host": "host", "port": "port", "password": "password"]
        var lines = ["\(indent)drivername: postgresql"]
        var others: [String] = []
        for keyword in outline.connection {
            let value = keyword.value.map(ConfigurationText.quoted) ?? "<% ENV[\(variable(keyword))] %>"
            if let name = names[keyword.name] {
                lines.append("\(indent)\(name): \(value)")
            } else {
                others.append("\(indent)  \(keyword.name): \(value)")
            }
        }
        return lines + (others.isEmpty ? [] : ["\(indent)query:"] + others)
    }

    private var target: [String] {
        ["restore:"]
            + comment(
                "Where copies go: 'databudgie restore --url URL', or write it here; without a URL nothing is restored.",
                "  "
            )
            + ["  # url: postgresql://localhost/\(Self.isPlain(outline.database) ? outline.database : "shop")_copy"]
            + comment(
                "Tables that are there are replaced: with 'ddl' they are dropped and created again, with the privileges of "
                    + "the backup; without it they are emptied, in the transaction that loads them.",
                "  "
            )
            + ["  truncate: true"]
    }

    private var tables: [String] {
        var lines = ["tables:"]
        for schema in outline.schemas {
            lines.append("  - name: \(ConfigurationText.quoted(Self.glob(schema.name) + ".*"))")
        }
        if outline.schemas.isEmpty { lines.append("  - name: \"public.*\"") }
        if !outline.unreadable.isEmpty {
            lines += comment("Not readable for the role \(visible(outline.user)): GRANT SELECT, then remove them here.")
            lines.append("exclude:")
            lines += outline.unreadable.map {
                "  - \(ConfigurationText.quoted(Self.glob($0.schema) + "." + Self.glob($0.name)))"
            }
        }
        if !outline.views.isEmpty {
            lines += comment("Views are not found by globs; name one to export its rows: \(names(outline.views)).")
        }
        for cycle in outline.cycles.prefix(Self.mostNames) {
            lines += comment("These refer to one another, and are restored in one transaction: \(names(cycle)).")
        }
        return lines
    }

    private var files: [String] {
        [
            "location: \(ConfigurationText.quoted(location))",
            "compression: gzip",
        ]
    }

    private var definitions: [String] {
        if let problem = outline.definitionProblem {
            return comment("Without definitions of the tables a copy needs a schema of its own: \(problem).") + [
                "ddl: false"
            ]
        }
        var lines = comment("Definitions of the tables, too: a copy needs no schema of its own.") + ["ddl: true"]
        if !outline.extensions.isEmpty {
            let extensions = outline.extensions.map(visible).joined(separator: ", ")
            lines += comment("A server that copies go to must have these extensions: \(extensions).")
        }
        return lines
    }

    private var subset: [String] {
        guard let tenant = outline.tenants.first else { return [] }
        let key = YAMLText.quoted(tenant.root.label)
        return comment(
            "Only some rows, and all that belongs to them: \(HumanNumber.count(tenant.tables, "table")) "
                + "have a column \(visible(tenant.column)) that refers to \(visible(tenant.root.label))."
        ) + ["# subset:", "#   start:", "#     \(key): {sample: 1%}"]
    }

    private var masking: [String] {
        comment(
            "Personal data is masked inside the server: 'databudgie mask suggest' prints rules for 'masking', for example:"
        ) + ["# masking:", "#   columns:", "#     \"*.email\": email"]
    }

    // MARK: Texts

    /// Lines of at most 100 characters, without anything that ends a line or that YAML does not have.
    private func comment(_ text: String, _ indent: String = "") -> [String] {
        var lines: [String] = []
        var line = "\(indent)#"
        for word in text.split(whereSeparator: \.isWhitespace).map({ String($0).escapedForTerminal }) {
            if line.count + word.count + 1 > 100 {
                lines.append(line)
                line = "\(indent)#"
            }
            line += " \(word)"
        }
        return lines + [line]
    }

    private func names(_ names: [DatabaseOutline.Name]) -> String {
        let shown = names.prefix(Self.mostNames).map { visible($0.label) }.joined(separator: ", ")
        return names.count > Self.mostNames ? "\(shown) and \(names.count - Self.mostNames) more" : shown
    }

    /// A name in a comment, which a line break would end.
    private func visible(_ name: String) -> String {
        Self.isPlain(name) ? name : YAMLText.quoted(name)
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty
            && name.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
                    .nonspacingMark,
                    .spacingMark, .decimalNumber:
                    true
                default: scalar == "_" || scalar == "." || scalar == "-"
                }
            }
    }

    /// A pattern that matches just the name.
    private static func glob(_ name: String) -> String {
        String(
            name.unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
                ["*", "?", "["].contains(scalar) ? ["[", scalar, "]"] : [scalar]
            }
            .map(Character.init)
        )
    }
}

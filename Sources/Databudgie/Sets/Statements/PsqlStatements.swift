import Postgres
import Storage

/// A script for psql that creates the tables of a set and loads its files, all of them or none.
struct PsqlStatements {
    private let set: StoredSet

    init(_ set: StoredSet) {
        self.set = set
    }

    func pieces() throws -> [String] {
        var names = TakenNames(ignoresCase: false)
        var schemas: Set<ByteKey> = []
        let encoding = set.record.source.map { ByteKey($0.encoding) == ByteKey("SQL_ASCII") ? "SQL_ASCII" : "UTF8" }
        var pieces = [
            "set \(set.record.id), for psql".asComment,
            "\\set ON_ERROR_STOP on\n\\encoding \(encoding ?? "UTF8")\nbegin;\n",
        ]
        for table in set.record.tables {
            guard let file = table.file else { continue }
            guard !table.hasUnknownColumns else {
                pieces.append("\(table.label): the record does not say which columns it has".asComment)
                continue
            }
            if let schema = table.schema, schemas.insert(ByteKey(schema)).inserted {
                pieces.append("create schema if not exists \(quotedIdentifier(schema));\n")
            }
            let name = names.take(table.name ?? "query", in: table.schema)
            guard let source = Self.source(try set.path(of: file.path), file.compression) else {
                pieces.append("\(table.label): psql cannot read a path with a line break".asComment)
                continue
            }
            pieces.append(Self.statements(table, table.schema, name, source))
        }
        return pieces + ["commit;\n"]
    }

    private static func statements(
        _ table: SetRecord.Table,
        _ schema: String?,
        _ name: String,
        _ source: String
    ) -> String {
        let relation = (schema.map { quotedIdentifier($0) + "." } ?? "") + quotedIdentifier(name)
        // A command of psql ends with its line, so a name with a line break is given afterwards.
        let isOnOneLine = !relation.utf8.contains { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        let temporary = isOnOneLine ? relation : quotedIdentifier("databudgie_copy")
        var text = """
            create table \(temporary) (\(columns(table)));
            \\copy \(temporary) from \(source) with (format csv, header true)

            """
        if !isOnOneLine {
            var place = temporary
            if let schema {
                text += "alter table \(temporary) set schema \(quotedIdentifier(schema));\n"
                place = quotedIdentifier(schema) + "." + temporary
            }
            text += "alter table \(place) rename to \(quotedIdentifier(name));\n"
        }
        guard let rows = table.rows else { return text }
        let message = "\(table.label): the file does not have the \(rows) rows of the record".replacingBytes(
            of: "%",
            with: "%%"
        )
        let check = """
            begin
                if (select count(*) from \(relation)) <> \(rows) then raise exception \(quotedLiteral(message)); end if;
            end
            """
        return text + "do \(quotedLiteral(check));\n"
    }

    private static func columns(_ table: SetRecord.Table) -> String {
        guard !table.columns.isEmpty else { return "" }
        var names = TakenNames(ignoresCase: false)
        let lines = table.columns.map { column in
            // What is not a type in the record must not become a statement.
            let type = RecordedType(column.type) == nil ? "text" : column.type
            return
                "\n    \(quotedIdentifier(names.take(column.name))) \(type)\(column.notNull == true ? " not null" : "")"
        }
        return lines.joined(separator: ",") + "\n"
    }

    /// What `\copy` reads; nil when its line cannot say it.
    private static func source(_ path: StoragePath, _ compression: String?) -> String? {
        let text = path.description
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) else { return nil }
        let program: String? =
            switch compression.map({ ByteKey($0) }) {
            case ByteKey("gzip"): "gzip -dc"
            case ByteKey("zstd"): "zstd -dcq"
            default: nil
            }
        switch (path, program) {
        case (.local, nil): return text.inSingleQuotes
        case (.local, let program?): return "program " + "\(program) \(shellQuoted(text))".inSingleQuotes
        case (.s3, let program):
            let download = "aws s3 cp --only-show-errors \(shellQuoted(text)) -"
            guard let program else { return "program " + download.inSingleQuotes }
            // A shell without the option would take a download that broke off for the end of the file.
            let line = "set -o pipefail; \(download) | \(program)"
            return "program " + "bash -c \(shellQuoted(line))".inSingleQuotes
        }
    }

    private static func shellQuoted(_ text: String) -> String {
        "'" + text.replacingBytes(of: "'", with: "'\\''") + "'"
    }
}

import Postgres
import Storage

/// Views of DuckDB that read the files of a set.
///
/// All columns are read as text, in which unquoted emptiness is NULL and `""` is not, and then cast. The columns of a file
/// are taken by their place, because DuckDB ignores the case of names.
struct DuckDBStatements {
    private let set: StoredSet

    init(_ set: StoredSet) {
        self.set = set
    }

    func pieces() throws -> [String] {
        var names = TakenNames(ignoresCase: true)
        var schemas: Set<ByteKey> = []
        var pieces = ["set \(set.record.id), for DuckDB".asComment]
        if case .s3 = set.catalog {
            pieces.append("first: INSTALL httpfs; CREATE SECRET (TYPE s3, PROVIDER credential_chain);".asComment)
        }
        for table in set.record.tables {
            guard let file = table.file else { continue }
            if let schema = table.schema, schemas.insert(ByteKey(schema)).inserted {
                pieces.append("create schema if not exists \(quotedIdentifier(schema));\n")
            }
            let name = names.take(table.name ?? "query", in: table.schema)
            let relation = (table.schema.map { quotedIdentifier($0) + "." } ?? "") + quotedIdentifier(name)
            let path = try set.path(of: file.path).description
            pieces.append(Self.view(relation, table, file, path))
        }
        return pieces
    }

    private static func view(
        _ relation: String,
        _ table: SetRecord.Table,
        _ file: SetRecord.DataFile,
        _ path: String
    ) -> String {
        let options = """
            header = true, all_varchar = true, allow_quoted_nulls = false, delim = ',', quote = '"', escape = '"', \
            hive_partitioning = false, compression = '\(compression(file))'
            """
        let source = literal(path)
        guard !table.hasUnknownColumns else {
            return "create or replace view \(relation) as\nselect * from read_csv(\(source), \(options));\n"
        }
        guard !table.columns.isEmpty else {
            return "\(relation) has no columns, and \(table.rows ?? 0) rows".asComment
        }
        let places = table.columns.indices.map { "c\($0 + 1)" }
        let columns = zip(places, table.columns).map { place, column in
            "    \(expression(place, column.type)) as \(quotedIdentifier(column.name))"
        }
        let types = places.map { "'\($0)': 'varchar'" }.joined(separator: ", ")
        return """
            create or replace view \(relation) as
            select
            \(columns.joined(separator: ",\n"))
            from read_csv(\(source), \(options), auto_detect = false, columns = {\(types)});

            """
    }

    private static func compression(_ file: SetRecord.DataFile) -> String {
        switch file.compression.map({ ByteKey($0) }) {
        case ByteKey("gzip"): "gzip"
        case ByteKey("zstd"): "zstd"
        default: "none"
        }
    }

    /// A path as a string in which no character is a wildcard.
    private static func literal(_ path: String) -> String {
        let wildcards = "*?[".utf8
        let bytes = path.utf8.flatMap { byte in
            wildcards.contains(byte) ? [UInt8(ascii: "["), byte, UInt8(ascii: "]")] : [byte]
        }
        return String(decoding: bytes, as: UTF8.self).inSingleQuotes
    }

    /// What makes the value of a column from its text.
    private static func expression(_ place: String, _ type: String) -> String {
        guard let type = RecordedType(type), !type.isArray, let target = target(type) else { return place }
        switch target {
        case "blob": return "unhex(substr(\(place), 3))"
        case "date", "timestamp", "timestamptz":
            // DuckDB has years before Christ in parentheses, after the date.
            return "cast(regexp_replace(\(place), '^(\\S+)(.*) BC$', '\\1 (BC)\\2') as \(target))"
        case "interval": return "cast(replace(\(place), '+', '') as interval)"
        default: return "cast(\(place) as \(target))"
        }
    }

    /// DuckDB's type with the same values; nil when it has none, and the text stays.
    private static func target(_ type: RecordedType) -> String? {
        switch type.name {
        case "boolean", "smallint", "integer", "bigint", "date", "interval", "uuid", "real": type.name
        case "double precision": "double"
        case "oid": "uinteger"
        case "bytea": "blob"
        case "json", "jsonb": "json"
        case "time without time zone": "time"
        case "time with time zone": "timetz"
        case "timestamp without time zone": "timestamp"
        case "timestamp with time zone": "timestamptz"
        case "numeric": decimal(type.arguments)
        default: nil
        }
    }

    /// A decimal number of 38 digits at most; without a precision, Postgres's numbers have more.
    private static func decimal(_ arguments: [Int]) -> String? {
        guard let precision = arguments.first, (1...38).contains(precision) else { return nil }
        let scale = arguments.count > 1 ? arguments[1] : 0
        return (0...precision).contains(scale) ? "decimal(\(precision),\(scale))" : nil
    }
}

import Foundation

/// What pg_restore prints for an archive of definitions.
enum ArchiveScript {
    /// The numbers of the entries in what `pg_restore --list` prints.
    static func identifiers(inList list: String) -> Set<Int> {
        Set(
            list.split(separator: "\n").compactMap { line in
                // As in `3343; 2606 16605 CONSTRAINT app part part_pkey postgres`.
                line.hasPrefix(";") ? nil : line.split(separator: ";").first.flatMap { Int($0) }
            }
        )
    }

    /// Takes a script apart that `pg_restore --verbose` printed.
    ///
    /// Each definition has a head of comment lines: `-- TOC entry 226 (class 1259 OID 16626)`, `-- Dependencies: 7`,
    /// `-- Name: par; Type: TABLE; Schema: app; Owner: postgres`. Comments inside a function's text are quoted and do not
    /// count. What the head sets for the session (`SET default_table_access_method = …`) goes to the definitions it is for.
    /// - Parameters:
    ///   - script: The whole script.
    ///   - postData: The numbers of the entries that come after the rows.
    /// - Returns: The definitions in the order of the script.
    static func entries(of script: String, postData: Set<Int>) -> [ArchiveEntry] {
        let bytes = Array(script.utf8)
        var lexer = SQLLexer(bytes)
        var entries: [ArchiveEntry] = []
        var head = Head()
        var bodyStart: Int?
        var accessMethod = "heap"
        func finish(at end: Int) {
            guard let start = bodyStart else { return }
            bodyStart = nil
            let body = Body(String(decoding: bytes[start..<end], as: UTF8.self))
            entries.append(head.entry(body, accessMethod: accessMethod, postData: postData))
            accessMethod = body.nextAccessMethod ?? accessMethod
            head = Head()
        }
        while let token = lexer.next() {
            guard case .comment(let range) = token else { continue }
            finish(at: range.lowerBound)
            if head.read(String(decoding: bytes[range], as: UTF8.self)) { bodyStart = range.upperBound }
        }
        finish(at: bytes.count)
        return entries
    }
}

/// The comment lines before a definition.
private struct Head {
    private var identifier: Int?
    private var catalog: UInt32 = 0
    private var oid: UInt32 = 0
    private var dependencies: [Int] = []
    private var name = ""
    private var type = ""
    private var schema = ""

    /// Reads a line; true when it was the last one.
    mutating func read(_ line: String) -> Bool {
        if line.hasPrefix("-- TOC entry ") {
            let numbers = line.split { !$0.isNumber }.compactMap { UInt32($0) }
            guard numbers.count == 3 else { return false }
            (identifier, catalog, oid) = (Int(numbers[0]), numbers[1], numbers[2])
        } else if line.hasPrefix("-- Dependencies: ") {
            dependencies = line.dropFirst(17).split(separator: " ").compactMap { Int($0) }
        } else if line.hasPrefix("-- Name: ") {
            // From the end, as a name may hold anything.
            var rest = line.dropFirst(9)
            func cut(_ label: String) -> String {
                guard let range = rest.range(of: label, options: .backwards) else { return "" }
                defer { rest = rest[..<range.lowerBound] }
                return String(rest[range.upperBound...])
            }
            _ = cut("; Owner: ")
            schema = cut("; Schema: ")
            if schema == "-" { schema = "" }
            type = cut("; Type: ")
            name = String(rest)
        } else if line == "--", identifier != nil {
            return true
        }
        return false
    }

    func entry(_ body: Body, accessMethod: String, postData: Set<Int>) -> ArchiveEntry {
        let isStored = ["TABLE", "MATERIALIZED VIEW"].contains(type)
        let prefix = isStored && accessMethod != "heap" ? "SET default_table_access_method = \(accessMethod);\n" : ""
        let suffix = prefix.isEmpty ? "" : "\nSET default_table_access_method = DEFAULT;"
        return ArchiveEntry(
            identifier: identifier ?? 0,
            catalog: catalog,
            oid: oid,
            dependencies: dependencies,
            type: type,
            name: name,
            schema: schema,
            section: postData.contains(identifier ?? 0) ? .postData : .preData,
            sql: prefix + body.sql + suffix,
            ownerSQL: body.ownerSQL
        )
    }
}

/// The statements of a definition, its owner and the session's settings for the next one taken off.
private struct Body {
    let sql: String
    let ownerSQL: String?
    let nextAccessMethod: String?

    init(_ text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var nextAccessMethod: String?
        func dropEmpty() { while lines.last?.isEmpty == true { lines.removeLast() } }
        dropEmpty()
        while let last = lines.last, last.hasPrefix("SET default_table") {
            let setting = "SET default_table_access_method = "
            if last.hasPrefix(setting) { nextAccessMethod = String(last.dropFirst(setting.count).dropLast()) }
            lines.removeLast()
            dropEmpty()
        }
        var ownerSQL: String?
        if let last = lines.last, last.contains(" OWNER TO "), last.hasSuffix(";"),
            let start = lines.lastIndex(where: { $0.hasPrefix("ALTER ") })
        {
            // More than one line where a name has a line break.
            ownerSQL = lines[start...].joined(separator: "\n")
            lines.removeSubrange(start...)
            dropEmpty()
        }
        sql = lines.drop { $0.isEmpty }.joined(separator: "\n")
        self.ownerSQL = ownerSQL
        self.nextAccessMethod = nextAccessMethod
    }
}

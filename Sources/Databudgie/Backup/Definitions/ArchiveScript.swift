/// What pg_restore prints for an archive of definitions.
enum ArchiveScript {
    /// Takes a script apart that `pg_restore --verbose` printed.
    ///
    /// Each definition has a head of comment lines: `-- TOC entry 226 (class 1259 OID 16626)`, `-- Dependencies: 7`,
    /// `-- Name: par; Type: TABLE; Schema: app; Owner: postgres`. Only comments between two statements count, and only
    /// heads of entries that the table of contents has: names and texts of users can neither forge a head nor shift one.
    /// What the script sets for the session (`SET default_table_access_method = …`) is added to the definitions that it is for.
    /// - Parameters:
    ///   - script: The whole script.
    ///   - contents: The archive's table of contents.
    ///   - postData: The numbers of the entries that come after the rows.
    ///   - oddSchemas: The schemas that a head cannot say for certain.
    /// - Returns: The definitions in the order of the script.
    /// - Throws: ``DatabudgieError`` that names the definition which cannot be distinguished from the others for certain.
    static func entries(
        of script: String,
        contents: ArchiveContents,
        postData: Set<Int>,
        oddSchemas: [DefinitionOwners.Object: String] = [:]
    ) throws -> [ArchiveEntry] {
        let bytes = Array(script.utf8)
        var pieces = SQLPieces(bytes)
        var reader = ArchiveReader(contents: contents, postData: postData, oddSchemas: oddSchemas)
        while let piece = pieces.next() {
            switch piece {
            case .comment(let range): try reader.readComment(bytes[range])
            case .statement(let range): try reader.readStatement(bytes[range])
            case .command(let range): try reader.readCommand(bytes[range])
            }
        }
        guard !pieces.isUnfinished else { throw reader.damaged("a literal or a comment in it has no end") }
        return try reader.finish()
    }
}

/// Collects the definitions of a script piece by piece.
private struct ArchiveReader {
    let contents: ArchiveContents
    let postData: Set<Int>
    let oddSchemas: [DefinitionOwners.Object: String]
    /// The schemas of the entries that were read, as their heads print them.
    private var schemas: [Int: [UInt8]] = [:]
    private var entries: [ArchiveEntry] = []
    private var known: Set<Int> = []
    /// The head whose lines are being read, or whose statements are.
    private var head: ArchiveHead?
    private var isInHead = false
    private var isAfterRule = false
    private var statements: [ArraySlice<UInt8>] = []
    private var accessMethod: [UInt8]?

    init(contents: ArchiveContents, postData: Set<Int>, oddSchemas: [DefinitionOwners.Object: String]) {
        self.oddSchemas = oddSchemas
        self.contents = contents
        self.postData = postData
    }

    mutating func readComment(_ line: ArraySlice<UInt8>) throws {
        let isRule = line.elementsEqual("--".utf8)
        defer { isAfterRule = isRule }
        if isInHead {
            if isRule { isInHead = false } else { try head?.read(line) }
        } else if isAfterRule, let next = ArchiveHead(line, contents) {
            try finishEntry()
            guard known.insert(next.number).inserted else { throw damaged("it is in the archive twice") }
            (head, isInHead) = (next, true)
        }
    }

    mutating func readStatement(_ statement: ArraySlice<UInt8>) throws {
        isAfterRule = false
        guard !isInHead else { throw damaged("its head has no end") }
        if head != nil { statements.append(statement) }
    }

    mutating func readCommand(_ command: ArraySlice<UInt8>) throws {
        guard SQLStatements.isRestriction(command) else { throw damaged("it contains a command of psql") }
    }

    mutating func finish() throws -> [ArchiveEntry] {
        try finishEntry()
        // What pg_restore sets at the top of a script.
        let settings = ["ENCODING ", "STDSTRINGS ", "SEARCHPATH "].map(\.utf8)
        let missing = contents.lines.filter { number, line in
            !known.contains(number) && !settings.contains { line.description.starts(with: $0) }
        }
        if let line = missing.min(by: { $0.key < $1.key })?.value {
            throw ArchiveHead.damaged(String(decoding: line.description, as: UTF8.self), "pg_restore did not print it")
        }
        return entries
    }

    private mutating func finishEntry() throws {
        guard let head else { return }
        let title = try head.title(contents, schema: expectedSchema(of: head))
        schemas[head.number] = title.schema
        let body = ArchiveBody(statements, owner: title.owner)
        entries.append(
            head.entry(title, body, accessMethod: accessMethod, isPostData: postData.contains(head.number))
        )
        accessMethod = body.nextAccessMethod ?? accessMethod
        (self.head, statements) = (nil, [])
    }

    /// The schema that the catalog has for an entry; nil when it is no odd one, or when nothing is known about it.
    private func expectedSchema(of head: ArchiveHead) -> ArchiveHead.ExpectedSchema {
        guard head.object.oid != 0 else {
            // A comment or a privilege is in the schema of what it is for.
            return head.dependencies.first.flatMap { schemas[$0] }.map { .known($0) } ?? .unknown
        }
        return oddSchemas[head.object].map { .known(ArchiveHead.onOneLine($0.utf8)) } ?? .ordinary
    }

    /// An error that names the definition that was read last.
    func damaged(_ reason: String) -> DatabudgieError {
        head?.damaged(reason, contents) ?? ArchiveHead.damaged("the archive", reason)
    }
}

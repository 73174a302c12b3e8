/// The comment lines before a definition in a script of pg_restore.
struct ArchiveHead {
    /// The number that the table of contents has for the definition.
    let number: Int
    /// Its row in a catalog.
    let object: DefinitionOwners.Object
    /// The numbers of what it depends on.
    private(set) var dependencies: [Int] = []
    private var description: [UInt8]?

    /// Begins a head with its first line; nil for any other comment, and for what the table of contents does not have.
    ///
    /// - Parameters:
    ///   - line: A comment, as in `-- TOC entry 226 (class 1259 OID 16626)`.
    ///   - contents: What the archive has.
    init?(_ line: ArraySlice<UInt8>, _ contents: ArchiveContents) {
        guard line.starts(with: "-- TOC entry ".utf8) else { return nil }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let numbers = line.split { !digits.contains($0) }.compactMap(ArchiveContents.number)
        guard numbers.count == 3, let listed = contents.lines[Int(numbers[0])],
            listed.catalog == numbers[1], listed.oid == numbers[2]
        else { return nil }
        number = Int(numbers[0])
        object = DefinitionOwners.Object(catalog: numbers[1], oid: numbers[2])
    }

    /// Reads one of the lines that follow.
    mutating func read(_ line: ArraySlice<UInt8>) throws {
        let (dependenciesLabel, nameLabel) = ("-- Dependencies: ".utf8, "-- Name: ".utf8)
        if line.starts(with: dependenciesLabel) {
            dependencies = line.dropFirst(dependenciesLabel.count).split(separator: UInt8(ascii: " "))
                .compactMap { ArchiveContents.number($0).map { Int($0) } }
        } else if line.starts(with: nameLabel), description == nil {
            description = Array(line.dropFirst(nameLabel.count))
        }
    }

    /// What is known about the schema of a definition before its head is read.
    enum ExpectedSchema {
        /// As a head prints it.
        case known([UInt8])
        /// A schema without anything that could separate the parts of a head.
        case ordinary
        case unknown
    }

    /// A name as pg_restore prints it, with spaces for line breaks.
    static func onOneLine(_ name: some Sequence<UInt8>) -> [UInt8] {
        name.map { SQLLexer.isLineBreak($0) ? UInt8(ascii: " ") : $0 }
    }

    /// What the head says.
    ///
    /// Whoever creates objects can give one a name that makes its head ambiguous: the catalog then decides.
    /// - Parameters:
    ///   - contents: What the archive has.
    ///   - schema: What is known about the schema.
    /// - Returns: The one way to read the head.
    /// - Throws: ``DatabudgieError`` when there is none, or more than one.
    func title(_ contents: ArchiveContents, schema: ExpectedSchema) throws -> ArchiveContents.Title {
        var titles = contents.titles((description ?? [])[...], of: number)
        if titles.count > 1 {
            switch schema {
            case .known(let name): titles = titles.filter { $0.schema == name }
            case .ordinary: titles = titles.filter { $0.schema.firstRange(of: Array("; ".utf8)) == nil }
            case .unknown: break
            }
        }
        guard let title = titles.first, titles.count == 1 else {
            throw damaged(
                titles.isEmpty ? "the table of contents says something else" : "its names can be read in several ways",
                contents
            )
        }
        return title
    }

    /// The definition with its statements.
    func entry(
        _ title: ArchiveContents.Title,
        _ body: ArchiveBody,
        accessMethod: [UInt8]?,
        isPostData: Bool
    ) -> ArchiveEntry {
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
        let type = text(title.type)
        var sql = body.sql
        if let accessMethod, !accessMethod.elementsEqual("heap".utf8), ["TABLE", "MATERIALIZED VIEW"].contains(type) {
            sql =
                "SET default_table_access_method = \(text(accessMethod));\n" + sql
                + "\nSET default_table_access_method = DEFAULT;"
        }
        return ArchiveEntry(
            identifier: number,
            catalog: object.catalog,
            oid: object.oid,
            dependencies: dependencies,
            type: type,
            name: text(title.name),
            schema: title.schema.elementsEqual("-".utf8) ? "" : text(title.schema),
            section: isPostData ? .postData : .preData,
            sql: sql,
            ownerSQL: body.ownerSQL
        )
    }

    /// An error that names the definition.
    func damaged(_ reason: String, _ contents: ArchiveContents) -> DatabudgieError {
        let name = contents.lines[number].map { String(decoding: $0.description, as: UTF8.self) }
        return Self.damaged(name ?? "entry \(number)", reason)
    }

    /// An error that names a definition.
    static func damaged(_ name: String, _ reason: String) -> DatabudgieError {
        DatabudgieError(
            .database,
            "the definition '\(name)' in the output of pg_dump cannot be backed up: \(reason)",
            hint: "rename the object, or turn ddl off"
        )
    }
}

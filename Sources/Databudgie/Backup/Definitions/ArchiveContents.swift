/// The table of contents of an archive, as `pg_restore --list` prints it.
struct ArchiveContents: Sendable {
    /// A line of it, as in `3343; 2606 16605 CONSTRAINT app part part_pkey postgres`.
    struct Line: Sendable, Equatable {
        let catalog: UInt32
        let oid: UInt32
        /// Type, schema, name and owner, separated by spaces, of which each but the type may have some itself.
        let description: [UInt8]
    }

    /// What the head of a definition says about it.
    struct Title: Hashable, Sendable {
        let type: [UInt8]
        /// `-` for what is in no schema.
        let schema: [UInt8]
        let name: [UInt8]
        /// `-` or empty for what has no owner.
        let owner: [UInt8]
    }

    /// By the numbers of the entries.
    let lines: [Int: Line]

    /// - Parameter list: What `pg_restore --list` printed.
    init(_ list: String) {
        var lines: [Int: Line] = [:]
        for line in list.utf8.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: ";") {
            let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count == 4, parts[0].last == UInt8(ascii: ";"), let number = Self.number(parts[0].dropLast()),
                let catalog = Self.number(parts[1]), let oid = Self.number(parts[2])
            else { continue }
            lines[Int(number)] = Line(catalog: catalog, oid: oid, description: Array(parts[3]))
        }
        self.lines = lines
    }

    /// Reads a decimal number.
    static func number(_ digits: some Collection<UInt8>) -> UInt32? {
        UInt32(String(decoding: digits, as: UTF8.self))
    }

    /// Reads a head, `NAME; Type: TYPE; Schema: SCHEMA; Owner: OWNER`.
    ///
    /// Names may contain the words of a head, and spaces; a reading counts only when the table of contents has the same
    /// parts in its own order.
    /// - Parameters:
    ///   - head: What follows `-- Name: `.
    ///   - number: The entry that it is the head of.
    /// - Returns: All readings that fit: one, or more when names were chosen to make them ambiguous.
    func titles(_ head: ArraySlice<UInt8>, of number: Int) -> Set<Title> {
        guard let description = lines[number]?.description else { return [] }
        let (typeLabel, schemaLabel, ownerLabel) = ("; Type: ".utf8, "; Schema: ".utf8, "; Owner: ".utf8)
        var titles: Set<Title> = []
        for typeStart in Self.places(of: typeLabel, in: head) {
            let afterName = head[(typeStart + typeLabel.count)...]
            // Types are capitals and spaces only.
            guard let schemaStart = afterName.firstIndex(of: UInt8(ascii: ";")),
                head[schemaStart...].starts(with: schemaLabel)
            else { continue }
            let type = afterName[..<schemaStart]
            guard description.starts(with: type + [UInt8(ascii: " ")]) else { continue }
            let afterType = head[(schemaStart + schemaLabel.count)...]
            for ownerStart in Self.places(of: ownerLabel, in: afterType) {
                let owner = afterType[(ownerStart + ownerLabel.count)...]
                let title = Title(
                    type: Array(type),
                    schema: Array(afterType[..<ownerStart]),
                    name: Array(head[..<typeStart]),
                    owner: Array(owner)
                )
                if title.isListed(as: description) { titles.insert(title) }
            }
        }
        return titles
    }

    private static func places(of label: String.UTF8View, in text: ArraySlice<UInt8>) -> [Int] {
        text.indices.filter { text[$0] == UInt8(ascii: ";") && text[$0...].starts(with: label) }
    }
}

extension ArchiveContents.Title {
    /// Whether the table of contents prints it so.
    fileprivate func isListed(as description: [UInt8]) -> Bool {
        // There a missing owner is not a hyphen; a role may have that name.
        let owners = owner.elementsEqual("-".utf8) ? [[], owner] : [owner]
        return owners.contains { owner in
            Array([type, schema, name, owner].joined(separator: [UInt8(ascii: " ")])) == description
        }
    }
}

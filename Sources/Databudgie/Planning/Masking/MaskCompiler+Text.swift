import Postgres

/// Masks of texts.
extension MaskCompiler {
    /// An empty text stays empty.
    private static func keepingEmpty(_ value: MaskedValue, _ expression: String) -> String {
        "case when \(MaskSQL.compare(value.text, "=", "''")) then '' else \(expression) end"
    }

    mutating func email(_ mask: Mask, _ value: MaskedValue) -> String {
        let digits = MaskSQL.call("encode", MaskSQL.call("substr", hash(mask, value), "1", "8"), "'hex'")
        let shown =
            value.emailDigits == MaskRoom.emailDigits ? digits : MaskSQL.call("left", digits, "\(value.emailDigits)")
        return Self.keepingEmpty(value, MaskSQL.joined("'u'", shown, "'@example.com'"))
    }

    mutating func name(_ kind: NameKind, _ mask: Mask, _ value: MaskedValue) -> String {
        let hash = hash(mask, value)
        func entry(_ kind: NameKind, _ hash: String, _ place: Int) -> String {
            let list = NameLists.list(kind, mask.locale)
            // Elements of a fixed length are found at once; those of text[] are counted off.
            let array = "\(list.literal)::pg_catalog.name[]"
            return MaskSQL.cast(Self.entry(of: array, list.count, hash, at: place), "text")
        }
        switch kind {
        case .firstName: return entry(.firstName, hash, Place.firstName)
        case .lastName: return entry(.lastName, hash, Place.lastName)
        case .city, .street, .company: return entry(kind, hash, Place.other)
        case .fullName:
            let alias = alias()
            let name = MaskSQL.joined(
                entry(.firstName, "\(alias).h", Place.firstName),
                "' '",
                entry(.lastName, "\(alias).h", Place.lastName)
            )
            return "(select \(name) from (select \(hash) as h offset 0) as \(alias))"
        }
    }

    /// The longest text whose characters are masked one by one, without a subselect for them: as long as a hash.
    private static let shortLength = 32

    /// Other digits, and with them other letters, each by the byte of the hash at its place; the length stays.
    ///
    /// Most texts are short and have nothing but ASCII; for them the bytes alone will do, in a third of the time.
    mutating func characters(_ mask: Mask, _ value: MaskedValue, letters: Bool) -> String {
        let (source, parts) = (alias(), alias())
        let hash = hashOfValue(mask, value)
        let bytes = MaskSQL.call("convert_to", value.text, "'UTF8'")
        let length = MaskSQL.call("length", "\(source).b")
        let isShort = MaskSQL.binary(length, "<=", "\(Self.shortLength)")
        let isASCII = MaskSQL.binary(length, "=", MaskSQL.call("length", "\(source).v"))
        return Self.keepingEmpty(
            value,
            "(select case when \(isShort) and \(isASCII) then \(Self.bytes(of: source, letters: letters)) "
                + "else \(Self.characters(of: source, parts, letters: letters)) end "
                + "from (select \(hash) as h, \(bytes) as b, \(value.text) as v offset 0) as \(source))"
        )
    }

    /// The masks of the bytes `b` by those of the hash `h`, one after another.
    private static func bytes(of source: String, letters: Bool) -> String {
        let length = MaskSQL.call("length", "\(source).b")
        let characters = (0..<shortLength).map { place in
            let byte = MaskSQL.call("get_byte", "\(source).b", "\(place)")
            let other = MaskSQL.call("get_byte", "\(source).h", "\(place)")
            func turned(_ first: Character, _ count: Int) -> String {
                let start = "\(first.asciiValue ?? 0)"
                let offset = MaskSQL.binary(byte, "-", start)
                // What comes before the first one is far behind the last one then.
                let isMeant = MaskSQL.binary(MaskSQL.binary(offset, "&", "255"), "<", "\(count)")
                let moved = MaskSQL.binary(MaskSQL.binary(offset, "+", other), "%", "\(count)")
                return "when \(isMeant) then \(MaskSQL.binary(start, "+", moved))"
            }
            let cases = [turned("0", 10)] + (letters ? [turned("a", 26), turned("A", 26)] : [])
            let character = MaskSQL.call("chr", "case \(cases.joined(separator: " ")) else \(byte) end")
            return "case when \(MaskSQL.binary(length, ">", "\(place)")) then \(character) end"
        }
        return MaskSQL.call("concat", characters.joined(separator: ", "))
    }

    /// The masks of the characters of `v` by the bytes of the hash `h`, whatever they are and however many.
    private static func characters(of source: String, _ parts: String, letters: Bool) -> String {
        let place = MaskSQL.binary(MaskSQL.binary("\(parts).p", "-", "1"), "%", "32")
        let byte = MaskSQL.call("get_byte", "\(source).h", MaskSQL.cast(place, "int4"))
        func turned(_ first: String, _ last: String, _ count: Int) -> String {
            let start = first.utf8.first ?? 0
            let offset = MaskSQL.binary(MaskSQL.call("ascii", "\(parts).c"), "-", "\(start)")
            let moved = MaskSQL.binary(MaskSQL.binary(offset, "+", byte), "%", "\(count)")
            let lower = MaskSQL.compare("\(parts).c", ">=", "'\(first)'")
            let upper = MaskSQL.compare("\(parts).c", "<=", "'\(last)'")
            return "when \(lower) and \(upper) then \(MaskSQL.call("chr", MaskSQL.binary("\(start)", "+", moved)))"
        }
        var cases = [turned("0", "9", 10)]
        if letters {
            cases += [turned("a", "z", 26), turned("A", "Z", 26)]
            cases.append("when \(MaskSQL.compare("\(parts).c", ">", MaskSQL.call("chr", "127"))) then 'x'")
        }
        let character = "case \(cases.joined(separator: " ")) else \(parts).c end"
        let all = MaskSQL.call("string_agg", character, "'' order by \(parts).p")
        let split = MaskSQL.call("unnest", MaskSQL.call("string_to_array", "\(source).v", "null::pg_catalog.text"))
        return "(select \(all) from \(split) with ordinality as \(parts) (c, p))"
    }

    /// Asterisks; a text with nothing between what is shown is hidden as a whole.
    func redacted(_ first: Int, _ last: Int, _ value: MaskedValue) -> String {
        let length = MaskSQL.call("length", value.text)
        let all = MaskSQL.call("repeat", "'*'", length)
        guard first + last > 0 else { return all }
        let hidden = MaskSQL.call("repeat", "'*'", MaskSQL.binary(length, "-", "\(first + last)"))
        let start = MaskSQL.call("left", value.text, "\(first)")
        let end = MaskSQL.call("right", value.text, "\(last)")
        let isShort = MaskSQL.binary(length, "<=", "\(first + last)")
        return "case when \(isShort) then \(all) else \(MaskSQL.joined(start, hidden, end)) end"
    }

    private static let fillerText = "lorem ipsum dolor sit amet "

    func filler(_ value: MaskedValue) -> String {
        let length = MaskSQL.call("length", value.text)
        let count = MaskSQL.binary(MaskSQL.binary(length, "/", "\(Self.fillerText.utf8.count)"), "+", "1")
        return MaskSQL.call("left", MaskSQL.call("repeat", quotedLiteral(Self.fillerText), count), length)
    }
}

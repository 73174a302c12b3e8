import Postgres

extension QualifiedName {
    /// The name for SQL, each part in quotes only if it needs them, as `quote_ident` of the server writes it.
    var quotedIfNeeded: String { Self.quotedIfNeeded(schema) + "." + Self.quotedIfNeeded(name) }

    /// An identifier, in quotes only if it needs them.
    ///
    /// - Parameter name: The name as the catalog has it.
    /// - Returns: The identifier.
    static func quotedIfNeeded(_ name: String) -> String { isBare(name) ? name : quotedIdentifier(name) }

    /// Whether a name means itself without quotes: lower case letters, digits and `_`, and not a key word.
    static func isBare(_ name: String) -> Bool {
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        func isLetter(_ byte: UInt8) -> Bool { letters.contains(byte) || byte == UInt8(ascii: "_") }
        guard let first = name.utf8.first, isLetter(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || digits.contains($0) } && !keyWords.contains(name)
    }

    /// The key words of PostgreSQL 13 to 18 that are not unreserved (PostgreSQL documentation, appendix C).
    private static let keyWords = Set(
        """
        all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case
        cast char character check coalesce collate collation column concurrently constraint create cross
        current_catalog current_date current_role current_schema current_time current_timestamp current_user dec
        decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign
        freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect
        interval into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query
        json_scalar json_serialize json_table json_value lateral leading least left like limit localtime
        localtimestamp merge_action national natural nchar none normalize not notnull null nullif numeric offset on
        only or order out outer overlaps overlay placing position precision primary real references returning right
        row select session_user setof similar smallint some substring symmetric system_user table tablesample then
        time timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where
        window with xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
        xmlserialize xmltable
        """.split(whereSeparator: \.isWhitespace).map(String.init)
    )
}

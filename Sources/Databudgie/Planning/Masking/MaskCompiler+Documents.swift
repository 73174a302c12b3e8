import Postgres

/// Masks inside arrays and JSON documents.
extension MaskCompiler {
    /// Each element of an array; NULL elements and empty arrays stay.
    mutating func each(_ mask: Mask, _ value: MaskedValue) -> String {
        guard let element = value.type.element else { return "null" }
        let alias = alias()
        let inner = value.element("\(alias).v", element)
        let masked = MaskSQL.keepingNull("\(alias).v", column(mask, inner))
        let all = MaskSQL.call("array_agg", "\(masked) order by \(alias).p")
        let from = "\(MaskSQL.call("unnest", value.sql)) with ordinality as \(alias) (v, p)"
        let empty = "'{}'::\(value.type.qualified)"
        return MaskSQL.keepingNull(value.sql, "(select coalesce(\(all), \(empty)) from \(from))")
    }

    /// Parts of a document, one after another; a part that is not there changes nothing.
    mutating func masked(_ paths: [Mask.MaskedPath], _ value: MaskedValue) -> String {
        let first = alias()
        var document = "\(first).j"
        var joins = "(select \(MaskSQL.cast(value.sql, "jsonb")) as j offset 0) as \(first)"
        for path in paths {
            let next = alias()
            let step = replaced(path.path.steps[...], in: document, by: path.mask)
            joins += " cross join lateral (select \(step) as j offset 0) as \(next)"
            document = "\(next).j"
        }
        return MaskSQL.keepingNull(value.sql, "(select \(document) from \(joins))")
    }

    /// The document with a mask in place of what the steps lead to.
    private mutating func replaced(_ steps: ArraySlice<JSONPath.Step>, in document: String, by mask: Mask) -> String {
        guard let position = steps.firstIndex(of: .all) else {
            return replaced(at: Self.path(steps), isWhole: steps.isEmpty, in: document, by: mask)
        }
        let (path, rest) = (Self.path(steps[..<position]), steps[(position + 1)...])
        let isWhole = position == steps.startIndex
        let array = isWhole ? document : MaskSQL.binary(document, "#>", path)
        let alias = alias()
        let element = replaced(rest, in: "\(alias).v", by: mask)
        let all = MaskSQL.call("jsonb_agg", "\(element) order by \(alias).p")
        let elements = "\(MaskSQL.call("jsonb_array_elements", array)) with ordinality as \(alias) (v, p)"
        let list = "(select coalesce(\(all), '[]'::pg_catalog.jsonb) from \(elements))"
        let changed = isWhole ? list : MaskSQL.call("jsonb_set", document, path, list, "false")
        let isArray = MaskSQL.compare(MaskSQL.call("jsonb_typeof", array), "=", "'array'")
        return "case when \(isArray) then \(changed) else \(document) end"
    }

    private mutating func replaced(at path: String, isWhole: Bool, in document: String, by mask: Mask) -> String {
        let text =
            isWhole ? MaskSQL.binary(document, "#>>", "'{}'::pg_catalog.text[]") : MaskSQL.binary(document, "#>>", path)
        switch mask.kind {
        case .keep: return document
        case .null where isWhole: return "'null'::pg_catalog.jsonb"
        case .null:
            // Removing what is not there raises an error when the path leads through a scalar.
            let part = MaskSQL.binary(document, "#>", path)
            return "case when \(part) is null then \(document) else \(MaskSQL.binary(document, "#-", path)) end"
        default:
            let masked = MaskSQL.call("to_jsonb", MaskSQL.cast(expression(mask, .document(text)), "text"))
            let changed = isWhole ? masked : MaskSQL.call("jsonb_set", document, path, masked, "false")
            return "case when \(text) is null then \(document) else \(changed) end"
        }
    }

    private static func path(_ steps: ArraySlice<JSONPath.Step>) -> String {
        MaskSQL.textArray(
            steps.compactMap { step in
                switch step {
                case .key(let key): key
                case .index(let index): String(index)
                case .all: nil
                }
            }
        )
    }

    /// The keys that are kept, as a tree.
    private struct KeptKeys {
        var children: [(key: String, keys: KeptKeys)] = []
        /// All of it is kept.
        var isWhole = false

        mutating func add(_ keys: ArraySlice<String>) {
            guard let key = keys.first else {
                isWhole = true
                return
            }
            let known = children.firstIndex { $0.key.hasBytes(of: key) }
            if known == nil { children.append((key, KeptKeys())) }
            children[known ?? children.count - 1].keys.add(keys.dropFirst())
        }
    }

    /// An object of some parts of a document only; parts that are not there are missing, and nulls stay nulls.
    mutating func kept(_ paths: [JSONPath], _ value: MaskedValue) -> String {
        var tree = KeptKeys()
        for path in paths {
            tree.add(path.steps.compactMap { if case .key(let key) = $0 { key } else { nil } }[...])
        }
        let document = MaskSQL.cast(value.sql, "jsonb")
        return MaskSQL.keepingNull(value.sql, object(tree, [], of: document))
    }

    private mutating func object(_ tree: KeptKeys, _ path: [String], of document: String) -> String {
        let empty = "'{}'::pg_catalog.jsonb"
        return tree.children.reduce(empty) { object, child in
            let path = path + [child.key]
            let part = MaskSQL.binary(document, "#>", MaskSQL.textArray(path))
            let pair: (String) -> String = { MaskSQL.call("jsonb_build_object", quotedLiteral(child.key), $0) }
            let added: String
            if child.keys.isWhole || child.keys.children.isEmpty {
                added = "case when \(part) is null then \(empty) else \(pair(part)) end"
            } else {
                let alias = alias()
                let inner = self.object(child.keys, path, of: document)
                let isEmpty = MaskSQL.binary("\(alias).j", "=", empty)
                added =
                    "(select case when \(isEmpty) then \(empty) else \(pair("\(alias).j")) end "
                    + "from (select \(inner) as j offset 0) as \(alias))"
            }
            return MaskSQL.binary(object, "||", added)
        }
    }
}

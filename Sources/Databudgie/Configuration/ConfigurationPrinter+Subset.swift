import Yams

extension ConfigurationPrinter {
    /// The key under which everything of a subset is printed, so that what decides about rows has one text.
    func subset(_ settings: SubsetSettings) -> Node {
        mapping([
            ("start", grouped(settings.start.map { ($0.table, start($0)) })),
            ("children", bool(settings.includesChildren)),
            ("whole", list(settings.whole.map { text($0) })),
            ("unconnected", text(settings.unconnectedOrDefault.rawValue)),
            ("max_rows", integer(settings.maximumRows)),
            ("references", grouped(settings.references.map { ($0.name, reference($0)) })),
            ("tenants", text(settings.tenants)),
            ("crossing", settings.tenants == nil ? null : text(settings.crossing.rawValue)),
        ])
    }

    /// What decides about rows, as one text, for its hash.
    func rules(of settings: SubsetSettings) -> String {
        (try? serialize(node: subset(settings), width: -1, allowUnicode: true)) ?? ""
    }

    /// Values of one key become a list.
    private func grouped(_ pairs: [Pair]) -> Node {
        var keys: [ByteKey] = []
        var values: [ByteKey: [Node]] = [:]
        for pair in pairs {
            let key = ByteKey(pair.key)
            if values[key] == nil { keys.append(key) }
            values[key, default: []].append(pair.value)
        }
        return mapping(
            keys.map { key in
                let nodes = values[key, default: []]
                return (key.string, nodes.count == 1 ? nodes[0] : list(nodes))
            }
        )
    }

    private func start(_ start: SubsetStart) -> Node {
        mapping([
            ("where", text(start.condition)), ("order_by", text(start.order)), ("limit", integer(start.limit)),
            ("sample", text(start.sample?.description)), ("allow_empty", bool(start.allowsNone)),
        ])
    }

    /// Only what is given: most references have one of nine keys.
    private func reference(_ reference: SubsetReference) -> Node {
        let texts = [
            ("follow", reference.follow?.rawValue), ("to", reference.target), ("when", reference.condition),
            ("expression", reference.expression), ("where", reference.children), ("order_by", reference.order),
            ("sample", reference.sample?.description),
        ]
        var pairs: [Pair] = texts.compactMap { key, value in value.map { (key, text($0)) } }
        if reference.isArray { pairs.append(("elements", bool(true))) }
        if reference.limit != nil { pairs.append(("limit", integer(reference.limit))) }
        return mapping(pairs)
    }

    private func integer(_ number: Int?) -> Node { number.map { plain(String($0)) } ?? null }
}

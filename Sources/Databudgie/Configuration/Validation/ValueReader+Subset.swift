extension ValueReader {
    /// The rows that a backup takes; nil when all are.
    func subset(_ value: SourceValue?) -> SubsetSettings? {
        guard let value, let mapping = mapping(value, "subset", .subset) else { return nil }
        let problemsBefore = report.problems.count
        let settings = SubsetSettings(
            start: starts(mapping["start"]),
            includesChildren: mapping["children"].flatMap { bool($0, "children") } ?? true,
            whole: texts(mapping["whole"], "whole") ?? [],
            unconnected: choice(mapping["unconnected"], "unconnected", SubsetSettings.Unconnected.self),
            maximumRows: positiveInteger(mapping["max_rows"], "max_rows"),
            references: references(mapping["references"]),
            tenants: name(mapping["tenants"], "tenants"),
            crossing: choice(mapping["crossing"], "crossing", SubsetSettings.Crossing.self) ?? .error
        )
        if settings.start.isEmpty, report.problems.count == problemsBefore {
            report.add(
                .invalidValue,
                "'subset' has no 'start'",
                hint: "name a table and a condition under 'start', for instance public.customers: id = 4",
                at: value.place
            )
        }
        if settings.tenants == nil, let crossing = mapping["crossing"], !crossing.isNull {
            report.add(
                .invalidValue,
                "'crossing' has no effect without 'tenants'",
                hint: "name the table of the tenants under 'tenants', or remove it",
                at: crossing.place
            )
        }
        return settings
    }

    /// An integer greater than 0.
    func positiveInteger(_ value: SourceValue?, _ key: String) -> Int? {
        guard let value, !value.isNull else { return nil }
        let text = value.scalar?.text.withoutLastLineBreak
        if let text, let number = Int(text.replacing("_", with: "")), number > 0 { return number }
        report.add(
            .wrongType,
            "'\(key)' must be a positive integer, not \(text.flatMap(Self.repeated) ?? value.noun)",
            at: value.place
        )
        return nil
    }

    private func starts(_ value: SourceValue?) -> [SubsetStart] {
        guard let value, !value.isNull else { return [] }
        guard let tables = value.mapping else {
            report.add(.wrongType, "'start' must be a mapping of tables, not \(value.noun)", at: value.place)
            return []
        }
        return tables.entries.filter { !$0.isNote }.flatMap { entry in
            (entry.value.list ?? [entry.value]).compactMap { start(entry.key, $0) }
        }
    }

    private func start(_ table: String, _ value: SourceValue) -> SubsetStart? {
        guard !value.isNull else {
            report.add(
                .wrongType,
                "the start \(Self.shown(table)) needs a condition",
                hint: "write true to choose all rows",
                at: value.place
            )
            return nil
        }
        guard value.mapping != nil else { return sql(value, "start").map { SubsetStart(table, where: $0) } }
        guard let mapping = mapping(value, "start", .subsetStart) else { return nil }
        let start = SubsetStart(
            table,
            where: sql(mapping["where"], "where"),
            order: sql(mapping["order_by"], "order_by"),
            limit: positiveInteger(mapping["limit"], "limit"),
            sample: sample(mapping["sample"]),
            allowsNone: mapping["allow_empty"].flatMap { bool($0, "allow_empty") } ?? false
        )
        checkOrder(start.order, start.limit, mapping)
        return start
    }

    /// A piece of SQL, which may look like a number or a boolean.
    private func sql(_ value: SourceValue?, _ key: String) -> String? {
        guard let value, let text = anyText(value, key) else { return nil }
        guard text.utf8.contains(where: { !" \t\r\n".utf8.contains($0) }) else {
            report.add(.invalidValue, "'\(key)' is empty", hint: "write SQL, or remove it", at: value.place)
            return nil
        }
        return text
    }

    private func sample(_ value: SourceValue?) -> SubsetSample? {
        guard let value, let text = text(value, "sample") else { return nil }
        if let sample = SubsetSample(text) { return sample }
        report.add(
            .invalidValue,
            Self.refusal(of: text, as: "sample"),
            hint: "write a share of the rows such as 1% or 0.5%",
            at: value.place
        )
        return nil
    }

    private func checkOrder(_ order: String?, _ limit: Int?, _ mapping: SourceMapping) {
        guard order != nil, limit == nil, mapping["limit"] == nil else { return }
        report.add(
            .invalidValue,
            "'order_by' has no effect without 'limit'",
            hint: "add a limit, or remove it",
            at: mapping["order_by"]?.place
        )
    }

    private func references(_ value: SourceValue?) -> [SubsetReference] {
        guard let names = mapping(value, "references") else { return [] }
        return names.entries.filter { !$0.isNote }.flatMap { entry in
            (entry.value.list ?? [entry.value]).compactMap { reference(entry.key, $0) }
        }
    }

    private func reference(_ name: String, _ value: SourceValue) -> SubsetReference? {
        guard value.mapping != nil else {
            guard !value.isNull else {
                report.add(.wrongType, "the reference \(Self.shown(name)) needs a word or a mapping", at: value.place)
                return nil
            }
            return choice(value, name, SubsetReference.Follow.self).map { SubsetReference(name, follow: $0) }
        }
        guard let mapping = mapping(value, name, .subsetReference) else { return nil }
        let reference = SubsetReference(
            name,
            follow: choice(mapping["follow"], "follow", SubsetReference.Follow.self),
            to: self.name(mapping["to"], "to"),
            when: sql(mapping["when"], "when"),
            expression: sql(mapping["expression"], "expression"),
            isArray: mapping["elements"].flatMap { bool($0, "elements") } ?? false,
            children: sql(mapping["where"], "where"),
            limit: positiveInteger(mapping["limit"], "limit"),
            order: sql(mapping["order_by"], "order_by"),
            sample: sample(mapping["sample"])
        )
        check(reference, mapping, at: value.place)
        return reference
    }

    private func check(_ reference: SubsetReference, _ mapping: SourceMapping, at place: SourcePlace) {
        checkOrder(reference.order, reference.limit, mapping)
        let virtual = ["when", "expression", "elements"].first { mapping[$0]?.isNull == false }
        if reference.target == nil, mapping["to"] == nil, let virtual {
            report.add(
                .invalidValue,
                "the reference \(Self.shown(reference.name)) has '\(virtual)', and so no constraint, but no 'to'",
                hint: "write what it refers to, for instance to: public.users.id",
                at: mapping[virtual]?.place
            )
        }
        if reference.expression != nil, reference.isArray {
            report.add(
                .invalidValue,
                "'expression' and 'elements' exclude each other",
                hint: "use only one of them",
                at: mapping["elements"]?.place
            )
        }
        if let follow = reference.follow, follow != .both, reference.restrictsChildren {
            report.add(
                .invalidValue,
                "the reference \(Self.shown(reference.name)) says which referring rows are chosen, but '\(follow.rawValue)' "
                    + "chooses none",
                hint: "write follow: both, or remove where, limit, order_by and sample",
                at: place
            )
        }
    }

    /// A name in quotes, for a message.
    private static func shown(_ name: String) -> String { repeated(name) ?? "of this name" }
}

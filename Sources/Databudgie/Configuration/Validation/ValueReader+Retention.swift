extension ValueReader {
    /// The rules of `retention`; one that keeps nothing is reported.
    func retention(_ value: SourceValue?) -> RetentionPolicy? {
        let problemsBefore = report.problems.count
        guard let value, let mapping = mapping(value, "retention", .retention) else { return nil }
        var policy = RetentionPolicy()
        for rule in RetentionPolicy.Rule.allCases { policy.counts[rule] = count(mapping[rule.key], rule.key) }
        policy.within = period(mapping[RetentionPolicy.keyOfPeriod], RetentionPolicy.keyOfPeriod)
        if policy.keepsNothing, report.problems.count == problemsBefore {
            report.add(
                .invalidValue,
                RetentionPolicy.emptyMessage,
                hint: RetentionPolicy.emptyHint,
                at: value.place
            )
        }
        return policy
    }

    private func count(_ value: SourceValue?, _ key: String) -> RetentionPolicy.Count? {
        guard let value, !value.isNull else { return nil }
        let text = value.scalar?.text.withoutLastLineBreak
        if text?.hasBytes(of: "unlimited") == true { return .unlimited }
        if let text, let number = Int(text.replacing("_", with: "")), number >= 0 {
            return number == 0 ? nil : .atMost(number)
        }
        report.add(
            .wrongType,
            "'\(key)' must be a positive integer or unlimited, not \(text.flatMap(Self.repeated) ?? value.noun)",
            hint: text?.hasBytes(of: "-1") == true ? "write unlimited to keep all" : nil,
            at: value.place
        )
        return nil
    }

    private func period(_ value: SourceValue?, _ key: String) -> RetentionPeriod? {
        guard let value, let text = text(value, key) else { return nil }
        guard let period = RetentionPeriod(text) else {
            report.add(
                .invalidValue,
                Self.refusal(of: text, as: key),
                hint: "write a length of time such as 36h, 7d or 2y5m7d3h",
                at: value.place
            )
            return nil
        }
        return period.isZero ? nil : period
    }
}

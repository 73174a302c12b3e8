import Postgres

/// Masks of dates, numbers, addresses, and choices.
extension MaskCompiler {
    /// Another moment, in whole days or seconds; infinity stays, and the ends of the calendar are not passed.
    mutating func shifted(by shift: MaskShift, _ mask: Mask, _ value: MaskedValue) -> String {
        let hash = hash(mask, value)
        let isDate = value.type.family == .date
        let span = isDate ? shift.days ?? 1 : shift.seconds
        let distance = MaskSQL.binary(Self.number(hash, at: Place.other, below: 2 * span + 1), "-", "\(span)")
        let margin = shift.seconds / 86_400 + 1
        func bound(_ day: String, _ symbol: String) -> String {
            let date = MaskSQL.binary("'\(day)'::pg_catalog.date", symbol, "\(margin)")
            return isDate ? date : "(\(date))::\(value.type.qualified)"
        }
        let (least, most) = (bound("4713-01-01 BC", "+"), bound(isDate ? "5874897-12-31" : "294276-12-31", "-"))
        let inside = "least(greatest(\(value.sql), \(least)), \(most))"
        let moved: String
        if isDate {
            moved = MaskSQL.binary(inside, "+", MaskSQL.cast(distance, "int4"))
        } else {
            let seconds = MaskSQL.cast(distance, "float8")
            moved = MaskSQL.binary(inside, "+", MaskSQL.binary(seconds, "*", "'1 second'::pg_catalog.interval"))
        }
        return "case when \(MaskSQL.call("isfinite", value.sql)) then \(moved) else \(value.sql) end"
    }

    /// The beginning of a unit of time, in UTC.
    func truncated(to unit: Mask.DateUnit, _ value: MaskedValue) -> String {
        func cut(_ moment: String) -> String { MaskSQL.call("date_trunc", "'\(unit.rawValue)'", moment) }
        switch value.type.family {
        case .zonedMoment:
            return MaskSQL.call("timezone", "'UTC'", cut(MaskSQL.call("timezone", "'UTC'", value.sql)))
        case .date:
            // Later dates are no timestamps.
            let moment = MaskSQL.cast("least(\(value.sql), '294276-12-31'::pg_catalog.date)", "timestamp")
            let cut = MaskSQL.cast(cut(moment), "date")
            return "case when \(MaskSQL.call("isfinite", value.sql)) then \(cut) else \(value.sql) end"
        default: return cut(value.sql)
        }
    }

    /// Another number of the same scale; what is not finite stays, and the ends of the type are not passed.
    mutating func noise(_ percent: Double, _ mask: Mask, _ value: MaskedValue) -> String {
        let hash = hash(mask, value)
        let steps = 1_000_000
        let step = MaskSQL.binary(Self.number(hash, at: Place.other, below: 2 * steps + 1), "-", "\(steps)")
        let share = MaskSQL.binary(MaskSQL.cast(step, "numeric"), "*", "\(decimal(percent))::pg_catalog.numeric")
        let factor = MaskSQL.binary("1", "+", MaskSQL.binary(share, "/", "100000000::pg_catalog.numeric"))
        switch value.type.family {
        case .float4, .float8:
            let (least, most) = value.type.family == .float4 ? ("1e-30", "1e37") : ("1e-290", "1e307")
            let size = MaskSQL.call("abs", MaskSQL.cast(value.sql, "float8"))
            // What is too small for the type raises an error, but for zero.
            let isTiny = MaskSQL.binary(size, "<", "\(least)::pg_catalog.float8")
            let times = "case when \(isTiny) then 0 else \(MaskSQL.cast(factor, "float8")) end"
            let number = MaskSQL.binary(MaskSQL.cast(value.sql, "float8"), "*", times)
            let isSmall = MaskSQL.binary(size, "<", "\(most)::pg_catalog.float8")
            return "case when \(isSmall) then (\(number))::\(value.type.qualified) else \(value.sql) end"
        case .decimal:
            let scale = "coalesce(\(MaskSQL.call("scale", value.sql)), 0)"
            let number = MaskSQL.call("round", MaskSQL.binary(value.sql, "*", factor), scale)
            guard let (digits, scale) = value.type.precision, scale >= 0, digits >= scale else { return number }
            let most = String(repeating: "9", count: digits - scale) + "." + String(repeating: "9", count: scale)
            return Self.bounded(number, "'0\(most)'::pg_catalog.numeric", value)
        default:
            let number = MaskSQL.call("round", MaskSQL.binary(MaskSQL.cast(value.sql, "numeric"), "*", factor), "0")
            let most =
                switch value.type.family {
                case .int2: Int64(Int16.max)
                case .int4: Int64(Int32.max)
                default: Int64.max
                }
            return Self.bounded(number, "\(most)::pg_catalog.numeric", value)
        }
    }

    /// A number between a bound and its negative; NaN, which is more than all numbers, stays.
    private static func bounded(_ number: String, _ most: String, _ value: MaskedValue) -> String {
        let bounded = "least(greatest(\(number), \(MaskSQL.binary("0", "-", most))), \(most))"
        // The bounds would take the place of a null.
        guard value.type.family == .decimal else { return MaskSQL.keepingNull(value.sql, bounded) }
        let isNumber = MaskSQL.binary(value.sql, "<>", "'NaN'::pg_catalog.numeric")
        return "case when \(isNumber) then \(bounded) else \(value.sql) end"
    }

    /// A number without an exponent.
    private func decimal(_ number: Double) -> String {
        let millionths = Int((number * 1_000_000).rounded())
        let rest = String(millionths % 1_000_000)
        return "\(millionths / 1_000_000)." + String(repeating: "0", count: 6 - rest.utf8.count) + rest
    }

    /// One of some values, or of the values of an enum or a boolean.
    mutating func chosen(_ values: [String]?, _ mask: Mask, _ value: MaskedValue) -> String {
        let values = values ?? (value.type.family == .bool ? ["false", "true"] : value.type.labels)
        let array = "\(quotedLiteral(MaskSQL.arrayText(values)))::\(value.type.qualified)[]"
        return Self.entry(of: array, values.count, hash(mask, value), at: Place.other)
    }

    /// An address of 10.0.0.0/8 (RFC 1918) or fd00::/8 (RFC 4193), with the mask length of the value.
    mutating func address(_ mask: Mask, _ value: MaskedValue) -> String {
        let hash = hash(mask, value)
        let four = MaskSQL.binary(
            "'10.0.0.0'::pg_catalog.inet",
            "+",
            Self.number(hash, at: Place.other, below: 1 << 24)
        )
        let six = MaskSQL.binary("'fd00::'::pg_catalog.inet", "+", Self.number(hash, at: Place.other))
        let isFour = MaskSQL.binary(MaskSQL.call("family", value.sql), "=", "4")
        let address = "case when \(isFour) then \(four) else \(six) end"
        return MaskSQL.call("set_masklen", address, MaskSQL.call("masklen", value.sql))
    }
}

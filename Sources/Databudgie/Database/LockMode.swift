/// A mode in which a table is locked, as SQL writes it, weaker ones first (PostgreSQL documentation, "Explicit Locking").
enum LockMode: String, CaseIterable, Sendable {
    case rowShare = "ROW SHARE"
    case rowExclusive = "ROW EXCLUSIVE"
    case shareUpdateExclusive = "SHARE UPDATE EXCLUSIVE"
    case share = "SHARE"
    case shareRowExclusive = "SHARE ROW EXCLUSIVE"
    case accessExclusive = "ACCESS EXCLUSIVE"

    /// Its place among the modes.
    var strength: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// Whether one of two sessions has to wait for the other.
    func conflicts(with other: LockMode) -> Bool {
        switch self {
        case .rowShare: other == .accessExclusive
        case .rowExclusive: other.strength >= Self.share.strength
        case .shareUpdateExclusive: other.strength >= strength
        case .share: other != .share && other != .rowShare
        case .shareRowExclusive: other != .rowShare
        case .accessExclusive: true
        }
    }
}

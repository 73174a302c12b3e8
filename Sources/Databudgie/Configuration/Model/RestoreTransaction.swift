/// What a restore commits at once.
public enum RestoreTransaction: String, Sendable, CaseIterable {
    /// Each group of tables that must be restored together (`transaction: group`).
    case group
    /// Everything (`transaction: all`): all tables are restored, or none.
    case all
}

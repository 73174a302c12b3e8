/// What the preflight needs to know of a target table beyond the catalog.
struct TargetState: Sendable {
    /// INSERT on the table, or on some of its columns, and USAGE on its schema.
    let canInsert: Bool
    let canTruncate: Bool
    /// The connected role owns the table, or is a member of its owner.
    let isOwned: Bool
    /// Row-level security applies to the connected role, and COPY FROM refuses such tables.
    let hasRowSecurity: Bool
    /// Triggers of users that are not disabled, those of foreign keys and the INSTEAD OF triggers of views aside.
    let triggers: [TargetTrigger]
    /// A trigger takes the rows in the place of a view.
    let hasInsteadOfTrigger: Bool
}

/// What a verification does with a set beyond reading its files: the drill, which restores it.
struct SetTrial: Sendable {
    /// Refuses what makes a trial impossible, before any file is read.
    let check: @Sendable (SetRecord) async throws -> Void
    /// Tries a set out whose files are as its record says, and returns how its source differs from it.
    let run: @Sendable (SetRecord, SetCatalog, DamageCollector) async throws -> [SetVerification.Damage]
}

/// One thing that happened in a verification, in the order in which it happened.
///
/// More kinds of events may be added: a `switch` of a client needs an `@unknown default`.
@nonexhaustive
public enum VerificationEvent: Sendable {
    /// A set's record was read; its data files are about to be, unless the level looks only whether they are there.
    case began(set: String, SetVerification.Level, [PlannedJob])
    /// A file was begun, read, or found damaged, as in a run; or a warning or a detail.
    case progress(RunEvent)
    /// Something is not as the record says; `file` is where the file is seen from here.
    case found(set: String, SetVerification.Damage, file: String?)
    /// A set was verified.
    case ended(VerifiedSet)
}

/// Why something was not delivered.
struct SendingProblem: Sendable {
    /// What happened, as the end of a sentence, without what may be a secret.
    let message: String
    /// What to do about it.
    let hint: String
}

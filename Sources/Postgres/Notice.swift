/// A message that the server sent in addition to its answer, for example by RAISE NOTICE.
public struct Notice: Sendable, Hashable {
    /// How serious it is, in English: NOTICE, WARNING, INFO, LOG, DEBUG.
    public var severity: String
    /// The message.
    public var message: String
    /// The five characters of the SQLSTATE.
    public var sqlState: String?
    /// The server's further explanation.
    public var detail: String?
    /// The server's suggestion.
    public var hint: String?
    /// Where it happened.
    public var context: String?
}

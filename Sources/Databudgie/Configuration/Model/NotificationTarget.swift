/// A receiver of notifications about runs (`notify`).
public struct NotificationTarget: Sendable, Equatable {
    /// What a run notifies of.
    public enum Event: String, Sendable, CaseIterable {
        /// It begins.
        case start
        /// Everything was done.
        case success
        /// It failed, finished with failed tables, or was interrupted.
        case failure
    }

    /// What is sent to a URL.
    public enum Format: String, Sendable, CaseIterable {
        /// The summary of the run, as JSON.
        case json
        /// One sentence.
        case text
    }

    /// The keys that name a receiver, of which each has one.
    static let receiverKeys = ["healthchecks", "url", "command"]

    /// Who is notified.
    public enum Receiver: Sendable, Equatable {
        /// A check of healthchecks.io, or of a server that speaks its protocol: `/start` and `/fail` are appended to its URL.
        case healthchecks(NotificationURL)
        /// Whoever takes a POST.
        case url(NotificationURL, Format)
        /// A program with its arguments, which gets the summary on its standard input; no shell is involved.
        case command([String])
    }

    /// Who is notified.
    public var receiver: Receiver
    /// Of what.
    public var events: Set<Event>
    /// Headers of requests, by name; their values may be secrets.
    public var headers: [String: String]

    /// Describes a receiver.
    ///
    /// - Parameters:
    ///   - receiver: Who is notified.
    ///   - events: Of what.
    ///   - headers: Headers of requests, by name.
    public init(
        _ receiver: Receiver,
        events: Set<Event> = Set(Event.allCases),
        headers: [String: String] = [:]
    ) {
        self.receiver = receiver
        self.events = events
        self.headers = headers
    }

    /// The environment variable in which a command finds the event.
    static let eventVariable = "DATABUDGIE_EVENT"
    /// The environment variable in which a command finds `backup` or `restore`.
    static let actionVariable = "DATABUDGIE_ACTION"
    /// The environment variable in which a command finds the run in a sentence.
    static let textVariable = "DATABUDGIE_TEXT"
    /// All of them, which are not settings.
    static let variables: Set = [eventVariable, actionVariable, textVariable]
}

extension NotificationTarget: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Who it is, without what may be a secret: `hc-ping.com`, `localhost:8080`, `the command mail`.
    public var description: String {
        switch receiver {
        case .healthchecks(let url), .url(let url, _): url.authority
        case .command(let arguments): "the command \(arguments.first ?? "")"
        }
    }

    /// The same as the description, so that no debugger or test report shows more.
    public var debugDescription: String { description }

    /// Nothing but the description, so that `dump` shows no more.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

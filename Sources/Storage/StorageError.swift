/// A failure of a storage: what happened to which file, and what to do about it.
///
/// Switch over ``code`` to react to a failure; show ``message`` and ``hint`` to people. A message begins in lower case,
/// unless with a name, and ends without a full stop. Neither holds a secret.
public struct StorageError: Error, Sendable {
    /// The kind of failure.
    public var code: Code
    /// The file or folder that was worked on, when there is one.
    public var path: StoragePath?
    /// What happened, with the path, the server or the setting that it concerns.
    public var message: String
    /// What to do, in the imperative; nil when there is nothing useful to say.
    public var hint: String?
    /// The error of the system or of the network below, for logs.
    public var underlying: (any Error)?

    /// Describes a failure.
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - message: What happened, naming the path: in lower case, without a full stop and without secrets.
    ///   - hint: What to do, in the imperative: in lower case, without a full stop.
    ///   - path: The file or folder that was worked on.
    ///   - underlying: The error below, if there is one.
    public init(
        _ code: Code,
        _ message: String,
        hint: String? = nil,
        path: StoragePath? = nil,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.path = path
        self.underlying = underlying
    }
}

extension StorageError: CustomStringConvertible {
    /// The message and, after a semicolon, the hint.
    public var description: String { hint.map { "\(message); \($0)" } ?? message }
}

extension StorageError {
    /// A kind of failure.
    ///
    /// More kinds may be added: a switch over them needs a default case.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code's name.
        public let description: String

        init(_ name: String) { description = name }

        /// The file does not exist.
        public static let notFound = Code("notFound")
        /// The file already exists and was not to be replaced.
        public static let alreadyExists = Code("alreadyExists")
        /// The bucket does not exist.
        public static let noSuchBucket = Code("noSuchBucket")
        /// The path cannot be used: wrong scheme, too long a name, a folder where a file should be.
        public static let invalidPath = Code("invalidPath")
        /// The permission for this is missing.
        public static let accessDenied = Code("accessDenied")
        /// The file is archived, and has to be restored by the server before it can be read.
        public static let archived = Code("archived")
        /// The file is locked: it cannot be removed or replaced before its retention ends.
        public static let locked = Code("locked")
        /// No credentials were found anywhere, or a source of them cannot be used.
        public static let noCredentials = Code("noCredentials")
        /// The server does not know the access key, or the secret does not belong to it.
        public static let wrongCredentials = Code("wrongCredentials")
        /// The temporary credentials are no longer valid.
        public static let expiredCredentials = Code("expiredCredentials")
        /// A setting cannot be used: an endpoint that is not a URL, a profile that does not exist.
        public static let invalidConfiguration = Code("invalidConfiguration")
        /// This machine's clock and the server's are too far apart.
        public static let clockSkew = Code("clockSkew")
        /// The disk, the quota or the bucket is full.
        public static let outOfSpace = Code("outOfSpace")
        /// The folder cannot be written to.
        public static let notWritable = Code("notWritable")
        /// The disk reported an error.
        public static let inputOutput = Code("inputOutput")
        /// A symbolic link leads where it must not be followed.
        public static let unsafeLink = Code("unsafeLink")
        /// The file changed or vanished while it was being read.
        public static let changedWhileReading = Code("changedWhileReading")
        /// The file is shorter than what was requested.
        public static let truncated = Code("truncated")
        /// The bytes that arrived are not the ones that were sent.
        public static let corrupted = Code("corrupted")
        /// Another writer got in the way.
        public static let conflict = Code("conflict")
        /// The server answered too late, or not at all.
        public static let timedOut = Code("timedOut")
        /// The server could not be reached, or kept failing.
        public static let unavailable = Code("unavailable")
        /// The server's certificate is not trusted.
        public static let untrustedServer = Code("untrustedServer")
        /// The server rejected the request for another reason.
        public static let rejected = Code("rejected")
        /// The server's reply is not what the protocol prescribes.
        public static let unexpectedReply = Code("unexpectedReply")
    }
}

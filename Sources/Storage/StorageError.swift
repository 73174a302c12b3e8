/// What went wrong with a file, in a sentence that names it and ends with what to do.
public struct StorageError: Error, Sendable {
    /// The kind of failure.
    public var code: Code
    /// The file or folder that was worked on, when there is one.
    public var path: StoragePath?
    /// A full sentence for the user; it never holds a secret.
    public var message: String
    /// The error of the system or of the network below, for logs.
    public var underlying: (any Error)?

    /// Describes a failure.
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - message: A full sentence that names the path and says what to do.
    ///   - path: The file or folder that was worked on.
    ///   - underlying: The error below, if there is one.
    public init(_ code: Code, _ message: String, path: StoragePath? = nil, underlying: (any Error)? = nil) {
        self.code = code
        self.path = path
        self.message = message
        self.underlying = underlying
    }
}

extension StorageError: CustomStringConvertible {
    /// The sentence for the user.
    public var description: String { message }
}

extension StorageError {
    /// A kind of failure; more may be added, so keep a default case.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The code's name.
        public let rawValue: String

        /// Names a code.
        /// - Parameter rawValue: The name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The file does not exist.
        public static let notFound = Code(rawValue: "notFound")
        /// The file exists already and was not to be replaced.
        public static let alreadyExists = Code(rawValue: "alreadyExists")
        /// The bucket does not exist.
        public static let noSuchBucket = Code(rawValue: "noSuchBucket")
        /// The path cannot be used: wrong scheme, too long a name, a folder where a file should be.
        public static let invalidPath = Code(rawValue: "invalidPath")
        /// The permission for this is missing.
        public static let accessDenied = Code(rawValue: "accessDenied")
        /// No credentials were found anywhere, or a source of them cannot be used.
        public static let noCredentials = Code(rawValue: "noCredentials")
        /// The server does not know the access key, or the secret does not belong to it.
        public static let wrongCredentials = Code(rawValue: "wrongCredentials")
        /// The temporary credentials are no longer valid.
        public static let expiredCredentials = Code(rawValue: "expiredCredentials")
        /// A setting cannot be used: an endpoint that is no URL, a profile that does not exist.
        public static let invalidConfiguration = Code(rawValue: "invalidConfiguration")
        /// This machine's clock and the server's are too far apart.
        public static let clockSkew = Code(rawValue: "clockSkew")
        /// The disk, the quota or the bucket is full.
        public static let outOfSpace = Code(rawValue: "outOfSpace")
        /// The folder cannot be written to.
        public static let notWritable = Code(rawValue: "notWritable")
        /// The disk reported an error.
        public static let inputOutput = Code(rawValue: "inputOutput")
        /// A symbolic link leads where it must not be followed.
        public static let unsafeLink = Code(rawValue: "unsafeLink")
        /// The file changed or vanished while it was read.
        public static let changedWhileReading = Code(rawValue: "changedWhileReading")
        /// The file is shorter than what was asked for.
        public static let truncated = Code(rawValue: "truncated")
        /// The bytes that arrived are not the ones that were sent.
        public static let corrupted = Code(rawValue: "corrupted")
        /// Another writer got in the way.
        public static let conflict = Code(rawValue: "conflict")
        /// The server answered too late, or not at all.
        public static let timedOut = Code(rawValue: "timedOut")
        /// The server could not be reached, or went on failing.
        public static let unavailable = Code(rawValue: "unavailable")
        /// The server's certificate is not trusted.
        public static let untrustedServer = Code(rawValue: "untrustedServer")
        /// The server refused the request for another reason.
        public static let rejected = Code(rawValue: "rejected")
        /// The server's answer makes no sense.
        public static let unexpectedReply = Code(rawValue: "unexpectedReply")
    }
}

extension StorageError.Code: CustomStringConvertible {
    /// The code's name.
    public var description: String { rawValue }
}

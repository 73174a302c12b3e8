import AsyncHTTPClient

/// Why a request failed in the end, and its translation into the user's words.
struct S3Failure {
    let path: StoragePath
    /// "read", "written", "listed", "deleted".
    let action: String
    let endpoint: String
    let attempts: Int
    let credentials: Credentials?

    /// Explains a refusal by the server.
    func error(_ reply: S3ErrorReply) -> StorageError {
        let (code, reason) = explanation(of: reply)
        return StorageError(code, reason, path: path, underlying: reply)
    }

    private func explanation(of reply: S3ErrorReply) -> (StorageError.Code, String) {
        let source = credentials?.source ?? "the configuration"
        switch (reply.code, reply.status) {
        case ("NoSuchBucket", _):
            return (
                .noSuchBucket,
                "\(path) cannot be \(action): its bucket does not exist at \(endpoint). "
                    + "Create the bucket, or correct the location or the endpoint URL."
            )
        case ("NoSuchKey", _), ("", 404), ("NotFound", _):
            return (.notFound, "\(path) does not exist: check the bucket and the key.")
        case ("SignatureDoesNotMatch", _):
            return (
                .wrongCredentials,
                "\(path) cannot be \(action): \(endpoint) says that the secret access key is wrong. "
                    + "Correct the credentials in \(source)."
            )
        case ("InvalidAccessKeyId", _), ("InvalidClientTokenId", _), ("InvalidToken", _),
            ("UnrecognizedClientException", _):
            return (
                .wrongCredentials,
                "\(path) cannot be \(action): \(endpoint) does not know the access key or its session token. "
                    + "Correct the credentials in \(source)."
            )
        case _ where reply.isExpiredToken:
            return (
                .expiredCredentials,
                "\(path) cannot be \(action): the credentials from \(source) have expired. Renew them."
            )
        case ("RequestTimeTooSkewed", _), ("RequestExpired", _):
            return (
                .clockSkew,
                "\(path) cannot be \(action): the clock of this machine and that of \(endpoint) are too far apart. "
                    + "Set the clock."
            )
        case ("QuotaExceeded", _), ("XMinioStorageFull", _), ("InsufficientStorage", _), ("EntityTooLarge", _),
            (_, 507):
            return (
                .outOfSpace,
                "\(path) cannot be \(action): \(endpoint) has no room for it\(said(reply)). "
                    + "Free some space or have the quota raised."
            )
        case ("BadDigest", _), ("XAmzContentSHA256Mismatch", _), ("XAmzContentChecksumMismatch", _),
            ("InvalidDigest", _):
            return (
                .corrupted,
                "\(path) cannot be \(action): other bytes arrived at \(endpoint) than were sent\(said(reply)). "
                    + "Check the network and the proxies on the way, then try again."
            )
        case ("ConditionalRequestConflict", _):
            return (
                .conflict,
                "\(path) cannot be \(action): another writer is writing the same key. Try again when it is done."
            )
        case ("PreconditionFailed", _), ("", 412):
            return (.alreadyExists, "\(path) exists already: choose another name or remove the object.")
        case ("KeyTooLongError", _), ("InvalidURI", _), ("InvalidBucketName", _):
            return (.invalidPath, "\(path) cannot be \(action)\(said(reply)): correct the bucket or the key.")
        case ("InvalidRange", _), (_, 416):
            return (.truncated, "\(path) is shorter than the bytes that were asked for: it is not the recorded file.")
        case _ where reply.isTransient:
            return (
                .unavailable,
                "\(path) cannot be \(action): \(endpoint) failed \(attempts) times\(said(reply)). Try again later."
            )
        case ("AccessDenied", _), ("AllAccessDisabled", _), (_, 403), (_, 401):
            return (
                .accessDenied,
                "\(path) cannot be \(action): \(endpoint) denies access to the credentials from \(source). "
                    + "Give them the permission, or use others."
            )
        default:
            return (
                .rejected,
                "\(path) cannot be \(action): \(endpoint) refuses it with status \(reply.status)\(said(reply)). "
                    + "Check the location and the endpoint URL."
            )
        }
    }

    private func said(_ reply: S3ErrorReply) -> String {
        let text = [reply.code, reply.message].filter { !$0.isEmpty }.joined(separator: ": ")
        return text.isEmpty ? "" : " (\(text.prefix(300)))"
    }

    /// Explains a failure of the network.
    func error(_ failure: any Error) -> StorageError {
        if Self.isUntrusted(failure) {
            return StorageError(
                .untrustedServer,
                "\(path) cannot be \(action): the certificate of \(endpoint) is not trusted. "
                    + "Check the endpoint URL, or install the certificate of its authority on this machine.",
                path: path,
                underlying: failure
            )
        }
        let times = attempts == 1 ? "" : " (\(attempts) attempts)"
        if Self.isTimeout(failure) {
            return StorageError(
                .timedOut,
                "\(path) cannot be \(action): \(endpoint) did not answer in time\(times). "
                    + "Check the network and the endpoint URL, then try again.",
                path: path,
                underlying: failure
            )
        }
        return StorageError(
            .unavailable,
            "\(path) cannot be \(action): the connection to \(endpoint) failed\(times), \(Self.words(failure)). "
                + "Check the network and the endpoint URL, then try again.",
            path: path,
            underlying: failure
        )
    }

    /// Whether another attempt may get further.
    static func isTransient(_ failure: any Error) -> Bool {
        if let failure = failure as? HTTPClientError {
            return ![.invalidURL, .emptyHost, .alreadyShutdown].contains(failure)
        }
        return !(failure is StorageError) && !isUntrusted(failure)
    }

    static func isTimeout(_ failure: any Error) -> Bool {
        if failure is ProgressWatch.Stalled { return true }
        guard let failure = failure as? HTTPClientError else { return false }
        return [.connectTimeout, .readTimeout, .writeTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout]
            .contains(failure)
    }

    static func isUntrusted(_ failure: any Error) -> Bool {
        String(reflecting: failure).contains("CERTIFICATE_VERIFY_FAILED")
    }

    /// The heart of an error of the network, whose own description is long and technical.
    static func words(_ failure: any Error) -> String {
        if let failure = failure as? HTTPClientError { return failure.shortDescription.lowercased() }
        let description = String(describing: failure)
        let known = [
            ("Connection refused", "nobody listens there"), ("Connection reset", "it was reset"),
            ("Name or service not known", "the name of the host is unknown"),
            ("unknown host", "the name of the host is unknown"),
            ("SocketAddressError", "the name of the host is unknown"), ("unreachable", "the network is unreachable"),
        ]
        return known.first { description.contains($0.0) }?.1 ?? "the system says: \(description.prefix(300))"
    }
}

import AsyncHTTPClient

/// Why a request failed in the end, and its translation into the user's words.
struct S3Failure {
    let path: StoragePath
    /// "read", "written", "listed", "deleted".
    let action: String
    /// The request was about the bucket, and not about an object in it.
    var isAboutBucket = false
    let endpoint: String
    let attempts: Int
    /// How long it failed, from the first failure to the last.
    let duration: Duration
    let credentials: Credentials?
    /// The names of the request's headers.
    var headers: [String] = []

    /// Explains a refusal by the server.
    func error(_ reply: S3ErrorReply) -> StorageError {
        let (code, message, hint) = explanation(of: reply)
        return StorageError(code, message, hint: hint, path: path, underlying: reply)
    }

    private func explanation(of reply: S3ErrorReply) -> (StorageError.Code, message: String, hint: String) {
        let source = credentials?.source ?? "the configuration"
        let failed = "\(path) cannot be \(action)"
        switch (reply.code, reply.status) {
        case _ where reply.demandsTLS:
            let problem = TransportProblem.encryptedServer
            return (problem.code, "\(failed): \(problem.reason(at: endpoint))", problem.hint)
        case ("NoSuchKey", _) where isAboutBucket:
            return (
                .invalidConfiguration,
                "\(failed): \(endpoint) took the name of the bucket for a key, so the endpoint URL seems to contain "
                    + "the bucket",
                "remove the bucket from the endpoint URL"
            )
        case ("NoSuchBucket", _):
            return (
                .noSuchBucket, "\(failed): its bucket does not exist at \(endpoint)",
                "create the bucket, or correct the location or the endpoint URL"
            )
        case ("NoSuchKey", _), ("", 404), ("NotFound", _):
            return (.notFound, "\(path) does not exist", "check the bucket and the key")
        case ("InvalidObjectState", _):
            return archived(reply)
        case _ where reply.isAboutKMS && !reply.isTransient:
            return (
                .accessDenied, "\(failed): \(endpoint) cannot use its key of KMS\(said(reply))",
                "check the key and its region, and grant the credentials kms:GenerateDataKey and kms:Decrypt for it"
            )
        case _ where reply.isLocked && ["written", "deleted"].contains(action):
            return (
                .locked, "\(failed) before its retention ends\(said(reply))",
                "try again when it has ended: its Object Lock keeps it until then"
            )
        case ("SignatureDoesNotMatch", _):
            return (
                .wrongCredentials, "\(failed): \(endpoint) rejected the secret access key",
                "correct the credentials in \(source)"
            )
        case ("InvalidAccessKeyId", _), ("InvalidClientTokenId", _), ("InvalidToken", _),
            ("UnrecognizedClientException", _):
            return (
                .wrongCredentials, "\(failed): \(endpoint) does not know the access key or its session token",
                "correct the credentials in \(source)"
            )
        case _ where reply.isExpiredToken:
            return (.expiredCredentials, "\(failed): the credentials from \(source) have expired", "renew them")
        case ("RequestTimeTooSkewed", _), ("RequestExpired", _):
            return (
                .clockSkew, "\(failed): the clocks of this machine and of \(endpoint) are too far apart",
                "set the clock"
            )
        case ("QuotaExceeded", _), ("XMinioStorageFull", _), ("InsufficientStorage", _), ("EntityTooLarge", _),
            (_, 507):
            return (
                .outOfSpace, "\(failed): \(endpoint) has no room for it\(said(reply))",
                "free some space or raise the quota"
            )
        case ("BadDigest", _), ("XAmzContentSHA256Mismatch", _), ("XAmzContentChecksumMismatch", _),
            ("InvalidDigest", _):
            return (
                .corrupted, "\(failed): \(endpoint) received other bytes than were sent\(said(reply))",
                "check the network and any proxies, then try again"
            )
        case ("ConditionalRequestConflict", _), ("OperationAborted", _):
            return (.conflict, "\(failed): another writer is writing the same key", "try again when it is done")
        case ("PreconditionFailed", _), ("", 412):
            return (.alreadyExists, "\(path) already exists", "choose another name or remove the object")
        case ("KeyTooLongError", _), ("InvalidURI", _), ("InvalidBucketName", _):
            return (
                .invalidPath, "\(failed): \(endpoint) rejected the bucket or the key\(said(reply))",
                "correct the bucket or the key"
            )
        case ("InvalidRange", _), (_, 416):
            return (
                .truncated, "\(path) is shorter than the bytes that were requested",
                "check that it is the file that was recorded"
            )
        case _ where reply.isTransient:
            return (.unavailable, "\(failed): \(endpoint) failed \(times)\(said(reply))", "try again later")
        case ("AccessDenied", _), ("AllAccessDisabled", _), (_, 403), (_, 401):
            return (
                .accessDenied, "\(failed): \(endpoint) denies access to the credentials from \(source)",
                permissionHint
            )
        default:
            return (
                .rejected, "\(failed): \(endpoint) rejected the request with status \(reply.status)\(said(reply))",
                settings.isEmpty
                    ? "check the location and the endpoint URL"
                    : "check the location, the endpoint URL, and whether the server supports \(settings)"
            )
        }
    }

    /// An object of a class that cannot be read at once.
    private func archived(_ reply: S3ErrorReply) -> (StorageError.Code, message: String, hint: String) {
        let place =
            if case .s3(let bucket, let key) = path { " --bucket \(word(bucket)) --key \(word(key))" } else { "" }
        let storageClass = reply.storageClass.map { " (storage class \($0))" } ?? ""
        return (
            .archived, "\(path) cannot be \(action): it is archived\(storageClass)",
            "restore it first with aws s3api restore-object\(place) --restore-request Days=7, and try again when that is done"
        )
    }

    /// A word of a command line.
    private func word(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { $0.isLetter || $0.isDigit || "-._/:@%+=,".utf8.contains($0) }
        return isPlain ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }

    /// What the configuration asks of the objects of the request, which not every server supports.
    private var settings: String {
        let keys = [
            "x-amz-server-side-encryption": "server_side_encryption", "x-amz-storage-class": "storage_class",
            "x-amz-tagging": "tags",
        ]
        return headers.compactMap { keys[$0] }.map { "'\($0)'" }.joined(separator: ", ")
    }

    private var permissionHint: String {
        headers.contains("x-amz-tagging") && action == "written"
            ? "grant them s3:PutObject and, for 'tags', s3:PutObjectTagging, or use others"
            : "grant them the permission, or use others"
    }

    /// How often and how long, as in "23 times in 5 minutes".
    private var times: String {
        let times = attempts == 1 ? "once" : "\(attempts) times"
        let minutes = duration.components.seconds / 60
        return minutes == 0 ? times : times + " in \(minutes) minute\(minutes == 1 ? "" : "s")"
    }

    private func said(_ reply: S3ErrorReply) -> String {
        let text = [reply.code, reply.message].filter { !$0.isEmpty }.joined(separator: ": ")
        return text.isEmpty ? "" : " (\(text.prefix(300)))"
    }

    /// Explains a failure of the network.
    func error(_ failure: any Error) -> StorageError {
        let times = attempts == 1 ? "" : " (\(attempts) attempts)"
        var hint = "check the network and the endpoint URL, then try again"
        let (code, reason): (StorageError.Code, String)
        if let problem = TransportProblem(failure, scheme: String(endpoint.prefix { $0 != ":" })) {
            (code, reason, hint) = (problem.code, problem.reason(at: endpoint), problem.hint)
        } else if Self.isTimeout(failure) {
            (code, reason) = (.timedOut, "\(endpoint) did not answer in time\(times)")
        } else {
            (code, reason) = (.unavailable, "the connection to \(endpoint) failed\(times): \(Self.words(failure))")
            // Many servers with TLS hang up on those who do not begin a handshake.
            if failure as? HTTPClientError == .remoteConnectionClosed, endpoint.beginsWithBytes(of: "http:") {
                hint = "begin the endpoint URL with https:// if the server expects it, or check the network"
            }
        }
        return StorageError(
            code,
            "\(path) cannot be \(action): \(reason)",
            hint: hint,
            path: path,
            underlying: failure
        )
    }

    /// Whether another attempt may get further.
    static func isTransient(_ failure: any Error) -> Bool {
        if let failure = failure as? HTTPClientError {
            return ![.invalidURL, .emptyHost, .alreadyShutdown, .proxyAuthenticationRequired].contains(failure)
        }
        guard !(failure is StorageError) else { return false }
        // With either scheme: whatever it is, it does not pass.
        return TransportProblem(failure, scheme: "http") == nil
    }

    static func isTimeout(_ failure: any Error) -> Bool {
        if failure is ProgressWatch.Stalled { return true }
        guard let failure = failure as? HTTPClientError else { return false }
        return [.connectTimeout, .readTimeout, .writeTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout]
            .contains(failure)
    }

    /// The reason of a network failure in a few words; its own description is long and technical.
    static func words(_ failure: any Error) -> String {
        if let failure = failure as? HTTPClientError { return failure.shortDescription.lowercased() }
        let description = String(describing: failure)
        let known = [
            ("Connection refused", "connection refused"), ("Connection reset", "connection reset"),
            ("Name or service not known", "unknown host name"), ("unknown host", "unknown host name"),
            ("SocketAddressError", "unknown host name"), ("unreachable", "network unreachable"),
        ]
        return known.first { description.contains($0.0) }?.1 ?? String(description.prefix(300))
    }
}

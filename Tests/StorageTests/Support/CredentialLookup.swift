import DatabudgieTestSupport
import Foundation
import Synchronization

@testable import Storage

/// Asks the whole chain of credentials, as the first request does.
func found(
    _ options: S3Options,
    _ environment: [String: String],
    policy: RetryPolicy = .quick
) async throws -> Credentials? {
    let client = S3Client(options: options, environment: environment, policy: policy)
    let result: Result<Credentials?, any Error>
    do {
        result = .success(try await client.credentialProvider().credentials())
    } catch {
        result = .failure(error)
    }
    try? await client.shutdown()
    return try result.get()
}

/// Gives a test a home folder with files of the AWS tools in it.
func withHome<R>(
    config: String? = nil,
    credentials: String? = nil,
    _ body: ([String: String]) async throws -> R
) async throws -> R {
    try await withTemporaryFolder { folder async throws in
        try FileManager.default.createDirectory(atPath: "\(folder)/.aws", withIntermediateDirectories: false)
        try config?.write(toFile: "\(folder)/.aws/config", atomically: true, encoding: .utf8)
        try credentials?.write(toFile: "\(folder)/.aws/credentials", atomically: true, encoding: .utf8)
        return try await body(["HOME": folder, "AWS_EC2_METADATA_DISABLED": "true"])
    }
}

extension RetryPolicy {
    /// The quick policy at a moment of the test's choice.
    static func quick(at seconds: TimeInterval) -> RetryPolicy {
        var policy = quick
        policy.tokenService = .seconds(60)
        policy.now = { Date(timeIntervalSince1970: seconds) }
        return policy
    }
}

/// A clock that stands until it is set.
final class SettableClock: Sendable {
    private let time = Mutex(Date.now)

    var now: Date { time.withLock { $0 } }

    func advance(by seconds: TimeInterval) {
        time.withLock { $0 += seconds }
    }
}

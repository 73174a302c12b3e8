import DatabudgieTestSupport
import Foundation
import Synchronization

@testable import Storage

extension RetryPolicy {
    /// Pauses only move the clock on, to keep tests quick; but patience with a server that is slow because many tests
    /// run.
    static var quick: RetryPolicy { quick(recordingPauses: Pauses()) }

    /// The same, and a test learns of the pauses.
    static func quick(recordingPauses pauses: Pauses) -> RetryPolicy {
        var policy = RetryPolicy()
        policy.sleep = { pause in
            try Task.checkCancellation()
            pauses.note(pause)
        }
        policy.clock = { .now + pauses.all.reduce(.zero, +) }
        policy.metadata = .seconds(30)
        return policy
    }

    /// The same for servers that hang.
    static var impatient: RetryPolicy {
        var policy = quick
        policy.stall = .seconds(1)
        policy.metadata = .seconds(1)
        policy.completion = .seconds(2)
        return policy
    }
}

/// The pauses between attempts.
final class Pauses: Sendable {
    private let pauses = Mutex<[Duration]>([])

    var all: [Duration] { pauses.withLock { $0 } }

    func note(_ pause: Duration) {
        pauses.withLock { $0.append(pause) }
    }
}

/// Gives a test a storage whose requests pass a proxy that misbehaves, and the same folder without the proxy.
func withFaultyStorage(
    _ rules: [FaultProxy.Rule],
    policy: RetryPolicy = .quick,
    options change: @Sendable @escaping (inout S3Options) -> Void = { _ in },
    _ body: @Sendable @escaping (FaultyStorage) async throws -> Void
) async throws {
    let server = try await S3Server.shared
    try await server.withFolder { folder async throws in
        try await FaultProxy.withProxy(to: server.endpoint, rules: rules) { proxy async throws in
            var options = server.options(endpoint: proxy.endpoint)
            change(&options)
            let faulty = S3Storage(options: options, environment: [:], policy: policy)
            let direct = S3Storage(options: server.options(), environment: [:])
            let result: Result<Void, any Error>
            do {
                result = .success(
                    try await body(FaultyStorage(storage: faulty, direct: direct, proxy: proxy, folder: folder))
                )
            } catch {
                result = .failure(error)
            }
            try? await faulty.shutdown()
            try? await direct.shutdown()
            try result.get()
        }
    }
}

struct FaultyStorage: Sendable {
    /// Behind the proxy.
    let storage: S3Storage
    /// Past the proxy.
    let direct: S3Storage
    let proxy: FaultProxy
    let folder: StoragePath

    var path: StoragePath { folder.appending("file") }

    /// Methods and faults of all requests, as in `["PUT!", "PUT"]`.
    var requests: [String] { proxy.requests.map { $0.method + ($0.fault == nil ? "" : "!") } }
}

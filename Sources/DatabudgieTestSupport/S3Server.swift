import Foundation
public import Storage
import Subprocess
import SystemPackage

/// A real S3 server on loopback for tests, and how to log in there.
public struct S3Server: Sendable {
    /// The server's URL.
    public let endpoint: String
    /// The access key's id.
    public let accessKeyID: String
    /// The access key's secret.
    public let secretAccessKey: String
    /// The region that the server belongs to.
    public let region: String
    /// A bucket that exists.
    public let bucket: String

    /// The server that all tests of this process share.
    ///
    /// It is the one that `TEST_S3_ENDPOINT`, `…_ACCESS_KEY_ID`, `…_SECRET_ACCESS_KEY`, `…_REGION` and
    /// `…_BUCKET` describe; else the one on loopback that `scripts/s3-server` has exported; else a new one from that script,
    /// which ends with the process.
    public static var shared: S3Server {
        get async throws { try await sharedTask.value }
    }

    private static let sharedTask = Task {
        let environment = ProcessInfo.processInfo.environment
        if let given = S3Server(
            environment,
            names: (
                "TEST_S3_ENDPOINT", "TEST_S3_ACCESS_KEY_ID",
                "TEST_S3_SECRET_ACCESS_KEY",
                "TEST_S3_REGION", "TEST_S3_BUCKET"
            )
        ) {
            return given
        }
        // Never a remote server that happens to be in the developer's environment.
        if let exported = S3Server(environment, names: exportedNames), exported.endpoint.hasPrefix("http://127.0.0.1:")
        {
            return exported
        }
        return try await start()
    }

    private static let exportedNames = (
        "S3_ENDPOINT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "S3_BUCKET"
    )

    private init?(_ variables: [String: String], names: (String, String, String, String, String)) {
        guard let endpoint = variables[names.0], let id = variables[names.1], let secret = variables[names.2],
            let bucket = variables[names.4]
        else { return nil }
        self.endpoint = endpoint
        accessKeyID = id
        secretAccessKey = secret
        region = variables[names.3] ?? "us-east-1"
        self.bucket = bucket
    }

    /// The options to reach the server with.
    /// - Parameter endpoint: Another URL, for example of a proxy in front of the server.
    /// - Returns: Options that depend on no environment.
    public func options(endpoint: String? = nil) -> S3Options {
        S3Options(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey,
            region: region,
            endpointURL: endpoint ?? self.endpoint
        )
    }

    /// The environment variables with which the AWS tools and ours reach the server.
    public var environment: [String: String] {
        [
            "AWS_ACCESS_KEY_ID": accessKeyID, "AWS_SECRET_ACCESS_KEY": secretAccessKey, "AWS_REGION": region,
            "AWS_ENDPOINT_URL": endpoint,
        ]
    }

    /// Gives a test a folder of its own, and deletes what is in it afterwards.
    /// - Parameter body: What to do with the folder.
    /// - Returns: What the closure returns.
    /// - Throws: The closure's error, or that of the server.
    public func withFolder<R>(_ body: (StoragePath) async throws -> R) async throws -> R {
        let folder = StoragePath.s3(bucket: bucket, key: "test-\(UInt64.random(in: .min ... .max))")
        let storage = S3Storage(options: options(), environment: [:])
        let outcome: Result<R, any Error>
        do {
            outcome = .success(try await body(folder))
        } catch {
            outcome = .failure(error)
        }
        if let files = try? await storage.list(folder, recursive: true) {
            try? await storage.delete(files.map(\.path))
        }
        try? await storage.shutdown()
        return try outcome.get()
    }

    /// The output of `scripts/s3-server` when it failed.
    public struct ScriptFailure: Error, CustomStringConvertible {
        /// Its messages.
        public let description: String
    }

    private static func start() async throws -> S3Server {
        let folder = NSTemporaryDirectory() + "databudgie-s3-\(UInt32.random(in: .min ... .max))"
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let script = repository.appending(path: "scripts/s3-server").path(percentEncoded: false)
        let result = try await run(
            .path(FilePath(script)),
            arguments: [
                "start", "--dir", folder, "--until-exit-of", "\(ProcessInfo.processInfo.processIdentifier)",
            ],
            output: .string(limit: 65_536),
            error: .string(limit: 65_536)
        )
        var variables: [String: String] = [:]
        for line in result.standardOutput.split(separator: "\n") {
            let parts = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
        }
        guard result.terminationStatus.isSuccess, let server = S3Server(variables, names: exportedNames) else {
            throw ScriptFailure(description: result.standardError)
        }
        return server
    }
}

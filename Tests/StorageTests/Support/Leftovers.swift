import DatabudgieTestSupport
import Foundation

@testable import Storage

/// Lists everything in a folder, what a storage would not show included: temporary files, and unfinished uploads.
func everything(in folder: StoragePath) async throws -> [String] {
    switch folder {
    case .local(let path):
        return try FileManager.default.subpathsOfDirectory(atPath: path).sorted()
    case .s3(let bucket, let key):
        let server = try await S3Server.shared
        let client = S3Client(options: server.options(), environment: [:], policy: RetryPolicy())
        defer { Task { try? await client.shutdown() } }
        let objects = try await client.list(bucket: bucket, folder: key, recursive: true).map(\.path.text)
        let uploads = try await client.unfinishedUploads(bucket: bucket, folder: key, before: .distantFuture)
        return objects.sorted() + uploads.map { "unfinished upload of \($0.path.text)" }
    }
}

import Foundation
import NIOSSL
import Subprocess

/// A certificate for a host name that signs itself, and its key.
public struct TestCertificate: Sendable {
    /// The only name in it.
    public let hostName: String
    /// The certificate's file, which is that of its authority as well.
    public let path: String
    private let keyPath: String

    /// What openssl said when it failed.
    public struct Failure: Error {
        /// Its messages.
        public let description: String
    }

    /// Creates one for `localhost`.
    /// - Parameter folder: Where its files are put.
    /// - Throws: ``Failure``, or an error of the system.
    public init(in folder: String) async throws {
        hostName = "localhost"
        path = folder + "/certificate.pem"
        keyPath = folder + "/key.pem"
        let result = try await run(
            .name("openssl"),
            arguments: [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", keyPath, "-out", path,
            ],
            output: .discarded,
            error: .string(limit: 65_536)
        )
        guard result.terminationStatus.isSuccess else { throw Failure(description: result.standardError) }
    }

    var serverConfiguration: TLSConfiguration {
        get throws {
            .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: keyPath, format: .pem))
            )
        }
    }
}

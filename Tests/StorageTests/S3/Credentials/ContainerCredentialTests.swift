import DatabudgieTestSupport
import Foundation
import Synchronization
import Testing

@testable import Storage

@Suite("Credentials of a container")
struct ContainerCredentialTests {
    private static let lent = LoopbackService.Reply(
        200,
        #"{"RoleArn": "arn", "AccessKeyId": "K", "SecretAccessKey": "S", "Token": "T", "Expiration": "2030-01-01T00:00:00Z"}"#
    )

    @Test("A container's URI lends credentials for the token of the environment or of a file")
    func lent() async throws {
        try await LoopbackService.withService { _ in
            Self.lent
        } _: { service async throws in
            try await withHome { environment async throws in
                var variables = environment
                variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "\(service.endpoint)/v1/role?id=1"
                let credentials = try #require(try await found(S3Options(), variables))
                #expect(credentials.accessKeyID == "K")
                #expect(credentials.secretAccessKey == "S")
                #expect(credentials.sessionToken == "T")
                #expect(credentials.expiration == Date(timeIntervalSince1970: 1_893_456_000))
                variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Basic abc="
                _ = try await found(S3Options(), variables)
                let file = try #require(environment["HOME"]) + "/token"
                try "from a file\n".write(toFile: file, atomically: true, encoding: .utf8)
                variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = file
                _ = try await found(S3Options(), variables)
                try "two\nlines\n".write(toFile: file, atomically: true, encoding: .utf8)
                let error = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
                #expect(error?.description.contains("in \(file), which has more than one line") == true)
                try FileManager.default.removeItem(atPath: file)
                let missing = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
                #expect(missing?.description.contains("needs the token in \(file), which cannot be read") == true)
            }
            #expect(service.requests.map { $0.headers["authorization"] } == [nil, "Basic abc=", "from a file"])
            #expect(service.requests.first?.path == "/v1/role")
            #expect(service.requests.first?.query == "id=1")
        }
    }

    @Test(
        "Plain http is allowed only on this machine and at Amazon's addresses",
        arguments: [
            ("http://127.0.0.1:80/x", true), ("http://127.9.8.7/", true), ("http://localhost:4/x", true),
            ("http://[::1]:80/x", true), ("http://169.254.170.2/x", true), ("http://169.254.170.23/v1", true),
            ("http://[fd00:ec2::23]/v1", true), ("https://example.com/x", true), ("http://example.com/x", false),
            ("http://127.example.com/", false), ("http://127.0.0.1.example.com/", false), ("http://10.0.0.1/", false),
            ("http://169.254.170.24/", false), ("http://[fd00:ec2::254]/", false), ("ftp://127.0.0.1/", false),
            ("http://127.0.0.1@example.com/", false), ("http:///x", false), ("x", false), ("", false),
        ]
    )
    func allowed(uri: String, isAllowed: Bool) {
        #expect(ContainerCredentials.isAllowed(uri) == isAllowed)
    }

    @Test("Other addresses are refused")
    func refusedAddress() async throws {
        try await withHome { environment async throws in
            var variables = environment
            variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://me:secret@example.com/x"
            let error = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            #expect(
                error?.description == "the container's credentials URI is http://***@example.com/x, which is neither "
                    + "https nor a loopback address nor one of Amazon's two; "
                    + "check AWS_CONTAINER_CREDENTIALS_FULL_URI and the variables that belong to it"
            )
            // The relative one wins, and stays on its host.
            variables["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "@example.com/x"
            let relative = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            #expect(relative?.description.contains("is \"@example.com/x\", which does not begin with a slash") == true)
        }
    }

    @Test("A service that fails temporarily is asked again")
    func retries() async throws {
        let failures = Mutex([LoopbackService.Reply(500), .init(429)])
        try await LoopbackService.withService { _ in
            failures.withLock { $0.popLast() } ?? Self.lent
        } _: {
            service async throws in
            let variables = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": service.endpoint, "HOME": "/nonexistent"]
            #expect(try await found(S3Options(), variables)?.accessKeyID == "K")
            #expect(service.requests.count == 3)
        }
    }

    @Test("A refusal is explained without the token")
    func refused() async throws {
        try await LoopbackService.withService { request in
            .init(403, #"{"code": "AccessDenied", "message": "Not with \#(request.headers["authorization"] ?? "")"}"#)
        } _: { service async throws in
            let variables = [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": service.endpoint, "HOME": "/nonexistent",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "the-token",
            ]
            let error = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            #expect(
                error?.description == "the container's credentials URI (\(service.endpoint)) answered with status 403 "
                    + "and no credentials (AccessDenied: Not with ***); "
                    + "check AWS_CONTAINER_CREDENTIALS_FULL_URI and the variables that belong to it"
            )
            #expect(service.requests.count == 1)
        }
    }

    @Test(
        "Credentials without valid keys and time are an error",
        arguments: [
            #"{"AccessKeyId": "", "SecretAccessKey": "S"}"#, #"{"AccessKeyId": "K"}"#, "",
            #"{"AccessKeyId": "K", "SecretAccessKey": "S", "Expiration": "soon"}"#,
        ]
    )
    func nonsense(body: String) async throws {
        try await LoopbackService.withService { _ in
            .init(200, body)
        } _: { service async throws in
            let variables = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": service.endpoint, "HOME": "/nonexistent"]
            let error = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            #expect(error?.code == .noCredentials)
            #expect(error?.description.contains("container's credentials URI") == true)
        }
    }
}

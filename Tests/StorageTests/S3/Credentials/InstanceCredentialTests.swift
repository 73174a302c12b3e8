import DatabudgieTestSupport
import Foundation
import Synchronization
import Testing

@testable import Storage

@Suite("Credentials of an EC2 instance")
struct InstanceCredentialTests {
    private static let roles = "/latest/meta-data/iam/security-credentials/"

    /// Answers as version 2 of the metadata service does.
    private static func answer(
        _ request: LoopbackService.Request,
        role: LoopbackService.Reply = .init(
            200,
            #"{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "K", "SecretAccessKey": "S", "Token": "T", "Expiration": "2030-01-01T00:00:00Z"}"#
        )
    ) -> LoopbackService.Reply {
        switch (request.method, request.path) {
        case ("PUT", "/latest/api/token"):
            request.headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600" ? .init(200, "the-token") : .init(400)
        case _ where request.headers["x-aws-ec2-metadata-token"] != "the-token": .init(401)
        case ("GET", roles): .init(200, "my-role\n")
        case ("GET", roles + "my-role"): role
        default: .init(404)
        }
    }

    @Test("An instance lends credentials after a token was fetched")
    func lent() async throws {
        try await LoopbackService.withService {
            Self.answer($0)
        } _: { service async throws in
            var variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": service.endpoint, "HOME": "/nonexistent"]
            let credentials = try #require(try await found(S3Options(), variables))
            #expect(credentials.accessKeyID == "K")
            #expect(credentials.sessionToken == "T")
            #expect(credentials.source == "the role my-role of this EC2 instance")
            #expect(service.requests.map(\.method) == ["PUT", "GET", "GET"])
            variables["AWS_EC2_METADATA_DISABLED"] = "true"
            await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            #expect(service.requests.count == 3)
        }
    }

    @Test("The metadata service is found where the profile says")
    func profile() async throws {
        try await LoopbackService.withService {
            Self.answer($0)
        } _: { service async throws in
            try await withHome(config: "[default]\nec2_metadata_service_endpoint = \(service.endpoint)/") {
                environment async throws in
                let variables = environment.merging(["AWS_EC2_METADATA_DISABLED": "false"]) { $1 }
                #expect(try await found(S3Options(), variables)?.accessKeyID == "K")
            }
        }
    }

    @Test("A metadata service that does not answer is not waited for", .timeLimit(.minutes(5)))
    func noInstance() async throws {
        try await FaultProxy.withProxy(to: "http://127.0.0.1:1", rules: [.init(.hang)]) { proxy async throws in
            let variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": proxy.endpoint, "HOME": "/nonexistent"]
            await #expect(throws: StorageError.self) { try await found(S3Options(), variables, policy: .impatient) }
            let hasty = variables.merging(["AWS_METADATA_SERVICE_TIMEOUT": "1"]) { $1 }
            await #expect(throws: StorageError.self) { try await found(S3Options(), hasty) }
        }
    }

    @Test("A missing metadata service is asked once, or as often as the settings say", arguments: [nil, "3"])
    func attempts(number: String?) async throws {
        let rules = [FaultProxy.Rule(.reset(afterBytes: 0))]
        try await FaultProxy.withProxy(to: "http://127.0.0.1:1", rules: rules) { proxy async throws in
            var variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": proxy.endpoint, "HOME": "/nonexistent"]
            variables["AWS_METADATA_SERVICE_NUM_ATTEMPTS"] = number
            await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            #expect(proxy.requests.map(\.method) == Array(repeating: "PUT", count: number == nil ? 1 : 3))
        }
    }

    @Test("A metadata service that fails temporarily is asked again")
    func retries() async throws {
        let failures = Mutex([Self.roles: 2, Self.roles + "my-role": 1])
        try await LoopbackService.withService { request in
            let fails = failures.withLock { failures in
                failures[request.path, default: 0] -= 1
                return failures[request.path, default: 0] >= 0
            }
            return fails ? .init(503) : Self.answer(request)
        } _: { service async throws in
            let variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": service.endpoint, "HOME": "/nonexistent"]
            #expect(try await found(S3Options(), variables)?.accessKeyID == "K")
            #expect(service.requests.count == 6)
        }
    }

    @Test(
        "An instance without a role or with its service switched off has no credentials",
        arguments: ["token", "role"]
    )
    func none(missing: String) async throws {
        try await LoopbackService.withService { request in
            switch (missing, request.method) {
            case ("token", _): .init(403)
            case (_, "PUT"): .init(200, "the-token")
            default: .init(404)
            }
        } _: { service async throws in
            let variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": service.endpoint, "HOME": "/nonexistent"]
            let error = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            #expect(error?.description.hasPrefix("no S3 credentials were found in any of these places: ") == true)
            #expect(service.requests.count == (missing == "token" ? 1 : 2))
        }
    }

    @Test("A role that the instance cannot assume is an error")
    func unauthorized() async throws {
        let refusal = LoopbackService.Reply(
            200,
            #"{"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role my-role."}"#
        )
        try await LoopbackService.withService {
            Self.answer($0, role: refusal)
        } _: { service async throws in
            let variables = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": service.endpoint, "HOME": "/nonexistent"]
            let error = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            #expect(
                error?.description == "the EC2 instance's metadata service gave no credentials for the role my-role "
                    + "(status 200) (AssumeRoleUnauthorizedAccess: EC2 cannot assume the role my-role.); "
                    + "check the role of the instance"
            )
        }
    }
}

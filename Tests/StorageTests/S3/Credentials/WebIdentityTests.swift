import DatabudgieTestSupport
import Foundation
import Synchronization
import Testing

@testable import Storage

@Suite("Credentials of a web identity")
struct WebIdentityTests {
    private static let arn = "arn:aws:iam::123456789012:role/backup"

    /// A home folder with a token in it, and the variables that Kubernetes sets.
    private func withToken(
        config: String? = nil,
        _ body: (_ environment: [String: String], _ file: String) async throws -> Void
    ) async throws {
        try await withHome(config: config) { environment async throws in
            let file = try #require(environment["HOME"]) + "/token"
            try "eyJhbGciOi.to+ken/=\n".write(toFile: file, atomically: true, encoding: .utf8)
            try await body(environment, file)
        }
    }

    @Test("Credentials come from STS, unsigned, for the token in the file")
    func environment() async throws {
        try await LoopbackService.withService { _ in
            TokenService.credentials("AssumeRoleWithWebIdentity")
        } _: {
            service async throws in
            try await withToken { environment, file async throws in
                var variables = environment
                variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = file
                variables["AWS_ROLE_ARN"] = Self.arn
                variables["AWS_ROLE_SESSION_NAME"] = "my pod"
                variables["AWS_ENDPOINT_URL_STS"] = service.endpoint
                let credentials = try #require(try await found(S3Options(), variables))
                #expect(credentials.accessKeyID == "ASIAROLE")
                #expect(credentials.secretAccessKey == "role secret")
                #expect(credentials.sessionToken == "role token")
                #expect(credentials.expiration == Date(timeIntervalSince1970: 1_893_456_000))
                #expect(credentials.source == "the role \(Self.arn) (AWS_ROLE_ARN)")

                variables["AWS_ROLE_SESSION_NAME"] = nil
                _ = try await found(S3Options(), variables, policy: .quick(at: 1_700_000_000))
                // Keys in the environment come before it.
                variables["AWS_ACCESS_KEY_ID"] = "E"
                variables["AWS_SECRET_ACCESS_KEY"] = "e"
                #expect(try await found(S3Options(), variables)?.accessKeyID == "E")
            }
            let requests = service.requests
            #expect(requests.map(\.method) == ["POST", "POST"])
            #expect(requests.map(\.path) == ["/", "/"])
            let request = try #require(requests.first)
            #expect(request.headers["authorization"] == nil)
            #expect(request.headers["content-type"] == "application/x-www-form-urlencoded; charset=utf-8")
            #expect(
                request.form == [
                    "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": Self.arn,
                    "RoleSessionName": "my pod", "WebIdentityToken": "eyJhbGciOi.to+ken/=",
                ]
            )
            #expect(requests.last?.form["RoleSessionName"] == "databudgie-1700000000")
        }
    }

    @Test("A web identity comes before a profile that the configuration does not name")
    func order() async throws {
        try await LoopbackService.withService { _ in
            TokenService.credentials("AssumeRoleWithWebIdentity")
        } _: {
            service async throws in
            try await withToken(config: "[default]\naws_access_key_id = P\naws_secret_access_key = p") {
                environment,
                file async throws in
                let variables = environment.merging([
                    "AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": Self.arn,
                    "AWS_ENDPOINT_URL_STS": service.endpoint,
                ]) { $1 }
                #expect(try await found(S3Options(), variables)?.accessKeyID == "ASIAROLE")
                #expect(try await found(S3Options(profile: "default"), variables)?.accessKeyID == "P")
            }
        }
    }

    @Test("A profile can describe a web identity as well")
    func profile() async throws {
        try await LoopbackService.withService { _ in
            TokenService.credentials("AssumeRoleWithWebIdentity")
        } _: {
            service async throws in
            try await withToken { environment, file async throws in
                let config = """
                    [profile p]
                    role_arn = \(Self.arn)
                    web_identity_token_file = \(file)
                    role_session_name = nightly
                    duration_seconds = 900
                    endpoint_url = \(service.endpoint)
                    """
                try config.write(
                    toFile: "\(environment["HOME"] ?? "")/.aws/config",
                    atomically: true,
                    encoding: .utf8
                )
                let credentials = try #require(try await found(S3Options(profile: "p"), environment))
                #expect(credentials.source == "the role \(Self.arn) (the AWS profile \"p\")")
            }
            let form = try #require(service.requests.first).form
            #expect(form["RoleSessionName"] == "nightly")
            #expect(form["DurationSeconds"] == "900")
            #expect(form["WebIdentityToken"] == "eyJhbGciOi.to+ken/=")
        }
    }

    @Test("The token is the one that is in the file at that time")
    func rotation() async throws {
        try await LoopbackService.withService { _ in
            TokenService.credentials("AssumeRoleWithWebIdentity")
        } _: {
            service async throws in
            try await withToken { environment, file async throws in
                let variables = environment.merging([
                    "AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": Self.arn, "AWS_ENDPOINT_URL": service.endpoint,
                ]) { $1 }
                let client = S3Client(options: S3Options(), environment: variables, policy: .quick)
                let provider = try client.credentialProvider()
                _ = try await provider.credentials()
                try "second".write(toFile: file, atomically: true, encoding: .utf8)
                _ = try await provider.credentials()
                try await client.shutdown()
            }
            #expect(service.requests.map { $0.form["WebIdentityToken"] } == ["eyJhbGciOi.to+ken/=", "second"])
        }
    }

    @Test(
        "A refusal by STS is explained without the token",
        arguments: [
            ("InvalidIdentityToken", 400, StorageError.Code.wrongCredentials, "does not accept the web identity token"),
            ("ExpiredTokenException", 400, .expiredCredentials, "; renew the web identity token in "),
            ("IDPRejectedClaim", 403, .wrongCredentials, "does not accept the web identity token"),
            ("AccessDenied", 403, .accessDenied, "denies it to the web identity token"),
            ("ValidationError", 400, .rejected, "rejected the request with status 400"),
        ]
    )
    func refused(code: String, status: Int, kind: StorageError.Code, words: String) async throws {
        try await LoopbackService.withService { request in
            TokenService.refusal(status, code, "Cannot use \(request.form["WebIdentityToken"] ?? "")!")
        } _: { service async throws in
            try await withToken { environment, file async throws in
                let variables = environment.merging([
                    "AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": Self.arn,
                    "AWS_ENDPOINT_URL_STS": service.endpoint,
                ]) { $1 }
                let error = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
                #expect(error?.code == kind)
                let description = error?.description ?? ""
                #expect(description.hasPrefix("the role \(Self.arn) of AWS_ROLE_ARN cannot be assumed: "))
                #expect(description.contains("\(words)"))
                #expect(description.contains("(\(code): Cannot use ***!)"))
                #expect(!description.contains("eyJhbGciOi"))
            }
            #expect(service.requests.count == 1)
        }
    }

    @Test("STS is asked again when it is busy")
    func throttling() async throws {
        let refusals = Mutex([
            TokenService.refusal(400, "Throttling"), TokenService.refusal(400, "IDPCommunicationError"),
            LoopbackService.Reply(503, "<html>busy</html>"),
        ])
        try await LoopbackService.withService { _ in
            refusals.withLock { $0.popLast() } ?? TokenService.credentials("AssumeRoleWithWebIdentity")
        } _: { service async throws in
            try await withToken { environment, file async throws in
                let variables = environment.merging([
                    "AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": Self.arn,
                    "AWS_ENDPOINT_URL_STS": service.endpoint,
                ]) { $1 }
                #expect(try await found(S3Options(), variables)?.accessKeyID == "ASIAROLE")
            }
            #expect(service.requests.count == 4)
        }
    }

    @Test("A missing role or token is reported")
    func incomplete() async throws {
        try await withHome { environment async throws in
            let home = try #require(environment["HOME"])
            var variables = environment.merging(["AWS_WEB_IDENTITY_TOKEN_FILE": "\(home)/none"]) { $1 }
            var error = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            #expect(
                error?.description == "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not; set both"
            )
            variables["AWS_ROLE_ARN"] = Self.arn
            error = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            #expect(
                error?.description
                    == "the file \(home)/none with the web identity token for the role \(Self.arn) "
                    + "(AWS_ROLE_ARN) cannot be read; check its path, owner, mode and content"
            )
            try "a b".write(toFile: "\(home)/none", atomically: true, encoding: .utf8)
            error = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            #expect(error?.description.contains("does not hold one token; check its path") == true)
        }
        try await withHome(config: "[profile p]\nweb_identity_token_file = /x") { environment async throws in
            let error = await #expect(throws: StorageError.self) {
                try await found(S3Options(profile: "p"), environment)
            }
            #expect(
                error?.description == "the AWS profile \"p\" has web_identity_token_file but no role_arn; add role_arn"
            )
        }
    }
}

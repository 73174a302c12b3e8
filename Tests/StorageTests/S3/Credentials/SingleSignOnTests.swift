import Crypto
import DatabudgieTestSupport
import Foundation
import Testing

@testable import Storage

@Suite("Credentials of a single sign-on")
struct SingleSignOnTests {
    /// 2026-01-01T00:00:00Z.
    private static let now: TimeInterval = 1_767_225_600

    private static let config = """
        [profile p]
        sso_session = my-sso
        sso_account_id = 123456789012
        sso_role_name = Back up
        [sso-session my-sso]
        sso_region = eu-west-1
        sso_start_url = https://example.awsapps.com/start
        sso_registration_scopes = sso:account:access
        [profile old]
        sso_start_url = https://old.awsapps.com/start
        sso_region = eu-west-1
        sso_account_id = 123456789012
        sso_role_name = Back up
        """

    private static let lent = LoopbackService.Reply(
        200,
        #"{"roleCredentials": {"accessKeyId": "ASIASSO", "secretAccessKey": "sso secret", "sessionToken": "sso token", "expiration": 1893456000000}}"#
    )

    private static func token(
        _ token: String = "the-token",
        expires: String = "2026-01-01T08:00:00Z",
        renewable: Bool = true,
        registration: String = "2026-03-01T00:00:00Z"
    ) -> String {
        let secrets = """
            , "clientId": "the-client", "clientSecret": "client secret", "refreshToken": "refresh 1",
            "registrationExpiresAt": "\(registration)", "note": "kept"
            """
        return """
            {"startUrl": "https://example.awsapps.com/start", "region": "eu-west-1", "accessToken": "\(token)",
            "expiresAt": "\(expires)"\(renewable ? secrets : "")}
            """
    }

    /// A home folder with a token as `aws sso login` leaves it.
    private func withSignOn(
        _ token: String?,
        name: String = "my-sso",
        config: String = SingleSignOnTests.config,
        service: LoopbackService,
        _ body: (_ environment: [String: String], _ file: String) async throws -> Void
    ) async throws {
        try await withHome(config: config) { environment async throws in
            let folder = try #require(environment["HOME"]) + "/.aws/sso/cache"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let digest = Insecure.SHA1.hash(data: Data(name.utf8)).map { String(format: "%02x", $0) }.joined()
            let file = "\(folder)/\(digest).json"
            try token?.write(toFile: file, atomically: true, encoding: .utf8)
            let variables = environment.merging([
                "AWS_ENDPOINT_URL_SSO": service.endpoint, "AWS_ENDPOINT_URL_SSO_OIDC": service.endpoint + "/oidc",
            ]) { $1 }
            try await body(variables, file)
        }
    }

    private func lookup(_ profile: String, _ environment: [String: String]) async throws -> Credentials? {
        try await found(S3Options(profile: profile), environment, policy: .quick(at: Self.now))
    }

    @Test("Credentials are lent for the token that aws sso login left", arguments: ["p", "old"])
    func lent(profile: String) async throws {
        try await LoopbackService.withService { _ in
            Self.lent
        } _: { service async throws in
            let name = profile == "p" ? "my-sso" : "https://old.awsapps.com/start"
            try await withSignOn(Self.token(), name: name, service: service) { environment, file async throws in
                let before = try String(contentsOfFile: file, encoding: .utf8)
                let credentials = try await lookup(profile, environment)
                #expect(credentials?.accessKeyID == "ASIASSO")
                #expect(credentials?.secretAccessKey == "sso secret")
                #expect(credentials?.sessionToken == "sso token")
                #expect(credentials?.expiration == Date(timeIntervalSince1970: 1_893_456_000))
                #expect(
                    credentials?.source
                        == "the role Back up in the account 123456789012 (AWS profile \"\(profile)\")"
                )
                #expect(try String(contentsOfFile: file, encoding: .utf8) == before)
            }
            #expect(service.requests.count == 1)
            let request = try #require(service.requests.first)
            #expect(request.method == "GET")
            #expect(request.path == "/federation/credentials")
            #expect(request.parameters == ["role_name": "Back up", "account_id": "123456789012"])
            #expect(request.headers["x-amz-sso_bearer_token"] == "the-token")
            #expect(request.headers["authorization"] == nil)
        }
    }

    @Test("A sign-on can be the source of another role")
    func source() async throws {
        try await LoopbackService.withService { request in
            request.method == "GET" ? Self.lent : TokenService.credentials()
        } _: { service async throws in
            let config = Self.config + "\n[profile role]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = p"
            try await withSignOn(Self.token(), config: config, service: service) { environment, _ async throws in
                let variables = environment.merging(["AWS_ENDPOINT_URL_STS": service.endpoint]) { $1 }
                #expect(try await lookup("role", variables)?.accessKeyID == "ASIAROLE")
            }
            let request = try #require(service.requests.last)
            #expect(TokenService.scope(ofSigned: request, id: "ASIASSO", secret: "sso secret") != nil)
            #expect(request.headers["x-amz-security-token"] == "sso token")
        }
    }

    @Test(
        "A token that has ended or is about to is renewed, and the new one kept",
        arguments: ["2025-12-31T23:00:00Z", "2026-01-01T00:04:00Z", "2025-12-31T23:00:00UTC"]
    )
    func renewal(expires: String) async throws {
        try await LoopbackService.withService { request in
            guard request.path == "/oidc/token" else { return Self.lent }
            return .init(
                200,
                #"{"accessToken": "token 2", "expiresIn": 28800, "refreshToken": "refresh 2", "tokenType": "Bearer"}"#
            )
        } _: { service async throws in
            try await withSignOn(Self.token(expires: expires), service: service) { environment, file async throws in
                #expect(try await lookup(environment)?.accessKeyID == "ASIASSO")
                let kept = try JSONDecoder().decode(
                    [String: String].self,
                    from: Data(contentsOf: URL(filePath: file))
                )
                #expect(
                    kept == [
                        "startUrl": "https://example.awsapps.com/start", "region": "eu-west-1",
                        "accessToken": "token 2", "expiresAt": "2026-01-01T08:00:00Z", "clientId": "the-client",
                        "clientSecret": "client secret", "refreshToken": "refresh 2",
                        "registrationExpiresAt": "2026-03-01T00:00:00Z", "note": "kept",
                    ]
                )
                let attributes = try FileManager.default.attributesOfItem(atPath: file)
                #expect(attributes[.posixPermissions] as? Int == 0o600)
                let folder = URL(filePath: file).deletingLastPathComponent().path(percentEncoded: false)
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
                // The next one finds the new token in the file.
                #expect(try await lookup(environment)?.accessKeyID == "ASIASSO")
            }
            let requests = service.requests
            #expect(requests.map(\.method) == ["POST", "GET", "GET"])
            #expect(requests[0].headers["content-type"] == "application/json")
            #expect(
                try JSONDecoder().decode([String: String].self, from: Data(requests[0].body.utf8)) == [
                    "clientId": "the-client", "clientSecret": "client secret", "refreshToken": "refresh 1",
                    "grantType": "refresh_token",
                ]
            )
            #expect(requests[1].headers["x-amz-sso_bearer_token"] == "token 2")
            #expect(requests[2].headers["x-amz-sso_bearer_token"] == "token 2")
        }
    }

    @Test(
        "A token that cannot be renewed asks for a new sign-on",
        arguments: [
            (token(expires: "2025-12-31T23:00:00Z", renewable: false), "its token has expired", 0),
            (
                token(expires: "2025-12-31T23:00:00Z", registration: "2025-12-01T00:00:00Z"),
                "its token has expired", 0
            ),
            (token(expires: "2025-12-31T23:00:00Z"), "its token has expired", 1),
            ("{}", "there is no token for it in ", 0), ("no JSON", "there is no token for it in ", 0),
            (nil, "there is no token for it in ", 0),
        ]
    )
    func ended(token: String?, reason: String, renewals: Int) async throws {
        try await LoopbackService.withService { _ in
            .init(400, #"{"error": "invalid_grant", "error_description": "Invalid refresh token: refresh 1"}"#)
        } _: { service async throws in
            try await withSignOn(token, service: service) { environment, _ async throws in
                let error = await #expect(throws: StorageError.self) { try await lookup(environment) }
                #expect(error?.code == .expiredCredentials)
                let description = error?.description ?? ""
                #expect(description.hasPrefix("the AWS profile \"p\" signs on by SSO, but \(reason)"))
                #expect(description.hasSuffix("; run `aws sso login --profile p`"))
                #expect(!description.contains("refresh 1"))
            }
            #expect(service.requests.count == renewals)
        }
    }

    @Test("A token that still works is used when it cannot be renewed yet")
    func stillValid() async throws {
        try await LoopbackService.withService { request in
            request.path == "/oidc/token" ? .init(500, "") : Self.lent
        } _: { service async throws in
            try await withSignOn(Self.token(expires: "2026-01-01T00:04:00Z"), service: service) {
                environment,
                _ async throws in
                #expect(try await lookup(environment)?.accessKeyID == "ASIASSO")
            }
            #expect(service.requests.count == 5)
            #expect(service.requests.last?.headers["x-amz-sso_bearer_token"] == "the-token")
        }
    }

    @Test("A token that another program has renewed meanwhile is used")
    func overtaken() async throws {
        try await withHome(config: Self.config) { environment async throws in
            let folder = try #require(environment["HOME"]) + "/.aws/sso/cache"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let digest = Insecure.SHA1.hash(data: Data("my-sso".utf8)).map { String(format: "%02x", $0) }.joined()
            let file = "\(folder)/\(digest).json"
            try Self.token(expires: "2025-12-31T23:00:00Z").write(toFile: file, atomically: true, encoding: .utf8)
            try await LoopbackService.withService { request in
                guard request.path == "/token" else { return Self.lent }
                try? Self.token("theirs").write(toFile: file, atomically: true, encoding: .utf8)
                return .init(400, #"{"error": "invalid_grant"}"#)
            } _: { service async throws in
                let variables = environment.merging(["AWS_ENDPOINT_URL": service.endpoint]) { $1 }
                let credentials = try await found(
                    S3Options(profile: "p"),
                    variables,
                    policy: .quick(at: Self.now)
                )
                #expect(credentials?.accessKeyID == "ASIASSO")
                #expect(service.requests.last?.headers["x-amz-sso_bearer_token"] == "theirs")
            }
        }
    }

    @Test("A renewal that keeps failing, or returns something else, is reported")
    func renewalFails() async throws {
        for (reply, code, words) in [
            (
                LoopbackService.Reply(429, #"{"error": "slow_down", "error_description": "client secret"}"#),
                StorageError.Code.unavailable, "/oidc keeps failing (slow_down: ***); try again later"
            ),
            (
                .init(200, "<html>"), .unexpectedReply,
                "/oidc did not return an SSO token for the AWS profile \"p\"; check that AWS_ENDPOINT_URL_SSO_OIDC, "
            ),
        ] {
            try await LoopbackService.withService { _ in
                reply
            } _: { service async throws in
                try await withSignOn(Self.token(expires: "2025-12-31T23:00:00Z"), service: service) {
                    environment,
                    _ async throws in
                    let error = await #expect(throws: StorageError.self) { try await lookup(environment) }
                    #expect(error?.code == code)
                    #expect(error?.description.contains(words) == true)
                }
            }
        }
    }

    @Test(
        "A refusal is explained without the token",
        arguments: [
            (
                401, "UnauthorizedException", StorageError.Code.expiredCredentials,
                "does not accept its token (UnauthorizedException: No, ***); run `aws sso login --profile p`", 1
            ),
            (
                403, "ForbiddenException", .accessDenied,
                "with status 403 (ForbiddenException: No, ***); "
                    + "check sso_account_id, sso_role_name and what is assigned to you",
                1
            ),
            (
                400, "InvalidRequestException", .rejected,
                "with status 400 (InvalidRequestException: No, ***); "
                    + "check sso_account_id, sso_role_name and sso_region",
                1
            ),
            (
                429, "TooManyRequestsException", .unavailable,
                "with status 429 (TooManyRequestsException: No, ***); try again later", 4
            ),
        ]
    )
    func refused(status: Int, name: String, code: StorageError.Code, words: String, count: Int) async throws {
        try await LoopbackService.withService { request in
            .init(
                status,
                #"{"message": "No, \#(request.headers["x-amz-sso_bearer_token"] ?? "")"}"#,
                headers: ["x-amzn-ErrorType": "\(name):http://internal.amazon.com/coral/"]
            )
        } _: { service async throws in
            try await withSignOn(Self.token(), service: service) { environment, _ async throws in
                let error = await #expect(throws: StorageError.self) { try await lookup(environment) }
                #expect(error?.code == code)
                #expect(error?.description.hasSuffix(words) == true)
            }
            #expect(service.requests.count == count)
        }
    }

    @Test("Credentials are not made up from another reply")
    func wrongJSON() async throws {
        try await LoopbackService.withService { _ in
            .init(200, "{}")
        } _: { service async throws in
            try await withSignOn(Self.token(), service: service) { environment, _ async throws in
                let error = await #expect(throws: StorageError.self) { try await lookup(environment) }
                #expect(error?.code == .unexpectedReply)
            }
        }
    }

    @Test(
        "A missing setting of the profile or its session is named",
        arguments: [
            (
                "sso_session = s\nsso_account_id = 1\nsso_role_name = r",
                "has the sso_session \"s\", which is not in HOME/.aws/config; "
                    + "add the section [sso-session s] or correct the name"
            ),
            (
                "sso_session = s\nsso_account_id = 1\n[sso-session s]\nsso_region = x",
                "signs on by SSO but lacks sso_role_name; add it, or run `aws configure sso`"
            ),
            (
                "sso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]\nsso_start_url = x",
                "signs on by SSO but lacks sso_region; add it, or run `aws configure sso`"
            ),
            (
                "sso_account_id = 1\nsso_role_name = r",
                "signs on by SSO but lacks sso_start_url; add it, or run `aws configure sso`"
            ),
            (
                "sso_session = s\n[sso-session s]\nsso_region = x",
                "signs on by SSO but lacks sso_account_id; add it, or run `aws configure sso`"
            ),
        ]
    )
    func incomplete(settings: String, message: String) async throws {
        try await withHome(config: "[profile p]\n\(settings)") { environment async throws in
            let error = await #expect(throws: StorageError.self) { try await lookup(environment) }
            #expect(error?.code == .invalidConfiguration)
            let expected = message.replacing("HOME", with: environment["HOME"] ?? "")
            #expect(error?.description == "the AWS profile \"p\" \(expected)")
        }
    }

    private func lookup(_ environment: [String: String]) async throws -> Credentials? {
        try await lookup("p", environment)
    }
}

import DatabudgieTestSupport
import Foundation
import Testing

@testable import Storage

@Suite("Credentials of an assumed role")
struct AssumedRoleTests {
    private static let arn = "arn:aws:iam::123456789012:role/backup"
    private static let credentials = """
        [base]
        aws_access_key_id = AKIABASE
        aws_secret_access_key = base secret
        """

    @Test("Credentials come from STS, signed with the source profile's keys")
    func sourceProfile() async throws {
        try await LoopbackService.withService { _ in
            TokenService.credentials()
        } _: { service async throws in
            let config = """
                [profile p]
                role_arn = \(Self.arn)
                source_profile = base
                external_id = partner 7
                role_session_name = nightly@example.com
                duration_seconds = 3600
                region = eu-central-1
                services = mine
                endpoint_url = http://127.0.0.1:1
                [services mine]
                s3 =
                  endpoint_url = http://127.0.0.1:2
                sts =
                  endpoint_url = \(service.endpoint)
                """
            try await withHome(config: config, credentials: Self.credentials) { environment async throws in
                let options = S3Options(profile: "p")
                let credentials = try await found(options, environment, policy: .quick(at: 1_767_225_600))
                #expect(credentials?.accessKeyID == "ASIAROLE")
                #expect(credentials?.secretAccessKey == "role secret")
                #expect(credentials?.sessionToken == "role token")
                #expect(credentials?.expiration == Date(timeIntervalSince1970: 1_893_456_000))
                #expect(credentials?.source == "the role \(Self.arn) (the AWS profile \"p\")")
            }
            #expect(service.requests.count == 1)
            let request = try #require(service.requests.first)
            #expect(
                request.form == [
                    "Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": Self.arn, "ExternalId": "partner 7",
                    "RoleSessionName": "nightly@example.com", "DurationSeconds": "3600",
                ]
            )
            let scope = TokenService.scope(ofSigned: request, id: "AKIABASE", secret: "base secret")
            #expect(scope == "20260101/eu-central-1/sts")
            #expect(TokenService.scope(ofSigned: request, id: "AKIABASE", secret: "another") == nil)
            #expect(request.headers["x-amz-date"] == "20260101T000000Z")
            #expect(request.headers["x-amz-security-token"] == nil)
        }
    }

    @Test("Roles can lead to roles, each signing for the next")
    func chain() async throws {
        try await LoopbackService.withService { request in
            let name = request.form["RoleArn"]?.split(separator: "/").last ?? ""
            return TokenService.credentials(id: "ASIA-\(name)", secret: "secret \(name)", token: "token \(name)")
        } _: { service async throws in
            let config = """
                [profile outer]
                role_arn = arn:aws:iam::1:role/outer
                source_profile = inner
                [profile inner]
                role_arn = arn:aws:iam::1:role/inner
                source_profile = base
                """
            try await withHome(config: config, credentials: Self.credentials) { environment async throws in
                let variables = environment.merging([
                    "AWS_PROFILE": "outer", "AWS_ENDPOINT_URL": service.endpoint, "AWS_REGION": "us-west-2",
                ]) { $1 }
                #expect(try await found(S3Options(), variables)?.accessKeyID == "ASIA-outer")
            }
            let requests = service.requests
            #expect(requests.map { $0.form["RoleArn"]?.suffix(5) } == ["inner", "outer"])
            #expect(
                TokenService.scope(ofSigned: requests[0], id: "AKIABASE", secret: "base secret")?
                    .hasSuffix("/us-west-2/sts") == true
            )
            #expect(requests[1].headers["x-amz-security-token"] == "token inner")
            #expect(TokenService.scope(ofSigned: requests[1], id: "ASIA-inner", secret: "secret inner") != nil)
        }
    }

    @Test("A role can begin with keys in the same profile")
    func selfReference() async throws {
        try await LoopbackService.withService { _ in
            TokenService.credentials()
        } _: { service async throws in
            let config = "[profile base]\nrole_arn = \(Self.arn)\nsource_profile = base"
            try await withHome(config: config, credentials: Self.credentials) { environment async throws in
                let variables = environment.merging(["AWS_ENDPOINT_URL_STS": service.endpoint]) { $1 }
                #expect(try await found(S3Options(profile: "base"), variables)?.accessKeyID == "ASIAROLE")
            }
            let request = try #require(service.requests.first)
            #expect(TokenService.scope(ofSigned: request, id: "AKIABASE", secret: "base secret") != nil)
        }
    }

    @Test("Keys of a source profile come before its role")
    func sourceWithRole() async throws {
        try await LoopbackService.withService { _ in
            TokenService.credentials()
        } _: { service async throws in
            let config = """
                [profile p]
                role_arn = \(Self.arn)
                source_profile = base
                [profile base]
                role_arn = arn:aws:iam::1:role/other
                source_profile = base
                """
            try await withHome(config: config, credentials: Self.credentials) { environment async throws in
                let variables = environment.merging(["AWS_ENDPOINT_URL_STS": service.endpoint]) { $1 }
                #expect(try await found(S3Options(profile: "p"), variables)?.accessKeyID == "ASIAROLE")
            }
            #expect(service.requests.map { $0.form["RoleArn"] } == [Self.arn])
        }
    }

    @Test("A role can begin with the environment, an instance or a container", arguments: [0, 1, 2])
    func credentialSource(index: Int) async throws {
        let place = ["Environment", "Ec2InstanceMetadata", "EcsContainer"][index]
        let lent =
            #"{"AccessKeyId": "LENT", "SecretAccessKey": "lent", "Token": "t", "Expiration": "2030-01-01T00:00:00Z"}"#
        try await LoopbackService.withService { request in
            switch request.path {
            case "/": TokenService.credentials()
            case "/latest/api/token": .init(200, "the-token")
            case "/latest/meta-data/iam/security-credentials/": .init(200, "my-role")
            default: .init(200, lent)
            }
        } _: { service async throws in
            try await withHome(config: "[profile p]\nrole_arn = \(Self.arn)\ncredential_source = \(place)") {
                environment async throws in
                var variables = environment
                variables["AWS_ENDPOINT_URL_STS"] = service.endpoint
                let nothing = await #expect(throws: StorageError.self) {
                    try await found(S3Options(profile: "p"), variables)
                }
                #expect(
                    nothing?.description.hasPrefix("the AWS profile \"p\" has the credential_source \(place), but ")
                        == true
                )
                switch index {
                case 0:
                    variables["AWS_ACCESS_KEY_ID"] = "LENT"
                    variables["AWS_SECRET_ACCESS_KEY"] = "lent"
                case 1:
                    variables["AWS_EC2_METADATA_DISABLED"] = "false"
                    variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = service.endpoint + "/"
                default:
                    variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = service.endpoint + "/lent"
                }
                #expect(try await found(S3Options(profile: "p"), variables)?.accessKeyID == "ASIAROLE")
            }
            let request = try #require(service.requests.last)
            #expect(TokenService.scope(ofSigned: request, id: "LENT", secret: "lent") != nil)
        }
    }

    @Test(
        "Profiles that make no sense are explained",
        arguments: [
            (
                "source_profile = p",
                "the AWS profiles refer to one another in a circle: \"p\" → \"p\"; "
                    + "let source_profile of the last one name a profile with credentials of its own"
            ),
            (
                "source_profile = q\n[profile q]\nrole_arn = r\nsource_profile = p",
                "the AWS profiles refer to one another in a circle: \"p\" → \"q\" → \"p\"; "
                    + "let source_profile of the last one name a profile with credentials of its own"
            ),
            (
                // Keys help only a profile that names itself.
                "source_profile = q\naws_access_key_id = a\naws_secret_access_key = b\n"
                    + "[profile q]\nrole_arn = r\nsource_profile = p",
                "the AWS profiles refer to one another in a circle: \"p\" → \"q\" → \"p\"; "
                    + "let source_profile of the last one name a profile with credentials of its own"
            ),
            (
                "source_profile = q\n[profile q]\nregion = x",
                "the AWS profile \"p\" has the source_profile \"q\", which has no credentials; add some"
            ),
            (
                "region = x",
                "the AWS profile \"p\" has a role_arn but does not say which credentials assume the role; "
                    + "add source_profile, credential_source or web_identity_token_file"
            ),
            (
                "source_profile = a\ncredential_source = Environment",
                "the AWS profile \"p\" has both source_profile and credential_source; remove one of them"
            ),
            (
                "credential_source = Moon",
                "the AWS profile \"p\" has the unknown credential_source \"Moon\"; "
                    + "choose Environment, Ec2InstanceMetadata or EcsContainer"
            ),
            (
                "source_profile = base\nduration_seconds = 1h",
                "duration_seconds of the AWS profile \"p\" cannot be \"1h\"; give a number of seconds from 900 to 43200"
            ),
            (
                "source_profile = base\nmfa_serial = arn:aws:iam::1:mfa/me",
                "the AWS profile \"p\" has mfa_serial, but an MFA code cannot be entered here; "
                    + "export temporary credentials first: "
                    + "eval \"$(aws configure export-credentials --profile p --format env)\""
            ),
        ]
    )
    func nonsense(settings: String, message: String) async throws {
        let config = "[profile p]\nrole_arn = \(Self.arn)\n\(settings)"
        try await withHome(config: config, credentials: Self.credentials) { environment async throws in
            let variables = environment.merging(["AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"]) { $1 }
            let error = await #expect(throws: StorageError.self) {
                try await found(S3Options(profile: "p"), variables)
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.description == message)
        }
    }

    @Test("A source profile that does not exist is an error")
    func missingSource() async throws {
        try await withHome(config: "[profile p]\nrole_arn = x\nsource_profile = nope") { environment async throws in
            let home = try #require(environment["HOME"])
            let error = await #expect(throws: StorageError.self) {
                try await found(S3Options(profile: "p"), environment)
            }
            #expect(
                error?.description == "the AWS profile \"p\" has the source_profile \"nope\", which is neither in "
                    + "\(home)/.aws/config nor in \(home)/.aws/credentials; correct its name or add it"
            )
        }
    }

    @Test(
        "A refusal by STS is explained without secrets",
        arguments: [
            (
                "AccessDenied", 403, StorageError.Code.accessDenied,
                "denies it to the credentials from the profile \"base\""
            ),
            (
                "ExpiredToken", 403, .expiredCredentials,
                "the credentials from the profile \"base\" expired (ExpiredToken: No"
            ),
            (
                "InvalidClientTokenId", 403, .wrongCredentials,
                "rejected the credentials from the profile \"base\" as wrong (InvalidClientTokenId"
            ),
            (
                "SignatureDoesNotMatch", 403, .wrongCredentials,
                "as wrong (SignatureDoesNotMatch); correct the credentials from the profile \"base\""
            ),
            ("ValidationError", 400, .rejected, "rejected the request with status 400"),
        ]
    )
    func refused(code: String, status: Int, kind: StorageError.Code, words: String) async throws {
        try await LoopbackService.withService { request in
            TokenService.refusal(status, code, "No: base secret, \(request.form["ExternalId"] ?? "")")
        } _: { service async throws in
            let config = "[profile p]\nrole_arn = \(Self.arn)\nsource_profile = base\nexternal_id = outside"
            try await withHome(config: config, credentials: Self.credentials) { environment async throws in
                let variables = environment.merging(["AWS_ENDPOINT_URL_STS": service.endpoint]) { $1 }
                let error = await #expect(throws: StorageError.self) {
                    try await found(S3Options(profile: "p"), variables)
                }
                #expect(error?.code == kind)
                let description = error?.description ?? ""
                #expect(description.hasPrefix("the role \(Self.arn) of the AWS profile \"p\" cannot be assumed: "))
                #expect(description.contains(words))
                #expect(!description.contains("base secret") && !description.contains("outside"))
            }
            #expect(service.requests.count == 1)
        }
    }

    @Test(
        "Credentials are not made up from another reply",
        arguments: ["<html>Welcome</html>", "{}", "", "<a><b></a>"]
    )
    func wrongXML(body: String) async throws {
        try await LoopbackService.withService { _ in
            .init(200, body)
        } _: { service async throws in
            let config = "[profile p]\nrole_arn = \(Self.arn)\nsource_profile = base"
            try await withHome(config: config, credentials: Self.credentials) { environment async throws in
                let variables = environment.merging(["AWS_ENDPOINT_URL_STS": service.endpoint]) { $1 }
                let error = await #expect(throws: StorageError.self) {
                    try await found(S3Options(profile: "p"), variables)
                }
                #expect(error?.code == .unexpectedReply)
                #expect(
                    error?.description
                        == "\(service.endpoint) did not return credentials for the role \(Self.arn) (the AWS profile \"p\"); "
                        + "check that AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL and endpoint_url point to an STS"
                )
            }
        }
    }

    @Test("An STS that keeps failing, or is not there, is reported")
    func unreachable() async throws {
        let config = "[profile p]\nrole_arn = \(Self.arn)\nsource_profile = base"
        try await LoopbackService.withService { _ in
            TokenService.refusal(400, "Throttling", "Rate exceeded")
        } _: {
            service async throws in
            try await withHome(config: config, credentials: Self.credentials) { environment async throws in
                let variables = environment.merging(["AWS_ENDPOINT_URL_STS": service.endpoint]) { $1 }
                let error = await #expect(throws: StorageError.self) {
                    try await found(S3Options(profile: "p"), variables)
                }
                #expect(error?.code == .unavailable)
                #expect(
                    error?.description.hasSuffix(
                        "\(service.endpoint) keeps failing (Throttling: Rate exceeded); try again later"
                    ) == true
                )
            }
            #expect(service.requests.count == 4)
        }
        try await withHome(config: config, credentials: Self.credentials) { environment async throws in
            let variables = environment.merging(["AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"]) { $1 }
            let error = await #expect(throws: StorageError.self) {
                try await found(S3Options(profile: "p"), variables)
            }
            #expect(error?.code == .unavailable)
            #expect(
                error?.description
                    == "credentials cannot be requested from http://127.0.0.1:1: the connection failed (4 attempts): "
                    + "connection refused; check the network, the region and AWS_ENDPOINT_URL_STS, then try again"
            )
        }
    }

    @Test("A wrong clock is corrected")
    func clockSkew() async throws {
        try await LoopbackService.withService { request in
            guard request.headers["x-amz-date"]?.hasPrefix("20260101T00") == true else {
                return TokenService.refusal(
                    403,
                    "SignatureDoesNotMatch",
                    "Signature expired",
                    headers: ["Date": "Thu, 01 Jan 2026 00:00:00 GMT"]
                )
            }
            return TokenService.credentials()
        } _: { service async throws in
            let config = "[profile p]\nrole_arn = \(Self.arn)\nsource_profile = base"
            try await withHome(config: config, credentials: Self.credentials) { environment async throws in
                let variables = environment.merging(["AWS_ENDPOINT_URL_STS": service.endpoint]) { $1 }
                let credentials = try await found(
                    S3Options(profile: "p"),
                    variables,
                    policy: .quick(at: 1_767_225_600 - 7200)
                )
                #expect(credentials?.accessKeyID == "ASIAROLE")
            }
            #expect(service.requests.count == 2)
        }
    }

    @Test("Credentials of a role open a real S3 server, and are renewed before they end")
    func endToEnd() async throws {
        let server = try await S3Server.shared
        let clock = SettableClock()
        try await LoopbackService.withService { _ in
            TokenService.credentials(
                id: server.accessKeyID,
                secret: server.secretAccessKey,
                token: "",
                expiration: clock.now.addingTimeInterval(600).formatted(.iso8601)
            )
        } _: { service async throws in
            let config = """
                [profile p]
                role_arn = \(Self.arn)
                source_profile = base
                region = \(server.region)
                services = mine
                [services mine]
                s3 =
                    endpoint_url = \(server.endpoint)
                sts =
                    endpoint_url = \(service.endpoint)
                """
            try await server.withFolder { folder async throws in
                try await withHome(config: config, credentials: Self.credentials) { environment async throws in
                    var policy = RetryPolicy.quick
                    policy.now = { clock.now }
                    let variables = environment.merging(["AWS_PROFILE": "p"]) { $1 }
                    let storage = S3Storage(options: S3Options(), environment: variables, policy: policy)
                    try await storage.write(folder.appending("file"), [1, 2, 3])
                    #expect(try await storage.bytes(folder.appending("file")) == [1, 2, 3])
                    #expect(try await storage.list(folder).count == 1)
                    #expect(service.requests.count == 1)
                    clock.advance(by: 360)
                    #expect(try await storage.bytes(folder.appending("file")) == [1, 2, 3])
                    #expect(service.requests.count == 2)
                    try await storage.shutdown()
                }
            }
            let request = try #require(service.requests.first)
            #expect(TokenService.scope(ofSigned: request, id: "AKIABASE", secret: "base secret") != nil)
        }
    }
}

import Foundation
import Testing

@testable import Storage

@Suite("Endpoints of services")
struct EndpointTests {
    private static let config = """
        [default]
        endpoint_url = http://profile
        services = mine
        [profile ignoring]
        endpoint_url = http://profile
        ignore_configured_endpoint_urls = true
        [services mine]
        sts =
          endpoint_url = http://section-sts
          other = x
        sso_oidc =
          endpoint_url=http://section-oidc # a comment
        """

    private func url(
        of service: String,
        profile: String? = nil,
        _ variables: [String: String] = [:]
    ) async throws -> String? {
        try await withHome(config: Self.config) { environment async throws in
            let environment = environment.merging(variables) { $1 }
            let files = ProfileFiles(options: S3Options(profile: profile), environment: environment)
            return try ConfiguredEndpoints(environment: environment, profile: files.settings(), files: files)
                .url(of: service)
        }
    }

    @Test("Endpoints come from variables, then from the section of services, then from the profile")
    func precedence() async throws {
        #expect(try await url(of: "s3") == "http://profile")
        #expect(try await url(of: "sts") == "http://section-sts")
        #expect(try await url(of: "sso_oidc") == "http://section-oidc")
        let general = ["AWS_ENDPOINT_URL": "http://general"]
        #expect(try await url(of: "sts", general) == "http://general")
        let special = general.merging(["AWS_ENDPOINT_URL_SSO_OIDC": "http://special"]) { $1 }
        #expect(try await url(of: "sso_oidc", special) == "http://special")
        #expect(try await url(of: "sso", special) == "http://general")
    }

    @Test("Endpoints are ignored on request")
    func ignored() async throws {
        let general = ["AWS_ENDPOINT_URL": "http://general"]
        #expect(try await url(of: "s3", profile: "ignoring", general) == nil)
        let ignoring = general.merging(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]) { $1 }
        #expect(try await url(of: "sts", ignoring) == nil)
        let heeding = general.merging(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"]) { $1 }
        #expect(try await url(of: "sts", profile: "ignoring", heeding) == "http://general")
    }

    @Test("Endpoints are Amazon's regional hosts otherwise")
    func amazon() {
        #expect(CredentialService.Kind.securityTokens.host(region: "eu-west-1") == "sts.eu-west-1.amazonaws.com")
        #expect(CredentialService.Kind.singleSignOn.host(region: "us-east-1") == "portal.sso.us-east-1.amazonaws.com")
        #expect(CredentialService.Kind.signOnTokens.host(region: "us-east-1") == "oidc.us-east-1.amazonaws.com")
        #expect(CredentialService.Kind.securityTokens.host(region: "cn-north-1") == "sts.cn-north-1.amazonaws.com.cn")
    }

    @Test("A missing section of services and a wrong URL are errors")
    func wrong() async throws {
        try await withHome(config: "[profile p]\nservices = nope") { environment async throws in
            let error = await #expect(throws: StorageError.self) {
                try await found(S3Options(profile: "p"), environment)
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(
                error?.description == "the AWS profile \"p\" refers to the services \"nope\", which are not in "
                    + "\(environment["HOME"] ?? "")/.aws/config; add the section [services nope] or correct the name"
            )
        }
        let config = "[profile p]\nrole_arn = x\ncredential_source = Environment"
        try await withHome(config: config) { environment async throws in
            let variables = environment.merging([
                "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL_STS": "sts.local",
            ]) { $1 }
            let error = await #expect(throws: StorageError.self) {
                try await found(S3Options(profile: "p"), variables)
            }
            #expect(error?.description.hasPrefix("the STS endpoint \"sts.local\" is not the URL of a server; ") == true)
        }
    }
}

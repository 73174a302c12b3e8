import DatabudgieTestSupport
import Foundation
import Synchronization
import Testing

@testable import Storage

@Suite("Credentials")
struct CredentialTests {
    @Test("A byte order mark before the first profile is skipped")
    func byteOrderMark() {
        let sections = ProfileFiles.parse("\u{FEFF}[default]\nregion = eu-west-1\n")
        #expect(sections[ExactString("default")]?["region"] == "eu-west-1")
    }

    @Test("A line break at the end of a setting does not count", arguments: ["\n", "\r\n", "\n\n"])
    func lineBreaks(end: String) async throws {
        let variables = ["AWS_ACCESS_KEY_ID": "AKID\(end)", "AWS_SECRET_ACCESS_KEY": "secret\(end)"]
        let fromVariables = try await found(S3Options(), variables)
        #expect(fromVariables?.accessKeyID == "AKID")
        #expect(fromVariables?.secretAccessKey == "secret")
        let options = S3Options(accessKeyID: "id\(end)", secretAccessKey: "s\(end)", sessionToken: "t\(end)")
        let fromOptions = try await found(options, [:])
        #expect(
            [fromOptions?.accessKeyID, fromOptions?.secretAccessKey, fromOptions?.sessionToken] == ["id", "s", "t"]
        )
        #expect(end.nonEmpty == nil)
    }

    @Test("The configuration comes before the environment, and that before the profile")
    func order() async throws {
        try await withHome(credentials: "[default]\naws_access_key_id = P\naws_secret_access_key = p") {
            environment async throws in
            var variables = environment
            #expect(try await found(S3Options(), variables)?.accessKeyID == "P")
            variables["AWS_ACCESS_KEY_ID"] = "E"
            variables["AWS_SECRET_ACCESS_KEY"] = "e"
            variables["AWS_SESSION_TOKEN"] = "t"
            #expect(try await found(S3Options(), variables)?.accessKeyID == "E")
            #expect(try await found(S3Options(), variables)?.sessionToken == "t")
            #expect(try await found(S3Options(profile: "default"), variables)?.accessKeyID == "P")
            #expect(try await found(S3Options(accessKeyID: "C", secretAccessKey: "c"), variables)?.accessKeyID == "C")
        }
    }

    @Test("An error lists all places when credentials are found nowhere", .timeLimit(.minutes(5)))
    func nowhere() async throws {
        try await withHome { environment async throws in
            var variables = environment
            // Nothing answers here, like outside of EC2.
            variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:1"
            variables["AWS_EC2_METADATA_DISABLED"] = nil
            let error = await #expect(throws: StorageError.self) { try await found(S3Options(), variables) }
            let home = try #require(environment["HOME"])
            #expect(error?.code == .noCredentials)
            #expect(
                error?.description == "no S3 credentials were found in any of these places: the configuration "
                    + "(s3: aws_access_key_id, aws_secret_access_key), the environment (AWS_ACCESS_KEY_ID, "
                    + "AWS_SECRET_ACCESS_KEY), the web identity (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN), "
                    + "the profile \"default\" (\(home)/.aws/config, \(home)/.aws/credentials), "
                    + "the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, AWS_CONTAINER_CREDENTIALS_FULL_URI), "
                    + "the EC2 instance's metadata service; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                    + "or `s3:` in the configuration"
            )
        }
    }

    @Test("Half of a key pair is an error")
    func halves() async throws {
        let error = await #expect(throws: StorageError.self) {
            try await found(S3Options(), ["AWS_ACCESS_KEY_ID": "x"])
        }
        #expect(
            error?.description
                == "the S3 credentials from the environment are incomplete: AWS_ACCESS_KEY_ID is set but "
                + "AWS_SECRET_ACCESS_KEY is not; set both"
        )
        await #expect(throws: StorageError.self) { try await found(S3Options(secretAccessKey: "x"), [:]) }
    }

    @Test("Profiles are read as the AWS tools read them")
    func profiles() async throws {
        let config = """
            # comment
            [default]
            region = eu-west-1

            [profile "with space"]
            region=eu-north-1 # a comment
            s3 =
              addressing_style = path
            endpoint_url = http://127.0.0.1:9
            [profile other]
            aws_access_key_id = FROMCONFIG
            """
        let credentials = """
            [with space]
            aws_access_key_id=AKID
            aws_secret_access_key=se#cret+/=
            [other]
            aws_access_key_id = FROMCREDENTIALS
            aws_secret_access_key = x
            """
        try await withHome(config: config, credentials: credentials) { environment async throws in
            let settings = try ProfileFiles(options: S3Options(profile: "with space"), environment: environment)
                .settings()
            #expect(settings["region"] == "eu-north-1")
            #expect(settings["endpoint_url"] == "http://127.0.0.1:9")
            #expect(settings["aws_secret_access_key"] == "se#cret+/=")
            let variables = environment.merging(["AWS_PROFILE": "other"]) { $1 }
            #expect(try await found(S3Options(), variables)?.accessKeyID == "FROMCREDENTIALS")
            let plain = try ProfileFiles(options: S3Options(), environment: environment).settings()
            #expect(plain["region"] == "eu-west-1")
        }
    }

    @Test("Variables say where the files of profiles are")
    func otherFiles() async throws {
        try await withTemporaryFolder { folder async throws in
            try "[default]\naws_access_key_id=A\naws_secret_access_key=B\n".write(
                toFile: "\(folder)/c",
                atomically: true,
                encoding: .utf8
            )
            let variables = ["AWS_SHARED_CREDENTIALS_FILE": "~/c", "AWS_CONFIG_FILE": "\(folder)/none", "HOME": folder]
            #expect(try await found(S3Options(), variables)?.accessKeyID == "A")
        }
    }

    @Test("A profile that does not exist is an error")
    func missingProfile() async throws {
        try await withHome { environment async throws in
            let home = try #require(environment["HOME"])
            let error = await #expect(throws: StorageError.self) {
                try await found(S3Options(profile: "nope"), environment)
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(
                error?.description == "the AWS profile \"nope\" is neither in \(home)/.aws/config nor in "
                    + "\(home)/.aws/credentials; correct its name (s3: profile, AWS_PROFILE) or add it"
            )
        }
    }

    @Test("A command of the profile can print credentials")
    func process() async throws {
        try await withTemporaryFolder { folder async throws in
            let reply =
                #"{"Version": 1, "AccessKeyId": "K", "SecretAccessKey": "S", "SessionToken": "T", "Expiration": "2030-01-01T00:00:00Z"}"#
            try reply.write(toFile: "\(folder)/the reply", atomically: true, encoding: .utf8)
            try await withHome(config: "[profile p]\ncredential_process = /bin/cat '\(folder)/the reply'") {
                environment async throws in
                let credentials = try #require(try await found(S3Options(profile: "p"), environment))
                #expect(credentials.accessKeyID == "K")
                #expect(credentials.sessionToken == "T")
                #expect(credentials.expiration == Date(timeIntervalSince1970: 1_893_456_000))
            }
        }
    }

    @Test(
        "A command that fails to print credentials is an error",
        arguments: ["/bin/false", "/bin/echo nothing", "/no/such/command"]
    )
    func processFails(command: String) async throws {
        try await withHome(config: "[profile p]\ncredential_process = \(command)") { environment async throws in
            let error = await #expect(throws: StorageError.self) {
                try await found(S3Options(profile: "p"), environment)
            }
            #expect(error?.code == .noCredentials)
            #expect(error?.description.hasPrefix("the credential_process of the AWS profile \"p\" ") == true)
            #expect(error?.description.hasSuffix("; run the command by hand to see why") == true)
        }
    }

    @Test(
        "A command that does not end holds up neither a cancelled request nor the program for ever",
        .timeLimit(.minutes(2))
    )
    func processHangs() async throws {
        try await withTemporaryFolder { folder async throws in
            let command = "/bin/sh -c 'echo $$ >\(folder)/id; mv \(folder)/id \(folder)/process; exec sleep 600'"
            let provider = ProcessCredentials(command: command, profile: "p", environment: [:])
            let cache = CachedCredentials(provider: provider, now: { Date() })
            let request = Task { try await cache.credentials() }
            while !FileManager.default.fileExists(atPath: "\(folder)/process") { await Task.yield() }
            request.cancel()
            await #expect(throws: CancellationError.self) { try await request.value }
            let text = try String(contentsOfFile: "\(folder)/process", encoding: .utf8)
            let process = try #require(pid_t(text.filter(\.isNumber)))
            while kill(process, 0) == 0 { await Task.yield() }
        }
        let slow = ProcessCredentials(command: "/bin/sleep 600", profile: "p", environment: [:], limit: .zero)
        let error = await #expect(throws: StorageError.self) { try await slow.credentials() }
        #expect(error?.description.contains("did not end within 0 seconds") == true)
    }

    @Test("Commands are split without a shell")
    func words() throws {
        #expect(
            try ProcessCredentials.words(#"a "b c" 'd "e' f\ g "h\"i" ''"#) == ["a", "b c", "d \"e", "f g", "h\"i", ""]
        )
        #expect(throws: StorageError.self) { try ProcessCredentials.words("a 'b") }
    }

    @Test("Credentials are renewed five minutes before they end, once for all who wait")
    func renewal() async throws {
        let provider = CountingProvider()
        let clock = Mutex(Date(timeIntervalSince1970: 0))
        let cache = CachedCredentials(provider: provider, now: { clock.withLock { $0 } })
        await withTaskGroup(of: String?.self) { group in
            for _ in 0..<20 { group.addTask { try? await cache.credentials().accessKeyID } }
            for await id in group { #expect(id == "1") }
        }
        #expect(provider.calls.withLock { $0 } == 1)
        clock.withLock { $0 = Date(timeIntervalSince1970: 3600 - 301) }
        #expect(try await cache.credentials().accessKeyID == "1")
        clock.withLock { $0 = Date(timeIntervalSince1970: 3600 - 299) }
        #expect(try await cache.credentials().accessKeyID == "2")
        await cache.discard(try await cache.credentials())
        #expect(try await cache.credentials().accessKeyID == "3")
    }

    @Test("Credentials that still work are kept when the renewal fails")
    func failedRenewal() async throws {
        let provider = CountingProvider()
        let clock = Mutex(Date(timeIntervalSince1970: 0))
        let cache = CachedCredentials(provider: provider, now: { clock.withLock { $0 } })
        _ = try await cache.credentials()
        provider.fails.withLock { $0 = true }
        clock.withLock { $0 = Date(timeIntervalSince1970: 3500) }
        #expect(try await cache.credentials().accessKeyID == "1")
        clock.withLock { $0 = Date(timeIntervalSince1970: 3601) }
        await #expect(throws: StorageError.self) { try await cache.credentials() }
    }

    @Test("A renewal that fails is not repeated for every request")
    func renewalPause() async throws {
        let provider = CountingProvider()
        let clock = Mutex(Date(timeIntervalSince1970: 0))
        let cache = CachedCredentials(provider: provider, now: { clock.withLock { $0 } })
        _ = try await cache.credentials()
        provider.fails.withLock { $0 = true }
        for second in [3400, 3401, 3409] {
            clock.withLock { $0 = Date(timeIntervalSince1970: Double(second)) }
            #expect(try await cache.credentials().accessKeyID == "1")
        }
        #expect(provider.failures.withLock { $0 } == 1)
        clock.withLock { $0 = Date(timeIntervalSince1970: 3410) }
        provider.fails.withLock { $0 = false }
        #expect(try await cache.credentials().accessKeyID == "2")
    }

    @Test("Credentials, region and endpoint of the environment work on a real server")
    func environment() async throws {
        let server = try await S3Server.shared
        let storage = S3Storage(options: S3Options(), environment: server.environment)
        #expect(try await storage.info(.s3(bucket: server.bucket, key: "no such key")) == nil)
        try await storage.shutdown()
    }

}

private final class CountingProvider: CredentialProvider {
    let calls = Mutex(0)
    let fails = Mutex(false)
    let failures = Mutex(0)
    var place: String { "the test" }

    func credentials() async throws -> Credentials? {
        guard !fails.withLock({ $0 }) else {
            failures.withLock { $0 += 1 }
            throw StorageError(.noCredentials, "none")
        }
        let call = calls.withLock { calls in
            calls += 1
            return calls
        }
        return Credentials(
            accessKeyID: "\(call)",
            secretAccessKey: "s",
            expiration: Date(timeIntervalSince1970: 3600 * Double(call)),
            source: "the test"
        )
    }
}

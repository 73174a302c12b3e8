import DatabudgieTestSupport
import Foundation
import Storage
import Testing

@testable import Databudgie

@Suite("Checks of locations, credentials and space")
struct LocationCheckTests {
    /// The lines of a backup's check through a proxy, and the requests that it has sent.
    private func lines(
        _ rules: [FaultProxy.Rule],
        inOneFolder: Bool = false,
        _ change: @escaping @Sendable (inout Configuration) -> Void = { _ in }
    ) async throws -> (lines: [String], left: [FileInfo]) {
        let server = try await S3Server.shared
        return try await RunFixture.withResult { fixture in
            try await server.withFolder { folder in
                try await fixture.execute(fixture.source, "create table t (id int)")
                return try await FaultProxy.withProxy(to: server.endpoint, rules: rules) { proxy async throws in
                    var configuration = try fixture.configuration(
                        "{root_location: '\(folder)', location: '{table}', tables: [t]}"
                    )
                    configuration.backup.run.s3 = server.options(endpoint: proxy.endpoint)
                    if inOneFolder { configuration.backup.run.catalog = folder }
                    change(&configuration)
                    let findings = try await ConfigurationCheck(configuration, for: .backup).run()
                    let storage = S3Storage(options: server.options(), environment: [:])
                    let left = try await storage.list(folder, recursive: true)
                    try await storage.shutdown()
                    return (findings.map { $0.line.replacing(folder.description, with: "FOLDER") }, left)
                }
            }
        }
    }

    @Test("A bucket that does not exist is one problem, and the database is checked")
    func missingBucket() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int)")
            var configuration = try fixture.configuration("{location: 's3://no-such-bucket-here/{table}', tables: [t]}")
            configuration.backup.run.s3 = try await S3Server.shared.options()
            let findings = try await ConfigurationCheck(configuration, for: .backup).run()
            let problems = findings.filter { $0.outcome == .problem }
            #expect(problems.map(\.subject) == [.location], "\(findings.map(\.line))")
            #expect(problems.first?.name == "s3://no-such-bucket-here/")
            #expect(problems.first?.hint == "create the bucket, or correct the location or the endpoint URL")
            #expect(findings.filter { $0.outcome == .skipped }.map(\.subject) == [.location, .catalog])
            #expect(findings.contains { $0.line == "ok tables 1 table can be exported" })
        }
    }

    @Test("A wrong secret, and no credentials at all, say where they were looked for")
    func credentials() async throws {
        let wrong = try await lines([]) { $0.backup.run.s3.secretAccessKey = "wrong" }.lines
        #expect(wrong.count { $0.hasPrefix("problem ") } == 1, "\(wrong)")
        #expect(
            wrong.contains {
                $0.contains("rejected the secret access key; correct the credentials in the configuration")
            }
        )

        let folder = "s3://bucket-of-nobody"
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int)")
            let configuration = try fixture.configuration(
                "{root_location: '\(folder)', location: '{table}', tables: [t]}"
            )
            var environment = RunEnvironment()
            environment.variables = ["AWS_EC2_METADATA_DISABLED": "true", "HOME": fixture.folder, "PATH": "/usr/bin"]
            let findings = try await ConfigurationCheck(configuration, for: .backup, environment: environment).run()
            let problems = findings.filter { $0.outcome == .problem }
            #expect(problems.map(\.subject) == [.credentials], "\(findings.map(\.line))")
            #expect(problems.first?.message.hasPrefix("no S3 credentials were found in any of these places: ") == true)
            #expect(findings.filter { $0.outcome == .skipped }.map(\.subject) == [.location, .catalog])
        }
    }

    @Test("Temporary credentials say when they end, or that nobody says it")
    func ends() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int)")
            let server = try await S3Server.shared
            try await server.withFolder { folder in
                let keys = #""AccessKeyId": "\#(server.accessKeyID)", "SecretAccessKey": "\#(server.secretAccessKey)""#
                try fixture.write(
                    #"{"Version": 1, \#(keys), "Expiration": "2222-03-04T05:06:07Z"}"#,
                    to: "keys.json"
                )
                try fixture.write(
                    "[default]\ncredential_process = cat \(fixture.folder)/keys.json\nregion = \(server.region)\n",
                    to: "config"
                )
                var configuration = try fixture.configuration(
                    "{root_location: '\(folder)', location: '{table}', tables: [t]}"
                )
                configuration.backup.run.s3.endpointURL = server.endpoint
                var environment = RunEnvironment()
                environment.variables["AWS_CONFIG_FILE"] = fixture.folder + "/config"
                for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] { environment.variables[name] = nil }
                let found = try await ConfigurationCheck(configuration, for: .backup, environment: environment).run()
                let credentials = found.filter { $0.subject == .credentials }
                #expect(credentials.map(\.outcome) == [.ok], "\(found.map(\.line))")
                #expect(
                    credentials.first?.message.contains(", until 2222-03-04T05:06:07Z (") == true
                        && credentials.first?.message.hasPrefix("from the credential_process of the profile ") == true,
                    "\(credentials)"
                )
                configuration.backup.run.s3 = server.options()
                configuration.backup.run.s3.sessionToken = "t0ken"
                let token = try await ConfigurationCheck(configuration, for: .backup, environment: environment).run()
                let warning = token.first { $0.subject == .credentials }
                #expect(
                    warning?.outcome == .warning && warning?.message.hasSuffix("nothing says when they end") == true
                )
                #expect(!token.contains { $0.line.contains("t0ken") })
            }
        }
    }

    @Test("Credentials that cannot delete leave nothing to be deleted, and what follows from it is said")
    func noDeletion() async throws {
        let denied = FaultProxy.Rule(.error(403, "AccessDenied"), method: "DELETE")
        let (lines, left) = try await lines([denied])
        #expect(left.isEmpty)
        #expect(!lines.contains { $0.hasPrefix("problem ") }, "\(lines)")
        #expect(
            lines.contains {
                $0.hasPrefix("warning location FOLDER: files can be written, but not removed, so none was tried: ")
            },
            "\(lines)"
        )
    }

    @Test("Credentials that cannot read are a warning, and what was written is removed")
    func noReading() async throws {
        let denied = ["GET", "HEAD"].map { FaultProxy.Rule(.error(403, "AccessDenied"), method: $0) }
        let (lines, left) = try await lines(denied)
        #expect(left.isEmpty)
        #expect(!lines.contains { $0.hasPrefix("problem ") }, "\(lines)")
        #expect(
            lines.contains {
                $0.hasPrefix("warning location FOLDER: a file was written and removed, but could not be read: ")
            },
            "\(lines)"
        )
        #expect(lines.contains { $0.hasPrefix("warning catalog FOLDER/catalog") }, "\(lines)")
    }

    @Test("The folders of data files are tried as data files are stored, and those of records as records are")
    func dataFolders() throws {
        let text =
            "{url: 'postgresql://a/b', location: 's3://bucket/data/{table}', catalog: 's3://bucket/sets', tables: [t]}"
        let run = try CheckedRun(try Configuration.load(yaml: text, environment: [:]), .backup, RunEnvironment())
        let locations = try CheckedLocations(run)
        #expect(locations.folders.count == 2)
        #expect(locations.dataFolders.map(\.description) == ["s3://bucket/data"])
    }

    @Test("A storage class that the server refuses is a problem of the folders of data files")
    func storageClass() async throws {
        let (lines, left) = try await lines([]) { $0.backup.run.s3.storageClass = "NO_SUCH" }
        #expect(left.isEmpty)
        #expect(
            lines.contains { $0.hasPrefix("problem location FOLDER") && $0.contains("'storage_class'") },
            "\(lines)"
        )
        #expect(lines.contains { $0.hasPrefix("ok location FOLDER/catalog: ") }, "\(lines)")
    }

    @Test("What was written is removed when it is not what is read")
    func damage() async throws {
        let (lines, left) = try await lines([
            FaultProxy.Rule(
                .reply(status: 200, headers: ["etag": "\"x\""], body: "x"),
                method: "GET",
                target: ".databudgie-check-"
            )
        ])
        #expect(left.isEmpty)
        #expect(
            lines.contains { $0.hasPrefix("problem location ") && $0.contains("content was different") },
            "\(lines)"
        )
    }

    @Test("Whether the server itself refuses to replace files is found out")
    func conditions() async throws {
        let honoured = try await lines([]).lines
        #expect(
            honoured.contains(
                "ok location FOLDER: a file was written, read and removed; existing files are never replaced"
            ),
            "\(honoured)"
        )
        // The first one writes the file, and the second asks.
        let (ignored, left) = try await lines(
            [
                FaultProxy.Rule(.error(501, "NotImplemented"), method: "PUT", target: ".databudgie-check-", skip: 1)
            ],
            inOneFolder: true
        )
        #expect(left.isEmpty)
        #expect(
            ignored.contains {
                $0.hasSuffix("; the server has no conditional writes, so databudgie looks before it writes")
            },
            "\(ignored)"
        )
    }

    @Test("A clock that differs is a warning, with how far and in which direction")
    func clocks() throws {
        let run = try CheckedRun(
            try Configuration.load(yaml: "{url: 'postgresql://a/b', tables: [t]}", environment: [:]),
            .backup,
            RunEnvironment()
        )
        #expect(run.clock(1.2, of: "X").line == "ok clock X: no different from this machine's")
        #expect(run.clock(-59, of: "X").line == "ok clock X: 59 s behind this machine's clock")
        let ahead = run.clock(125, of: "X")
        #expect(ahead.outcome == .warning && ahead.message.hasPrefix("2 min ahead of this machine's clock, "))
    }

    @Test(
        "A folder that is read-only is a problem, and a disk without space for another set is one too",
        .enabled(if: geteuid() == 0, "only root can mount a small disk")
    )
    func disks() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(
                fixture.source,
                "create table t as select n, repeat(md5(n::text), 20) as text from generate_series(1, 900) n"
            )
            let disk = fixture.folder + "/disk"
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
            try #require(mount("tmpfs", disk, "tmpfs", 0, "size=1m") == 0, "errno \(errno)")
            defer { umount2(disk, 2) }
            let text = "{root_location: '\(disk)', location: '{table}', tables: [t]}"
            let configuration = try fixture.configuration(text)
            func findings() async throws -> [CheckFinding] {
                try await ConfigurationCheck(configuration, for: .backup).run()
            }
            let before = try await findings()
            #expect(before.isWithoutProblems)
            #expect(before.last?.subject == .space && before.last?.message.contains("the tables have ") == true)
            #expect(try await fixture.backup(text).failed.isEmpty)
            let full = try await findings()
            #expect(full.filter { $0.outcome == .problem }.map(\.subject) == [.space], "\(full.map(\.line))")
            #expect(full.last?.message.contains(#/ free, and the last set has \d+\.\d kB there/#) == true, "\(full)")
            #expect(full.last?.hint?.contains("prune") == true)

            // MS_REMOUNT and MS_RDONLY of mount(2).
            try #require(mount("tmpfs", disk, "tmpfs", 32 | 1, "size=1m") == 0, "errno \(errno)")
            let locked = try await findings().filter { $0.outcome == .problem }.map(\.line)
            #expect(
                locked.first
                    == "problem location the folder \(disk) cannot be written to: the file system is read-only; "
                    + "choose another folder",
                "\(locked)"
            )
        }
    }

    @Test("Damaged records, crashed runs and rules of retention are told by name")
    func catalog() async throws {
        try await RunFixture.with { fixture in
            try await fixture.execute(fixture.source, "create table t (id int)")
            let text =
                "{root_location: '\(fixture.folder)', location: '{table}', retention: {keep_last: 1}, tables: [t]}"
            for _ in 1...2 { #expect(try await fixture.backup(text).failed.isEmpty) }
            let two = try await ConfigurationCheck(try fixture.configuration(text), for: .backup).run()
            #expect(two.isWithoutProblems)
            #expect(two.contains { $0.subject == .catalog && $0.message.hasPrefix("2 sets, the newest complete one ") })
            #expect(
                two.contains {
                    $0.subject == .retention && $0.message.hasPrefix("'databudgie prune' would remove 1 set, ")
                },
                "\(two.map(\.line))"
            )
            try fixture.write("{", to: "catalog/2020-01-01T00:00:00.json")
            try fixture.write("", to: "catalog/2020-01-02T00:00:00.running")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSince1970: 1_577_836_800)],
                ofItemAtPath: fixture.folder + "/catalog/2020-01-02T00:00:00.running"
            )
            let broken = try await ConfigurationCheck(try fixture.configuration(text), for: .backup).run()
            let warnings = broken.filter { $0.subject == .catalog && $0.outcome == .warning }.map(\.message)
            #expect(warnings.contains { $0.hasPrefix("the record of the set 2020-01-01T00:00:00 cannot be used: ") })
            #expect(warnings.contains("the run 2020-01-02T00:00:00 was killed, and may have left files"))
            #expect(broken.contains { $0.subject == .retention && $0.outcome == .problem }, "\(broken.map(\.line))")
        }
    }

    @Test("A dry run of a check writes nothing, not even for a moment")
    func dryRun() async throws {
        let (lines, left) = try await lines([FaultProxy.Rule(.error(403, "AccessDenied"), method: "PUT")]) {
            $0.backup.run.isDryRun = true
        }
        #expect(left.isEmpty && !lines.contains { $0.hasPrefix("problem ") }, "\(lines)")
        #expect(lines.contains("skipped location FOLDER: not written to, because of --dry-run"))
    }
}

extension RunFixture {
    /// As ``with(_:)``, with a result.
    fileprivate static func withResult<Result>(_ body: (RunFixture) async throws -> Result) async throws -> Result {
        var result: Result?
        try await with { result = try await body($0) }
        return try #require(result)
    }
}

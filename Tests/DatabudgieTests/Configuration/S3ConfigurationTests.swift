import Storage
import Testing

@testable import Databudgie

@Suite("Settings of S3")
struct S3ConfigurationTests {
    private static let yaml = """
        s3:
          server_side_encryption: aws:kms
          sse_kms_key_id: arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab
          storage_class: GLACIER_IR
          tags: {team: data, year: 2026, live: true, "cost centre": "a/b=c", none: ''}
          request_payer: requester
        """

    @Test("What is asked of S3 for its objects is read, and printed so that it is read again")
    func roundTrip() throws {
        let first = try configuration(Self.yaml)
        let options = first.backup.run.s3
        #expect(options == first.restore.run.s3 && first.warnings.isEmpty)
        #expect(options.serverSideEncryption == .kms && options.requestPayer == .requester)
        #expect(options.kmsKeyID == "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab")
        #expect(options.storageClass == "GLACIER_IR")
        let tags = [("team", "data"), ("year", "2026"), ("live", "true"), ("cost centre", "a/b=c"), ("none", "")]
        #expect(options.tags == tags.map { S3Options.Tag($0.0, $0.1) })
        let text = ConfigurationPrinter().yaml(first)
        #expect(
            text.contains("    storage_class: GLACIER_IR\n    tags:\n      team: data\n      year: '2026'\n"),
            "\(text)"
        )
        #expect(try configuration(text).backup.run.s3 == options)
    }

    @Test("The nearest level's settings count, and variables can be among them")
    func levels() throws {
        let both = try configuration("s3: {storage_class: GLACIER}\nbackup: {s3: {tags: {a: b}}}")
        #expect(both.backup.run.s3 == S3Options(tags: [S3Options.Tag("a", "b")]))
        #expect(both.restore.run.s3.storageClass == "GLACIER")
        let environment = [
            "DATABUDGIE_S3__TAGS__TEAM": "data", "DATABUDGIE_S3__STORAGE_CLASS": "STANDARD_IA",
            "DATABUDGIE_S3__SERVER_SIDE_ENCRYPTION": "AES256", "DATABUDGIE_S3__SSE_KMS_KEY_ID": "",
        ]
        let options = try Configuration.load(yaml: "tables: [a]", environment: environment).backup.run.s3
        #expect(options.tags == [S3Options.Tag("team", "data")] && options.storageClass == "STANDARD_IA")
        #expect(options.serverSideEncryption == .aes256 && options.kmsKeyID == nil)
    }

    @Test(
        "A storage class that Amazon does not have is a warning, because other servers have classes of their own",
        arguments: [
            ("glacier", "'glacier' is not a storage class of Amazon's; did you mean 'GLACIER'?"),
            ("STANDARD-IA", "'STANDARD-IA' is not a storage class of Amazon's; did you mean 'STANDARD_IA'?"),
            ("ONEZONEIA", "'ONEZONEIA' is not a storage class of Amazon's; did you mean 'ONEZONE_IA'?"),
            ("COLD", "'COLD' is not a storage class of Amazon's"),
        ]
    )
    func unknownClass(name: String, warning: String) throws {
        let configuration = try configuration("\ns3: {storage_class: \(name)}")
        #expect(configuration.backup.run.s3.storageClass == name)
        #expect(configuration.warnings.map(\.description) == ["test.yaml:2: 'storage_class': \(warning)"])
    }

    @Test("Classes of Amazon's are no warning", arguments: S3Options.knownStorageClasses)
    func knownClass(name: String) throws {
        #expect(try configuration("s3: {storage_class: \(name)}").warnings.isEmpty)
    }

    @Test("A key of KMS beside an encryption that cannot be read is no second problem")
    func once() {
        #expect(problems("s3: {server_side_encryption: KMS, sse_kms_key_id: a}").count == 1)
        #expect(problems("s3: {server_side_encryption: 'aws:kms', sse_kms_key_id: a}").isEmpty)
    }
}

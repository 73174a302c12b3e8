import Compression
import Databudgie
import Postgres
import Storage
import Testing

/// Without `@testable`: what a client of the library can write.
@Suite("Configurations built in code")
struct ConfigurationInCodeTests {
    @Test("A configuration built in code equals the one that is read from the same settings")
    func everySetting() throws {
        let database = try ConnectionParameters(url: "postgresql://reader:pw@h:5433/shop")
        let common = RunConfiguration(
            connection: database,
            connections: [
                NamedConnection(name: "other", parameters: try ConnectionParameters(url: "postgresql://o/d"))
            ],
            s3: S3Options(
                region: "eu-central-1",
                endpointURL: "http://127.0.0.1:9000",
                addressingStyle: .path,
                serverSideEncryption: .dualLayerKMS,
                kmsKeyID: "alias/backup",
                storageClass: "STANDARD_IA",
                tags: [S3Options.Tag("team", "data"), S3Options.Tag("cost", "")],
                requestPayer: .requester
            ),
            manifest: "public.manifest",
            rootLocation: "s3://bucket/root",
            idleInTransactionTimeout: 1.5,
            isStrict: true,
            definitions: DefinitionConfiguration(
                isEnabled: true,
                location: try Template("s3://bucket/root/definitions"),
                filename: try Template("{date}.{ext}"),
                recreatesDatabase: true,
                strategy: .useLatestMetadata,
                role: "installer"
            )
        )
        let options = TableOptions(
            name: "public.*",
            location: try Template("s3://bucket/root/rows/{table}"),
            filename: try Template("{date}.{ext}"),
            exclude: ["audit_*", "public.tmp"],
            includesDefinition: false,
            includesSequences: true,
            includesRows: false,
            followsForeignKeys: true,
            isStrict: false,
            place: "yaml:34"
        )
        let written = Configuration(
            environment: "test",
            logging: LoggingConfiguration(isEnabled: false, level: "ERROR"),
            sentry: SentryConfiguration(
                dsn: try #require(SentryDSN("https://key@sentry.example.com/1")),
                version: "1.2",
                environment: "test"
            ),
            backup: BackupConfiguration(
                run: common,
                tables: [
                    BackupEntry(
                        options: options,
                        query: try Template("select 1"),
                        compression: .zstd,
                        skipsIfExists: true,
                        appliesRowSecurity: true
                    )
                ],
                retention: RetentionPolicy([.weekly: .atMost(4), .last: .unlimited], within: RetentionPeriod("1y")),
                jobs: 3
            ),
            restore: RestoreConfiguration(
                run: common,
                tables: [
                    RestoreEntry(
                        options: options,
                        strategy: .useLatestMetadata,
                        compression: .zstd,
                        truncate: .cascade,
                        mode: .replace,
                        conflictColumns: ["id", "store"],
                        extraColumns: .ignore,
                        missingColumns: .default,
                        triggers: .off,
                        indexes: .rebuild,
                        foreignKeys: .keep,
                        query: "select 1"
                    )
                ],
                jobs: 3
            )
        )
        var read = try Configuration.load(
            yaml: """
                environment: test
                logging: {enabled: false, level: error}
                sentry: {sentry_dsn: "https://key@sentry.example.com/1", version: "1.2"}
                url: postgresql://reader:pw@h:5433/shop
                connections: {other: postgresql://o/d}
                s3:
                  {region: eu-central-1, endpoint_url: "http://127.0.0.1:9000", addressing_style: path,
                   server_side_encryption: "aws:kms:dsse", sse_kms_key_id: alias/backup, storage_class: STANDARD_IA,
                   tags: {team: data, cost: ''}, request_payer: requester}
                manifest: public.manifest
                root_location: s3://bucket/root
                idle_in_transaction_timeout: 1.5
                strict: true
                ddl:
                  enabled: true
                  location: definitions
                  filename: "{date}.{ext}"
                  clean: true
                  strategy: use_latest_metadata
                  run_as: installer
                filename: "{date}.{ext}"
                strategy: use_latest_metadata
                truncate: cascade
                mode: replace
                conflict_columns: [id, store]
                extra_columns: ignore
                missing_columns: default
                triggers: off
                indexes: rebuild
                foreign_keys: keep
                query: select 1
                compression: zstd
                tables:
                  - name: public.*
                    location: rows/{table}
                    exclude: [audit_*, public.tmp]
                    ddl: false
                    sequences: true
                    data: false
                    follow_foreign_keys: true
                    strict: false
                    skip_if_exists: true
                    row_security: true
                jobs: 3
                retention: {keep_weekly: 4, keep_last: unlimited, keep_within: 1y}
                """,
            environment: [:]
        )
        #expect(read.sources == ["yaml"])
        #expect(read.warnings.isEmpty)
        #expect(read.logging == written.logging)
        #expect(read.sentry == written.sentry)
        #expect(read.backup == written.backup)
        #expect(read.restore == written.restore)
        read.environment = "other"
        #expect(read != written)
    }

    @Test("What is not given has the same default in code and in a file")
    func defaults() throws {
        let read = try Configuration.load(yaml: "tables: [public.a]", environment: [:])
        let options = TableOptions(name: "public.a", place: "yaml:1")
        let written = Configuration(
            backup: BackupConfiguration(tables: [BackupEntry(options: options)]),
            restore: RestoreConfiguration(tables: [RestoreEntry(options: options)])
        )
        #expect(read.environment == written.environment)
        #expect(read.logging == written.logging)
        #expect(read.sentry == written.sentry)
        #expect(read.backup == written.backup)
        #expect(read.restore == written.restore)
        #expect(written.warnings.isEmpty && written.sources.isEmpty)
    }

    @Test("The example of the documentation is a configuration")
    func example() throws {
        let products = TableOptions(
            name: "public.*",
            location: try Template("s3://backups/shop/{table}"),
            exclude: ["audit_*"]
        )
        let configuration = Configuration(
            backup: BackupConfiguration(
                run: RunConfiguration(
                    connection: try ConnectionParameters(url: "postgresql://reader@db.example.com/shop")
                ),
                tables: [BackupEntry(options: products, compression: .zstd)]
            ),
            restore: RestoreConfiguration(
                run: RunConfiguration(connection: try ConnectionParameters(url: "postgresql://localhost/shop_dev")),
                tables: [RestoreEntry(options: products, truncate: .truncate)]
            )
        )
        #expect(configuration.backup.run.connection?.keywords["host"] == "db.example.com")
        #expect(configuration.restore.tables.map(\.options.exclude) == [["audit_*"]])
        #expect(configuration.restore.set == .newest)
    }

    @Test("An entry says in code what was given and what was not")
    func explicitSettings() throws {
        let bare = BackupEntry(options: TableOptions(name: "a"))
        #expect(!bare.hasExplicitQuery && !bare.options.hasExplicitLocation && !bare.options.hasExplicitSequences)
        #expect(bare.options.place == "the entry 'a'")
        let given = BackupEntry(
            options: TableOptions(name: nil, location: try Template("l"), includesSequences: true),
            query: try Template("select 1")
        )
        #expect(given.hasExplicitQuery && given.options.hasExplicitLocation && given.options.hasExplicitSequences)
        #expect(given.options.place == "the entry without a name")
        #expect(!TableOptions(name: "a", includesSequences: false).includesSequences)
    }
}

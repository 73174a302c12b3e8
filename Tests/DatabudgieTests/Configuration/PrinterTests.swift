import Postgres
import Testing

@testable import Databudgie

@Suite("Printed configuration")
struct PrinterTests {
    static let yaml = """
        environment: "no"
        sentry: {sentry_dsn: "https://sentrykey@sentry.io/1"}
        url: postgresql://user:urlsecret@h:1/d?sslmode=require&sslpassword=keysecret
        connections: {other: {host: o, password: othersecret}}
        s3: {aws_access_key_id: idsecret, aws_secret_access_key: s3secret, aws_session_token: tokensecret, endpoint_url: "http://u:endpointsecret@e"}
        root_location: /r
        tables: [{name: "*", query: "select 1\\nfrom {table}", location: "null", truncate: cascade}, {query: q, location: l}]
        """

    @Test("No secret is printed")
    func secrets() throws {
        let text = ConfigurationPrinter().yaml(try configuration(Self.yaml))
        #expect(!text.contains("secret: ") && !text.contains("urlsecret") && !text.contains("sentrykey"))
        for secret in [
            "urlsecret", "keysecret", "othersecret", "idsecret", "s3secret", "tokensecret", "endpointsecret",
        ] {
            #expect(!text.contains(secret))
        }
        #expect(text.contains("sentry_dsn: https://***@sentry.io/1"))
        #expect(text.contains("  environment: 'no'\n"))
        #expect(text.contains("password: '***'"))
        #expect(text.contains("endpoint_url: http://***@e"))
    }

    @Test("What is printed can be read again, and means the same")
    func roundTrip() throws {
        let first = try configuration(Self.yaml)
        let text = ConfigurationPrinter().yaml(first)
        // Locations are printed as composed, so that the root must not be added once more.
        let second = try configuration(text.replacing("root_location: /r", with: "root_location: null"))
        #expect(second.environment == "no")
        #expect(second.backup.tables.map(\.query) == first.backup.tables.map(\.query))
        #expect(second.backup.tables.map(\.options.name) == ["*", nil])
        #expect(second.backup.tables.map(\.options.location.description) == ["/r/null", "/r/l"])
        #expect(second.restore.tables.map(\.truncate) == [.cascade])
        #expect(second.backup.run.connection?.keywords["sslmode"] == "require")
    }

    @Test("A retention is printed rule by rule, and read again")
    func retention() throws {
        let yaml = "retention: {keep_daily: 7, keep_yearly: unlimited, keep_hourly: 0, keep_within: 3h2d}"
        let text = ConfigurationPrinter().yaml(try configuration(yaml))
        #expect(
            text.contains(
                """
                  retention:
                    keep_last: null
                    keep_hourly: null
                    keep_daily: 7
                    keep_weekly: null
                    keep_monthly: null
                    keep_yearly: unlimited
                    keep_within: '2d3h'

                """
            ),
            "\(text)"
        )
        let policy = RetentionPolicy([.daily: .atMost(7), .yearly: .unlimited], within: RetentionPeriod("2d3h"))
        #expect(try configuration(text).backup.retention == policy)
    }

    @Test(
        "What happens to rows and columns is printed, and read again",
        arguments: [
            "{name: a, mode: upsert, conflict_columns: ['null', 'b c'], extra_columns: ignore, missing_columns: default}",
            "{name: a, mode: skip_existing, missing_columns: error}", "{name: a, mode: replace}",
            "{name: a, mode: replace, truncate: cascade}", "{name: a, indexes: rebuild, foreign_keys: keep}",
            "{name: a, truncate: true}", "{name: a, mode: append}",
        ]
    )
    func modes(entry: String) throws {
        let first = try configuration("restore: {tables: [\(entry)]}")
        let second = try configuration(ConfigurationPrinter().yaml(first))
        let (before, after) = (first.restore.tables, second.restore.tables)
        #expect(after.map(\.mode) == before.map(\.mode))
        #expect(after.map(\.truncate) == before.map(\.truncate))
        #expect(after.map(\.conflictColumns) == before.map(\.conflictColumns))
        #expect(after.map(\.extraColumns) == before.map(\.extraColumns))
        #expect(after.map(\.missingColumns) == before.map(\.missingColumns))
        #expect(after.map(\.indexes) == before.map(\.indexes))
        #expect(after.map(\.foreignKeys) == before.map(\.foreignKeys))
    }

    @Test("Every default is filled in")
    func defaults() throws {
        let text = ConfigurationPrinter().yaml(try configuration("backup: {tables: [a]}\nrestore: {tables: [b]}"))
        #expect(
            text == """
                environment: null
                logging:
                  enabled: true
                  level: INFO
                sentry: null
                backup:
                  connection: null
                  connections: {}
                  s3:
                    aws_access_key_id: null
                    aws_secret_access_key: null
                    aws_session_token: null
                    region: null
                    profile: null
                    endpoint_url: null
                    addressing_style: auto
                    server_side_encryption: null
                    sse_kms_key_id: null
                    storage_class: null
                    tags: {}
                    request_payer: null
                  manifest: null
                  root_location: null
                  catalog: backups/catalog
                  idle_in_transaction_timeout: null
                  strict: false
                  ddl:
                    enabled: false
                    location: backups/ddl
                    filename: '{timestamp}.{ext}'
                    clean: false
                    strategy: null
                    run_as: null
                  notify: []
                  metrics: null
                  jobs: null
                  retention: null
                  subset: null
                  masking: null
                  tables:
                  - name: a
                    query: select * from {table}
                    location: backups/{table}
                    filename: '{timestamp}.{ext}'
                    exclude: []
                    ddl: false
                    sequences: true
                    data: true
                    follow_foreign_keys: false
                    strict: false
                    compression: null
                    skip_if_exists: false
                    row_security: false
                restore:
                  connection: null
                  connections: {}
                  s3:
                    aws_access_key_id: null
                    aws_secret_access_key: null
                    aws_session_token: null
                    region: null
                    profile: null
                    endpoint_url: null
                    addressing_style: auto
                    server_side_encryption: null
                    sse_kms_key_id: null
                    storage_class: null
                    tags: {}
                    request_payer: null
                  manifest: null
                  root_location: null
                  catalog: backups/catalog
                  idle_in_transaction_timeout: null
                  strict: false
                  ddl:
                    enabled: false
                    location: backups/ddl
                    filename: '{timestamp}.{ext}'
                    clean: false
                    strategy: null
                    run_as: null
                  notify: []
                  metrics: null
                  jobs: null
                  safe_hosts: null
                  transaction: group
                  require_masked: false
                  tables:
                  - name: b
                    location: backups/{table}
                    filename: '{timestamp}.{ext}'
                    exclude: []
                    ddl: false
                    sequences: true
                    data: true
                    follow_foreign_keys: false
                    strict: false
                    strategy: null
                    compression: null
                    mode: append
                    truncate: false
                    conflict_columns: []
                    extra_columns: error
                    missing_columns: null
                    triggers: auto
                    indexes: auto
                    foreign_keys: auto
                    rename: null
                    max_rejects: 0

                """
        )
    }
}

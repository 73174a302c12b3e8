import Foundation
import Testing

@Suite("A configuration with every key")
struct CompleteConfigurationTests {
    /// In the manner of the sample of databudgie 2.9.3, whose address of Sentry is none.
    private func yaml(_ shop: Shop) -> String {
        """
        environment: production
        sentry:
          sentry_dsn: sample@sentry.io/dsn
          version: "1.0"
          environment: staging
        logging:
          enabled: true
          level: INFO
        adapter: postgres
        x-note: anything
        connections:
          shop: "\(shop.url)"
          parts: {drivername: postgresql+psycopg2, username: u, password: p, host: h, port: 5432, database: d, query: {sslmode: require}}
        connection: shop
        idle_in_transaction_timeout: 60
        jobs: 2
        strict: false
        s3:
          aws_access_key_id: <% ENV[AWS_ACCESS_KEY_ID, null] %>
          aws_secret_access_key: <% ENV[AWS_SECRET_ACCESS_KEY, null] %>
          aws_session_token: null
          region: us-east-1
          profile: null
          endpoint_url: null
          addressing_style: auto
          server_side_encryption: null
          sse_kms_key_id: null
          storage_class: null
          tags: {}
          request_payer: null
        backup:
          manifest: public.databudgie_manifest
          root_location: backups
          ddl:
            enabled: true
            location: ddl
            filename: "{timestamp}.{ext}"
            clean: false
            strategy: use_latest_filename
          tables:
            public.products:
              query: "select * from {table} where id > 0"
              location: "{table}"
              filename: "{date}-{timestamp}.{ext}"
              compression: off
              exclude: [public.nothing]
              ddl: true
              sequences: true
              data: true
              follow_foreign_keys: false
              strict: true
              skip_if_exists: false
            public.sales:
              compression: gzip
        restore:
          manifest: public.databudgie_manifest
          root_location: backups
          ddl: false
          strategy: use_latest_metadata
          truncate: true
          tables:
            public.products: {location: "{ref.backup.tables[public.products].location}", filename: "{date}-{timestamp}.{ext}"}
            public.sales: {location: "backups/{table}", sequences: true, data: true}
        """
    }

    @Test("It is printed, and both commands run with it; an address of Sentry that is none is a warning")
    func runs() async throws {
        try await Shop.with { shop in
            try Data(yaml(shop).utf8).write(to: URL(filePath: shop.folder + "/databudgie.yml"))
            let config = try await shop.program.run("config")
            #expect(config.status == 0, "\(config.error)")
            #expect(
                config.error.hasPrefix(
                    "databudgie: warning: databudgie.yml:3: 'sentry_dsn' is not the address of a Sentry project"
                )
            )
            #expect(config.output.contains("sentry: null"))
            let manifest = try await shop.program.run("manifest", "create")
            #expect(manifest.status == 0, "\(manifest.error)")
            let backup = try await shop.program.run("backup")
            #expect(backup.status == 0, "\(backup.error)")
            #expect(backup.error.contains("warning: databudgie.yml:3: "))
            try await shop.execute("truncate sales, products")
            let restore = try await shop.program.run("restore")
            #expect(restore.status == 0, "\(restore.error)")
            #expect(try await shop.value("select count(*) from products") == "100")
            // What was printed means the same.
            try Data(config.output.utf8).write(to: URL(filePath: shop.folder + "/printed.yml"))
            let again = try await shop.program.run(
                "config",
                "-c",
                "printed.yml",
                "--raw-config",
                "{}",
                "-u",
                shop.url
            )
            #expect(again.status == 0, "\(again.error)")
        }
    }
}

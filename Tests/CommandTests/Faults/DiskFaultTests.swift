import DatabudgieTestSupport
import Foundation
import Subprocess
import SystemPackage
import Testing

@Suite("Disks that fail", .timeLimit(.minutes(5)), .enabled(if: geteuid() == 0, "only root can mount a small disk"))
struct DiskFaultTests {
    /// A shop whose folder `backups` is a disk of its own.
    private func withDisk(_ size: String, _ body: (Shop, _ disk: String) async throws -> Void) async throws {
        try await Shop.with { shop in
            let disk = shop.folder + "/backups"
            try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
            try #require(mount("tmpfs", disk, "tmpfs", 0, "size=\(size)") == 0, "errno \(errno)")
            defer { umount2(disk, 2) }
            try await body(shop, disk)
        }
    }

    /// A file that takes all of a disk's space.
    private func fill(_ disk: String) throws -> String {
        let path = disk + "/filler"
        let file = try FileDescriptor.open(path, .writeOnly, options: .create, permissions: .ownerReadWrite)
        defer { try? file.close() }
        for size in [65_536, 4_096, 1] {
            let block = [UInt8](repeating: 0, count: size)
            while (try? block.withUnsafeBytes { try file.write($0) }) == size {}
        }
        return path
    }

    private func temporaryFiles(_ shop: Shop) throws -> [String] {
        try shop.files().filter { $0.hasSuffix(".partial") }
    }

    private static let wide = """
        create table wide as select n as id, repeat(md5(n::text), 20) as text from generate_series(1, 3000) n
        """

    @Test("A table for which the disk has no space fails with its name, and the others are a partial set")
    func full() async throws {
        try await withDisk("1m") { shop, disk in
            try await shop.execute(Self.wide)
            try shop.configure("tables: [public.products, public.wide, public.sales]")
            let outcome = try await shop.program.run("backup")
            #expect(outcome.status == 1)
            #expect(outcome.errors.count == 1, "\(outcome.error)")
            #expect(outcome.error.contains("databudgie: error: public.wide: "), "\(outcome.error)")
            #expect(outcome.error.contains(": the disk is full\n  hint: free some space"), "\(outcome.error)")
            #expect(
                try shop.files().map { $0.prefix { $0 != "2" } } == [
                    "backups/public.products/", "backups/public.sales/",
                ]
            )
            let list = try await shop.program.run("list")
            #expect(list.output.contains("partial"), "\(list.output)")
            let verified = try await shop.program.run("verify", "--all", "--level", "rows")
            #expect(verified.status == 0, "\(verified.error)")
            try await shop.execute("truncate wide")
            #expect(try await shop.program.run("backup").status == 0)
        }
    }

    @Test("A file that would be replaced stays when the disk is full, and so does the set that names it")
    func replaced() async throws {
        try await withDisk("1m") { shop, disk in
            try shop.configure("truncate: true\ntables: [{name: public.products, filename: 'now.{ext}'}]")
            #expect(try await shop.program.run("backup").status == 0)
            let old = try String(contentsOfFile: disk + "/public.products/now.csv", encoding: .utf8)
            try await shop.execute("update products set name = repeat(md5(id::text), 400)")
            let outcome = try await shop.program.run("backup")
            #expect(outcome.status == 1)
            #expect(outcome.error.contains(": the disk is full"), "\(outcome.error)")
            #expect(try String(contentsOfFile: disk + "/public.products/now.csv", encoding: .utf8) == old)
            #expect(try temporaryFiles(shop).isEmpty)
            let verified = try await shop.program.run("verify", "--level", "rows")
            #expect(
                verified.status == 0 && verified.output.contains(": ok (rows)"),
                "\(verified.output)\(verified.error)"
            )
            try await shop.execute("delete from sales; update products set name = null")
            let restored = try await shop.program.run("restore")
            #expect(restored.status == 0, "\(restored.error)")
            #expect(try await shop.value("select count(name) from products") == "100")
        }
    }

    @Test("A full disk stops a backup before its first table, and neither verify nor prune")
    func noSpaceAtAll() async throws {
        try await withDisk("1m") { shop, disk in
            try shop.configure("retention: {keep_last: 1}\ntables: [public.products]")
            #expect(try await shop.program.run("backup").status == 0)
            #expect(try await shop.program.run("backup").status == 0)
            let sets = try FileManager.default.contentsOfDirectory(atPath: disk + "/catalog").sorted()
            _ = try fill(disk)
            let backup = try await shop.program.run("backup")
            #expect(backup.status == 1 && backup.errors.count == 1, "\(backup.error)")
            #expect(backup.error.contains(": the disk is full"), "\(backup.error)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk + "/catalog").sorted() == sets)
            let verified = try await shop.program.run("verify", "--all")
            #expect(verified.status == 0, "\(verified.error)")
            #expect(verified.error.contains("databudgie: warning: the result is not stored: "), "\(verified.error)")
            let pruned = try await shop.program.run("prune", "--yes")
            #expect(pruned.status == 0, "\(pruned.error)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: disk + "/catalog").sorted() == [sets[1]])
            #expect(try temporaryFiles(shop).isEmpty)
        }
    }

    /// Lets the call that flushes a file or a folder fail whose number is in a variable.
    private static let shim = """
        #include <errno.h>
        #include <stdlib.h>
        static int calls;
        static int fails(void) { return ++calls == atoi(getenv("FAILING")) ? (errno = EIO, -1) : 0; }
        int fsync(int file) { return fails(); }
        int fdatasync(int file) { return fails(); }
        """

    @Test(
        "A disk that cannot keep what was written fails what it concerns, and nothing is listed that is not whole",
        arguments: 1...12
    )
    func flush(number: Int) async throws {
        try await Shop.with { shop in
            let (source, library) = (shop.folder + "/shim.c", shop.folder + "/shim.so")
            try Data(Self.shim.utf8).write(to: URL(filePath: source))
            let compiler = try await run(
                .name("cc"),
                arguments: ["-shared", "-fPIC", "-o", library, source],
                output: .discarded,
                error: .string(limit: 65_536)
            )
            try #require(compiler.terminationStatus.isSuccess, "\(compiler.standardError)")
            try FileManager.default.removeItem(atPath: source)
            try shop.configure("tables: [public.products, public.sales]")
            var program = shop.program
            program.environment = ["LD_PRELOAD": library, "FAILING": String(number)]
            let outcome = try await program.run("backup")
            #expect(outcome.status == 1, "\(outcome.error)")
            #expect(outcome.errors.count == 1, "\(outcome.error)")
            #expect(outcome.error.contains("the disk reported an input/output error"), "\(outcome.error)")
            try FileManager.default.removeItem(atPath: library)
            #expect(try temporaryFiles(shop).isEmpty)
            let list = try await shop.program.run("list", "--json")
            #expect(list.status == 0 && !list.output.contains("\"complete\""), "\(list.output)")
            if list.output.contains("\"partial\"") {
                let verified = try await shop.program.run("verify", "--all", "--level", "rows")
                #expect(verified.status == 0, "\(verified.error)")
            } else if !outcome.error.contains(".json cannot be written") {
                // Complete files stay when their record cannot be written.
                #expect(try shop.files().isEmpty)
            }
            #expect(try await shop.program.run("backup").status == 0)
        }
    }
}

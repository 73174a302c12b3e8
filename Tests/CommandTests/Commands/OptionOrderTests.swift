import Testing

@testable import DatabudgieCLI

@Suite("Options")
struct OptionOrderTests {
    private func options(_ line: String) throws -> SharedOptions {
        let command = try CommandLineTool().parse(line.split(separator: " ").map(String.init))
        return try #require(command).options
    }

    @Test("Options can be before or after the subcommand, and repeated ones add up")
    func order() throws {
        let options = try options(
            "-t a --strict -v -c one.yml backup -t b -x c --no-color -vv --config two.yml -l here"
        )
        #expect(options.tables == ["a", "b"])
        #expect(options.exclude == ["c"])
        #expect(options.place.configurationFiles == ["one.yml", "two.yml"])
        #expect(options.manner.strict == true)
        #expect(options.display.color == false)
        #expect(options.verbose == 3)
        #expect(options.location == "here")
    }

    @Test("Options can have values that are the names of subcommands")
    func valuesLikeCommands() throws {
        #expect(try options("-t backup restore --table config").tables == ["backup", "config"])
    }

    @Test("Options have long names, short names, and values joined to them")
    func names() throws {
        #expect(try options("backup --conn a").connection == "a")
        #expect(try options("backup --connection=a").connection == "a")
        #expect(try options("backup -Ca").connection == "a")
        #expect(try options("-tpublic.x backup").tables == ["public.x"])
        #expect(try options("backup --raw-config -").place.rawConfiguration == "-")
    }

    @Test("Flags can be taken back by later ones")
    func inversion() throws {
        let options = try options(
            "--strict --ddl --stats --dry-run backup --no-strict --no-ddl --no-stats --no-dry-run"
        )
        #expect(options.manner.strict == false)
        #expect(options.selection.ddl == false)
        #expect(options.display.stats == false)
        #expect(options.manner.dryRun == false)
    }

    @Test("A dry run prints statistics unless asked not to")
    func statistics() throws {
        #expect(try options("backup --dry-run").printsStatistics)
        #expect(try !options("backup --dry-run --no-stats").printsStatistics)
        #expect(try options("backup --stats").printsStatistics)
        #expect(try !options("backup").printsStatistics)
    }

    @Test("The adapter can be in any case")
    func adapter() throws {
        #expect(try options("-a Python backup").place.adapter == .python)
    }
}

import ArgumentParser
import Databudgie

/// The program's root: the options that every subcommand shares, before or after its name.
struct DatabudgieCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "databudgie",
        abstract: "Back up part of a Postgres database to plain files, and restore it.",
        discussion: """
            What to back up is described in a configuration file: databudgie.yml in the current folder, unless --config \
            names another one; 'databudgie init' writes a first one. Options can be given before or after the subcommand.

            Exit codes:
              0              everything was done
              1              it failed, or finished with failed tables or with findings
              2              the command line or the configuration is wrong
              129, 130, 143  it was interrupted by SIGHUP, SIGINT (Ctrl-C) or SIGTERM

            Environment:
              DATABUDGIE_BACKUP__URL=...    any key of the configuration, by its place
              PGHOST, PGPASSWORD, ...       libpq's, for what a connection leaves open
              AWS_PROFILE, AWS_REGION, ...  as for the AWS tools
              NO_COLOR                      no colours
            """,
        version: DatabudgieVersion.current,
        subcommands: [
            Init.self, Check.self, Backup.self, Restore.self, Plan.self, Why.self, List.self, Show.self, Verify.self,
            Compare.self,
            Mask.self,
            Config.self, Manifest.self, Prune.self, Cleanup.self, Completion.self,
        ]
    )

    // The parser looks for these in the whole command line before it turns to the subcommand, which then gets the same
    // values: that is why they can be on either side of its name.
    @OptionGroup var options: SharedOptions
}

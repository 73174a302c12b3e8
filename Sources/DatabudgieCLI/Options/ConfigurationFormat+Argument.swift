public import ArgumentParser
public import Databudgie

/// The values of `--raw-config-format` are the names of the formats.
extension ConfigurationFormat: ExpressibleByArgument {}

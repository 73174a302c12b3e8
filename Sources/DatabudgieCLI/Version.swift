import Databudgie

/// The program's version, as `--version` prints it.
let programVersion = DatabudgieVersion.current

/// The program's version, as `--version` prints it.
let programVersion = "3.0.0-alpha.1"

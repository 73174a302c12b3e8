import Foundation

extension RunFixture {
    /// All bytes of all files below the folder that are UTF-8, the records of sets among them.
    func content() throws -> String {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder)
        return paths.compactMap { try? String(contentsOfFile: folder + "/" + $0, encoding: .utf8) }.joined()
    }
}

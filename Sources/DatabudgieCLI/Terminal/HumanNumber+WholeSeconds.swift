import Databudgie

extension HumanNumber {
    /// A length of time that is known to the second only, as between two times of a record: `less than 1 s`, `12 s`,
    /// `2 min 05 s`.
    static func wholeSeconds(_ seconds: Double) -> String {
        switch seconds {
        case ..<1: "less than 1 s"
        case ..<60: "\(Int(seconds)) s"
        default: duration(.seconds(seconds))
        }
    }
}

extension Duration {
    /// The duration in seconds, with its fraction.
    package var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    /// Seconds to the millisecond.
    package var inRoundedSeconds: Double {
        (inSeconds * 1000).rounded() / 1000
    }
}

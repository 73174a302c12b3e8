/// One thing that happened in a run, in the order in which it happened.
///
/// A display needs nothing else. Events of one job come in the order started, progressed, then one of finished, skipped or
/// failed; jobs that run at the same time are interleaved. More kinds of events may be added: a `switch` of a client needs an
/// `@unknown default`.
@nonexhaustive
public enum RunEvent: Sendable {
    /// The plan is complete; nothing has been written yet.
    case planned(RunKind, [PlannedJob])
    /// Finished tables are recorded in the manifest as this run; nothing has been written yet.
    case recording(RecordedRun)
    /// The files of a backup set are about to be restored; nothing has been written yet.
    case restoring(RestoredSet)
    /// SQL from files is about to be run, as whoever can write these files wants it.
    case runningDefinitions(DefinitionSource)
    /// A job has begun.
    case started(JobID)
    /// A running job's totals so far; a few a second at most.
    case progressed(JobID, TransferTotals)
    /// A job is complete: its file is published, or its rows are committed.
    case finished(JobOutcome)
    /// A job was skipped on purpose.
    case skipped(SkippedJob)
    /// A job failed and left nothing behind.
    case failed(JobFailure)
    /// A warning, or a detail for `--verbose`; it stops nothing.
    case found(Finding)
}

import FoundationEssentials
import ImageAlerts
import KubeClient
import NodeWatch

/// One run of `replay`, on one thread: each batch of the recording is decoded, kept, and looked through
/// for alerts before the next.
final class ReplaySession {
    private let command: ReplayCommand
    private let reader: RecordingReader
    private let began: Date
    private let playback: Playback
    private let hub = Hub<NodeTable>()
    private let counters = WatchCounters()
    private let subscription: Int
    private let talk = WatchTalk()
    private let canceller: Canceller
    private let labels: [String]
    private var printer: AlertPrinter
    private var changes = 0
    private var alerts = 0

    init(
        _ command: ReplayCommand, _ file: RuleFile, _ canceller: Canceller
    ) throws(KubeError) {
        self.command = command
        self.canceller = canceller
        labels = file.furtherLabels
        reader = try RecordingReader(command.file)
        began = reader.header.beganAt
        playback = try Playback(
            reader, pace: command.pace, limits: command.limits.decodingLimits, canceller)
        // Read dry after each batch: never more than one of them waits.
        subscription = hub.subscribe(queueLimit: .max).id
        printer = AlertPrinter(
            AlertEngine(
                cluster: reader.header.cluster, rules: file.rules,
                detection: command.detection.options),
            command.output, clusterWidth: 0)
    }

    /// Replays all of it.
    ///
    /// - Throws: `file`: what cannot be read.
    func run() throws(KubeError) {
        talk.say(
            "\(reader.header.cluster) · recorded \(reader.header.began) by \(reader.header.program)"
        )
        playback.afterBatch = { [unowned self] in tellChanges() }
        ReflectorRunner(
            playback,
            NodeReader(isStrict: command.strict, .automatic, labels: labels), .all, hub, counters,
            RunnerOptions()
        ) { [unowned self] in take($0) }.run()
        tellChanges()
        let report = playback.report
        if let fault = report.fault { throw fault }
        if report.isCut { Talk.warn("\(command.file): cut off; replayed up to there") }
        let count = report.requests
        talk.say(
            "replayed \(NumberText.seconds(report.duration)), "
                + "\(NumberText.grouped(count)) request\(count == 1 ? "" : "s"), "
                + NumberText.bytes(counters.current.bytes))
        if report.departures > 0 {
            Talk.warn(
                "\(NumberText.grouped(report.departures)) of them are not what this version would have "
                    + "asked; what it was answered then is what counts")
        }
    }

    /// `--stats`.
    var statistics: StatisticsLine {
        StatisticsLine(
            cluster: reader.header.cluster, nodes: hub.read { $0.table.count }, counters.current,
            changes: changes, alerts: alerts)
    }

    private var time: Date { began.addingTimeInterval(playback.time / .seconds(1)) }

    private func tellChanges() {
        tell(printer.lines(at: time))
        while true {
            let news = hub.next(subscription)
            if news.isEmpty { return }
            for change in news {
                if !change.isInitial { changes += 1 }
                tell(printer.lines(change, at: time))
            }
        }
    }

    private func tell(_ lines: [AlertPrinter.Line]) {
        for line in lines {
            switch line {
            case .talk(let text): say(text)
            case .alert(let text, _):
                alerts += 1
                // Nobody reads any more.
                if !talk.alert(text) { canceller.cancel() }
            }
        }
    }

    private func take(_ notice: WatchNotice) {
        if case .problem(let error, let delay, let version) = notice {
            say(ProblemText.line(error.message, error, delay, version))
        } else if let text = notice.text {
            say(text)
        }
    }

    private func say(_ text: String) { talk.say("\(Terminal.time(time))  \(text)") }
}

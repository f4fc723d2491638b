import FoundationEssentials
import KubeClient

/// Rules, a history, and what should come of it: a rule file's unit test.
///
/// ```yaml
/// rules:
///   - {name: latest, type: image-appeared, images: "*:latest"}
/// history: |
///   0s   node n1
///   10s  pull n1 nginx:latest 1GiB
/// expect: |
///   10s  info  latest  n1: nginx:latest (1.0 GiB) appeared
/// ```
public struct RuleTest: Sendable {
    /// One alert, as it is expected and shown.
    public struct Outcome: Sendable, Hashable, CustomStringConvertible {
        /// Time, severity or "resolved", rule and summary, with one space between words.
        public var text: String

        init(_ alert: Alert, after seconds: Duration) {
            let word = alert.status == .resolved ? "resolved" : alert.severity
            let place = alert.node.map { "\($0.name): " } ?? ""
            self.init(
                "\(DurationText.text(seconds)) \(word) \(alert.rule) \(place)\(alert.detail)")
        }

        init(_ line: some StringProtocol) {
            text = line.split(separator: " ").joined(separator: " ")
        }

        /// Its text.
        public var description: String { text }
    }

    private struct Step: Sendable {
        var time: Duration
        var words: [String]
        var place: YAML.Place
    }

    /// All commands of a history, with their arguments and what they do.
    public static var commands: [(words: String, meaning: String)] { ScriptedCluster.commands }

    /// Its `name`, or where it begins.
    public let name: String
    /// What should come; nil: nobody says.
    public let expected: [Outcome]?
    /// The rules it brings along; nil: those of another file.
    public let rules: [Rule]?
    private let file: String
    private let steps: [Step]

    /// Reads the tests of a file: YAML documents, one test each.
    ///
    /// - Throws: ``RuleFile/Invalid``, ``KubeError``.
    public static func read(path: String) throws -> [RuleTest] {
        try read(try FileReader.read(path), name: path)
    }

    /// Reads the tests of a text.
    public static func read(
        _ bytes: [UInt8], name: String
    ) throws(RuleFile.Invalid) -> [RuleTest] {
        let documents: [YAML]
        do throws(YAML.Malformed) {
            documents = try YAML.documents(bytes)
        } catch {
            throw RuleFile.Invalid(
                file: name, problems: [RuleProblem(error)])
        }
        var tests: [RuleTest] = []
        for document in documents { tests.append(try RuleTest(document, name)) }
        return tests
    }

    private init(_ document: YAML, _ file: String) throws(RuleFile.Invalid) {
        self.file = file
        var fields = RuleFields(document, owner: "the test")
        name = fields.string("name") ?? "line \(document.line)"
        let history = fields.required("history", "text of lines, each a time and a command") {
            $0.string
        }
        expected = fields.string("expect").map { text in
            text.split(separator: "\n").filter { !Self.isEmpty($0) }.map(Outcome.init)
        }
        var rules: [Rule]?
        if let list = fields.value("rules") {
            do throws(RuleFile.Invalid) {
                rules = try RuleFile(list: list, name: file).rules
            } catch {
                fields.take(over: error.problems)
            }
        }
        self.rules = rules
        steps = Self.steps(history ?? "", document["history"], &fields)
        fields.finish()
        if !fields.problems.isEmpty {
            throw RuleFile.Invalid(file: file, problems: fields.problems)
        }
    }

    private static func isEmpty(_ line: Substring) -> Bool {
        line.drop { $0 == " " }.first.map { $0 == "#" } ?? true
    }

    private static func steps(
        _ text: String, _ node: YAML?, _ fields: inout RuleFields
    ) -> [Step] {
        // A block's text begins on the line after its mark.
        let start = node.map(\.place) ?? fields.place
        var steps: [Step] = []
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated() where !isEmpty(line)
        {
            let words = line.split(separator: " ").map(String.init)
            let place = YAML.Place(line: start.line + 1 + number, column: 1)
            guard words.count > 1, let time = DurationText.parse(words[0]) else {
                fields.complain(
                    "\"\(words[0])\" is no \(RuleFields.durationText); a line is a time and a command",
                    at: place)
                continue
            }
            if let last = steps.last, last.time > time {
                fields.complain(
                    "\(words[0]) comes after \(DurationText.text(last.time)); times must not go back",
                    at: place)
            }
            steps.append(Step(time: time, words: Array(words.dropFirst()), place: place))
        }
        return steps
    }

    // MARK: Running

    /// Any moment will do.
    private static let start = Date(timeIntervalSince1970: 1_767_225_600)
    /// How often it is asked who is silent.
    private static let silenceStep = Duration.seconds(10)

    /// What comes of it.
    ///
    /// - Parameter rules: Where it brings none along.
    /// - Throws: Where a line of the history cannot be done.
    public func run(_ rules: [Rule]) throws(RuleFile.Invalid) -> [Outcome] {
        let rules = self.rules ?? rules
        var engine = AlertEngine(cluster: "test", rules: rules)
        _ = engine.markListed(at: Self.start)
        let hasSilence = rules.contains { $0.condition.isOfSilence }
        var cluster = ScriptedCluster()
        var outcomes: [Outcome] = []
        var now = Duration.zero

        func tell(_ alerts: [Alert]) {
            outcomes += alerts.map { Outcome($0, after: now) }
        }
        func date() -> Date { Self.start.addingTimeInterval(now / .seconds(1)) }
        func pass(to time: Duration) {
            while now < time {
                var next = time
                if let due = engine.nextDue {
                    next = min(next, max(now, .seconds(due.timeIntervalSince(Self.start))))
                }
                if hasSilence { next = min(next, now + Self.silenceStep) }
                // What is due now may be due again at once.
                now = next == now ? min(time, now + .milliseconds(1)) : next
                tell(engine.advance(to: date()))
                guard hasSilence else { continue }
                let time = date()
                tell(
                    engine.observe(
                        silentNodes: { cluster.silentNodes($0, time) },
                        stream: cluster.streamSilentSince.map {
                            .seconds(time.timeIntervalSince($0))
                        } ?? .zero, at: time))
            }
        }
        for step in steps {
            pass(to: step.time)
            tell(engine.advance(to: date()))
            do throws(ScriptedCluster.Fault) {
                for news in try cluster.run(step.words, date()) {
                    switch news {
                    case .change(let change): tell(engine.observe(change, at: date()))
                    case .reading(let reading, let node):
                        tell(engine.observe(reading, of: node, at: date()))
                    }
                }
                tell(engine.advance(to: date()))
            } catch {
                throw RuleFile.Invalid(
                    file: file, problems: [RuleProblem(step.place, error.message)])
            }
        }
        return outcomes
    }
}

/// What happens to a running simulation at which time: a line each, a time after the start and a command.
///
/// ```
/// # a comment
/// 10s    fault watch status=503
/// 10s    cut
/// 1m30s  pull ip-10-0-0-7.us-west-2.compute.internal nginx:1.29 212MB
/// ```
public struct Scenario: Sendable {
    struct Step: Sendable {
        var time: Duration
        var words: [String]
        var line: Int
    }

    private let name: String
    let steps: [Step]

    /// Reads a scenario; `name` is what errors call it.
    ///
    /// - Throws: What is wrong, and in which line.
    public init(_ text: String, name: String) throws(ControlCommand.Invalid) {
        self.name = name
        var steps: [Step] = []
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (at, line) in lines.enumerated() {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(
                String.init)
            guard let first = words.first else { continue }
            do throws(ControlCommand.Invalid) {
                guard let time = Self.time(first) else {
                    throw ControlCommand.Invalid(
                        message: "\"\(first)\" is no time; try 500ms, 10s or 1m30s")
                }
                try ControlCommand.check(Array(words.dropFirst()))
                steps.append(Step(time: time, words: Array(words.dropFirst()), line: at + 1))
            } catch {
                throw ControlCommand.Invalid(message: "\(name), line \(at + 1): \(error.message)")
            }
        }
        // Those of one time in their order.
        self.steps = steps.enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }

    /// Lets it happen, until the task is cancelled.
    ///
    /// - Parameter tell: Told what was done and what became of it, a line each.
    public func run(_ command: ControlCommand, _ tell: @Sendable (String) -> Void) async {
        let start = ContinuousClock.now
        for step in steps {
            do { try await Task.sleep(until: start + step.time) } catch { return }
            let words = step.words.joined(separator: " ")
            do throws(ControlCommand.Invalid) {
                let answer = try command.run(step.words)
                tell("\(words): \(answer.first ?? "done")")
            } catch {
                tell("\(name), line \(step.line): \(error.message)")
            }
        }
    }

    /// "500ms", "10s", "1m30s", "2h".
    static func time(_ text: String) -> Duration? {
        var total = Duration.zero
        var rest = text[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber }
            let unit = rest.dropFirst(digits.count).prefix { $0.isLetter }
            guard let value = Int(digits), value < 1_000_000 else { return nil }
            switch unit {
            case "ms": total += .milliseconds(value)
            case "s": total += .seconds(value)
            case "m": total += .seconds(value * 60)
            case "h": total += .seconds(value * 3600)
            default: return nil
            }
            rest = rest.dropFirst(digits.count + unit.count)
        }
        return text.isEmpty ? nil : total
    }
}

/// Faults at random, by a seed: the same ones in the same order, at the same times.
public struct RandomFaults: Sendable {
    /// What is chosen from, more often what is more usual.
    static let choices: [(weight: Int, words: [String])] = [
        (20, ["cut"]), (10, ["end"]), (4, ["compact"]), (4, ["forget-history"]), (1, ["mute"]),
        (8, ["fault", "any", "status=429,2"]), (6, ["fault", "any", "status=500"]),
        (6, ["fault", "any", "status=503"]), (3, ["fault", "any", "status=504"]),
        (2, ["fault", "any", "status=401"]), (2, ["fault", "any", "status=403"]),
        (2, ["fault", "any", "status=410"]), (2, ["fault", "any", "html"]),
        (2, ["fault", "any", "json"]), (2, ["fault", "any", "hang"]),
        (4, ["fault", "any", "close"]),
        (6, ["fault", "any", "truncate=50000"]), (4, ["fault", "any", "reset=50000"]),
        (2, ["fault", "any", "drip=20000"]), (4, ["fault", "any", "duplicates"]),
        (2, ["fault", "any", "event=410"]), (2, ["fault", "any", "event=429,1"]),
        (2, ["fault", "any", "event=500"]), (1, ["fault", "any", "stall=20000"]),
        (1, ["fault", "watch", "no-end-bookmark"]),
    ]

    private let perMinute: Double
    private let seed: UInt64

    /// So many a minute on average.
    public init(perMinute: Double, seed: UInt64) {
        self.perMinute = perMinute
        self.seed = seed
    }

    /// Lets them happen, until the task is cancelled. A fault of requests cuts the watches as well, so that
    /// there is a request.
    public func run(_ command: ControlCommand, _ tell: @Sendable (String) -> Void) async {
        var random = SeededRandom(seed: seed)
        var due = ContinuousClock.now
        while true {
            due += .seconds(Double.random(in: 0...120 / perMinute, using: &random))
            do { try await Task.sleep(until: due) } catch { return }
            guard let words = random.choice(of: Self.choices, weight: \.weight)?.words else {
                return
            }
            _ = try? command.run(words)
            if words[0] == "fault" { _ = try? command.run(["cut"]) }
            tell(words.joined(separator: " "))
        }
    }
}

public import FoundationEssentials

/// A lease: who leads, and until when (https://kubernetes.io/docs/concepts/architecture/leases/).
///
/// A view of an object: what it does not name is kept.
public struct Lease: Sendable, Hashable {
    /// The object.
    public var object: KubeObject

    /// The lease that an object is.
    public init(_ object: KubeObject) { self.object = object }

    /// A new lease that nobody holds.
    public init(name: String) { object = KubeObject(.leases, name: name) }

    /// Who holds it; "" for nobody.
    public var holder: String {
        get { object.json["spec", "holderIdentity"]?.string ?? "" }
        set { object.json["spec", "holderIdentity"] = .string(newValue) }
    }

    /// For how long after its last renewal nobody else may take it. Whole seconds, 1 or more.
    public var duration: Duration {
        get { .seconds(object.json["spec", "leaseDurationSeconds"]?.int ?? 0) }
        set {
            let seconds = max(1, newValue.components.seconds)
            object.json["spec", "leaseDurationSeconds"] = .integer(seconds)
        }
    }

    /// When the holder took it.
    public var acquired: Date? {
        get { time("acquireTime") }
        set { setTime("acquireTime", newValue) }
    }

    /// When the holder last renewed it. By the holder's clock: who watches compares by its own clock
    /// when this *changes*, never the times themselves.
    public var renewed: Date? {
        get { time("renewTime") }
        set { setTime("renewTime", newValue) }
    }

    /// How often it changed hands.
    public var transitions: Int {
        get { object.json["spec", "leaseTransitions"]?.int ?? 0 }
        set { object.json["spec", "leaseTransitions"] = .integer(Int64(newValue)) }
    }

    private func time(_ key: String) -> Date? {
        object.json["spec", key]?.string.flatMap(MicroTime.date)
    }

    private mutating func setTime(_ key: String, _ date: Date?) {
        object.json["spec", key] = date.map { .string(MicroTime.text($0)) }
    }
}

/// `metav1.MicroTime`: RFC 3339 in UTC with exactly six digits after the point, or the API server
/// refuses it.
enum MicroTime {
    static func text(_ date: Date) -> String {
        let microseconds = Int64((date.timeIntervalSince1970 * 1e6).rounded())
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let whole = Date(timeIntervalSince1970: Double(rest < 0 ? seconds - 1 : seconds))
        let digits = String(rest < 0 ? rest + 1_000_000 : rest)
        return String(whole.formatted(.iso8601).dropLast())
            + "." + String(repeating: "0", count: 6 - digits.utf8.count) + digits + "Z"
    }

    static func date(_ text: String) -> Date? {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2 else { return try? Date(text, strategy: .iso8601) }
        let digits = parts[1].prefix { $0.isASCII && $0.isNumber }
        guard
            let whole = try? Date(parts[0] + parts[1].dropFirst(digits.count), strategy: .iso8601),
            let fraction = Double("0." + digits)
        else { return nil }
        return whole.addingTimeInterval(fraction)
    }
}

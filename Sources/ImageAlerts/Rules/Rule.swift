/// What is worth an alert.
public struct Rule: Sendable, Hashable {
    /// How bad it is.
    public enum Severity: String, Sendable, Hashable, CaseIterable, Comparable {
        case info, warning, critical

        /// The worse, the greater.
        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .info: 0
            case .warning: 1
            case .critical: 2
            }
        }
    }

    /// A number of bytes, or a share of something.
    public enum Amount: Sendable, Hashable {
        case bytes(Int)
        /// From 0; may be over 100.
        case percent(Double)
    }

    /// What the fullness of a node is measured by.
    public enum Basis: String, Sendable, Hashable, CaseIterable {
        /// What the kubelet says of the images' filesystem where it was asked; else the reported sizes,
        /// where those are of unpacked images. Compressed sizes say nothing of a disk.
        case automatic = "auto"
        /// Only what the kubelet says of the images' filesystem.
        case imageFS = "image-fs"
        /// Reported sizes against ephemeral storage, whatever they mean.
        case reported
    }

    /// How many nodes.
    public enum NodeCount: Sendable, Hashable {
        case nodes(Int)
        /// Of those in the rule's scope.
        case percent(Double)
    }

    /// Bounds of a spread.
    public enum SpreadLimit: Sendable, Hashable {
        case atLeast(NodeCount)
        case fewerThan(NodeCount)
    }

    /// When it is true. Of some a node's change is told once: those have no end.
    public enum Condition: Sendable, Hashable {
        /// A node's images changed. Told once.
        case storageChanged(Set<ImageChange.Classification>, minBytes: Int)
        /// The reported total moved that much within the window, either way.
        case delta(Amount, window: Duration)
        /// A node is full to `above`, until it is below `clear`.
        case high(above: Amount, clear: Amount, of: Basis)
        /// So many bytes came and went, or so many changes happened, within the window.
        case churn(Amount?, changes: Int?, window: Duration)
        /// An image came that matches. Told once.
        case imageAppeared(ImagePattern)
        /// An image went that matches. Told once.
        case imageRemoved(ImagePattern)
        /// Images that match are on so many nodes.
        case imageSpread(ImagePattern, SpreadLimit)
        /// An image came that is so large. Told once.
        case bigImage(bytes: Int)
        /// The reported total fell that much in one change. Told once.
        case suddenDrop(Amount, Set<ImageChange.Classification>)
        /// A node says DiskPressure.
        case diskPressure
        /// A node has so many versions of one repository.
        case duplicateVersions(atLeast: Int)
        /// Nothing has come from a node for so long, not even a heartbeat.
        case nodeSilent(after: Duration)
        /// Nothing has come from the server for so long.
        case streamStale(after: Duration)
    }

    /// Unique in its file.
    public var name: String
    /// When it is true.
    public var condition: Condition
    /// How bad that is.
    public var severity = Severity.warning
    /// Which nodes it looks at.
    public var scope = RuleScope()
    /// It must be true for so long before it fires.
    public var hold = Duration.zero
    /// It goes on firing for so long after it ended.
    public var keepFiringFor = Duration.zero
    /// What is told once is not told again of the same node within this time.
    public var cooldown = Duration.zero
    /// Added to its alerts' labels.
    public var labels: [String: String] = [:]
    /// What to do about it.
    public var runbookURL: String?

    /// A rule with the defaults of its kind.
    public init(_ name: String, _ condition: Condition, severity: Severity = .warning) {
        self.name = name
        self.condition = condition
        self.severity = severity
    }

    /// Any change of the images on a node: what `watch` tells where no rules are given.
    public static let storageChanged = Rule(
        "image-storage-changed",
        .storageChanged(
            Set(ImageChange.Classification.allCases.filter(\.isOfStorage)), minBytes: 0),
        severity: .info)
}

extension Rule.Condition {
    /// Whether each occurrence is told by itself and has no end.
    public var isEvent: Bool {
        switch self {
        case .storageChanged, .imageAppeared, .imageRemoved, .bigImage, .suddenDrop: true
        case .delta, .high, .churn, .imageSpread, .diskPressure, .duplicateVersions, .nodeSilent,
            .streamStale:
            false
        }
    }

    /// Whether it is about what does not come, and so about the clock.
    var isOfSilence: Bool {
        switch self {
        case .nodeSilent, .streamStale: true
        default: false
        }
    }

    /// Whether it is about the cluster, not about one node.
    public var isOfCluster: Bool {
        switch self {
        case .imageSpread, .streamStale: true
        default: false
        }
    }
}

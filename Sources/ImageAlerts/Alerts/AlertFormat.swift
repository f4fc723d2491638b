import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How alerts are written, one a line.
public enum AlertFormat: String, Sendable, CaseIterable {
    /// For people.
    case text
    /// One JSON object.
    case json
    /// `key=value` pairs.
    case logfmt

    /// An alert as one line, without the line break.
    ///
    /// - Parameters:
    ///   - alert: The alert.
    ///   - width: Columns of the terminal, for `text`; 0: no limit.
    ///   - nameWidth: Columns for the node's name, for `text`.
    ///   - clusterWidth: Columns for the cluster's name before it, for `text`; 0: it is left out.
    ///   - isColored: Whether `text` may use ANSI colours.
    public func line(
        _ alert: Alert, width: Int = 0, nameWidth: Int = 24, clusterWidth: Int = 0,
        isColored: Bool = false
    ) -> String {
        switch self {
        case .text:
            alert.textLine(
                width: width, nameWidth: nameWidth, clusterWidth: clusterWidth, isColored: isColored
            )
        case .json: alert.jsonLine
        case .logfmt: alert.logfmtLine
        }
    }
}

extension Alert {
    /// Room for the parts before the images in the text form.
    private static let totalsWidth = 23
    private static let deltaWidth = 10
    private static let classificationWidth = 8
    /// On a narrow terminal names and images are cut, but no further than this.
    private static let leastNameWidth = 16
    private static let leastImagesWidth = 24

    /// "≥ 9.8 GiB → ≥ 9.8 GiB".
    var totals: String {
        func text(_ storage: Storage?, _ isTruncated: Bool) -> String {
            guard let bytes = storage?.bytes else { return "–" }
            return (isTruncated ? "≥ " : "") + ByteText.text(bytes)
        }
        return text(previous, previousIsTruncated) + " → " + text(current, truncated)
    }

    var deltaText: String { deltaBytes.map(ByteText.delta) ?? "–" }

    /// Which images came and went, in few words.
    var imagesText: String { imagesText(isShort: false) }

    /// With short names without their registry and path: the tag is what differs.
    private func imagesText(isShort: Bool) -> String {
        func name(_ image: Image) -> String {
            guard isShort, let slash = image.name.lastIndex(of: "/") else { return image.name }
            return "…" + image.name[slash...]
        }
        func sized(_ image: Image) -> String {
            "\(name(image)) (\(ByteText.text(image.sizeBytes)))"
        }
        switch (added.count, removed.count) {
        case (1, 0): return sized(added[0])
        case (0, 1): return "\(sized(removed[0])) removed"
        case (1, 1): return "\(name(removed[0])) → \(sized(added[0]))"
        default: break
        }
        var parts: [String] = []
        if let first = added.first {
            parts.append(
                added.count == 1 ? sized(first) : "\(sized(first)) and \(added.count - 1) more")
        }
        if !removed.isEmpty {
            parts.append("\(removed.count) image\(removed.count == 1 ? "" : "s") removed")
        }
        return parts.joined(separator: ", ")
    }

    func textLine(width: Int, nameWidth: Int, clusterWidth: Int, isColored: Bool) -> String {
        var nameWidth = nameWidth
        let place =
            clusterWidth == 0
            ? "" : Self.padded(Self.shortened(cluster.name, clusterWidth), clusterWidth) + "  "
        if width > 0 {
            // Names give way before images do.
            let others =
                8 + place.count + Self.totalsWidth + Self.deltaWidth + Self.classificationWidth + 9
            let room = width - others - Self.leastImagesWidth
            nameWidth = max(Self.leastNameWidth, min(nameWidth, room))
        }
        let whole = node?.name ?? cluster.name
        let name = width > 0 ? Self.shortened(whole, nameWidth) : whole
        if !isOfAnyChange {
            return conditionLine(
                Self.padded(localTime, 8) + "  " + place + Self.padded(name, nameWidth) + "  ",
                width: width, isColored: isColored)
        }
        let head =
            Self.padded(localTime, 8) + "  " + place + Self.padded(name, nameWidth) + "  "
            + Self.padded(totals, Self.totalsWidth) + "  "
            + Self.padded(deltaText, Self.deltaWidth, toTheRight: true) + "  "
        let classification = classification ?? ""
        let kind = Self.padded(classification, Self.classificationWidth)
        let absence = notBefore == nil ? "" : ", while nobody watched"
        var images = imagesText + absence
        let used = head.count + kind.count + 1
        let room = max(width - used, Self.leastImagesWidth)
        if width > 0, images.count > room {
            images = imagesText(isShort: true) + absence
            if images.count > room { images = images.prefix(room - 1) + "…" }
        }
        guard isColored else { return head + kind + " " + images }
        let color =
            ["pull": "33", "replace": "36", "gc": "32", "eviction-reclaim": "31"][classification]
            ?? "0"
        return head + "\u{1b}[\(color)m" + kind + "\u{1b}[0m " + images
    }

    /// Whether it is of the rule that tells every change: its line has the totals in columns.
    private var isOfAnyChange: Bool { reason == Rule.storageChanged.condition.reason }

    /// What other rules say: how bad it is, which rule, and what it found.
    private func conditionLine(_ head: String, width: Int, isColored: Bool) -> String {
        let word = status == .resolved ? "resolved" : severity
        let kind = Self.padded(word, Self.classificationWidth)
        var text = " \(rule): \(detail)"
        let room = max(width - head.count - kind.count, Self.leastImagesWidth)
        if width > 0, text.count > room { text = text.prefix(room - 1) + "…" }
        guard isColored else { return head + kind + text }
        let color =
            ["resolved": "32", "info": "36", "warning": "33", "critical": "31"][word] ?? "0"
        return head + "\u{1b}[\(color)m" + kind + "\u{1b}[0m" + text
    }

    package var jsonLine: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Nothing in an alert can fail to encode: its numbers are finite, and there are no foreign types.
        let data = (try? encoder.encode(self)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    var logfmtLine: String {
        func names(_ images: [Image]) -> String { images.map(\.name).joined(separator: ",") }
        let pairs: [(String, String?)] = [
            ("ts", observedAt), ("level", severity), ("msg", summary), ("id", id), ("rule", rule),
            ("status", status.rawValue), ("cluster", cluster.name), ("node", node?.name),
            ("node_uid", node?.uid), ("old_bytes", previous?.bytes.map(String.init)),
            ("new_bytes", current?.bytes.map(String.init)),
            ("delta_bytes", deltaBytes.map(String.init)),
            ("old_images", previous.map { "\($0.images)" }),
            ("new_images", current.map { "\($0.images)" }), ("added", names(added)),
            ("removed", names(removed)), ("classification", classification), ("basis", basis),
            ("truncated", "\(truncated)"),
            ("hidden_max_bytes_each", hiddenMaxBytesEach.map(String.init)),
            ("capacity_bytes", capacityBytes.map(String.init)),
            ("allocatable_bytes", allocatableBytes.map(String.init)),
            ("percent_of_capacity", percentOfCapacity.map { "\($0)" }),
            ("disk_pressure", conditions.map { "\($0.diskPressure)" }), ("pool", node?.pool),
            ("zone", node?.zone), ("resource_version", resourceVersion),
            ("fingerprint", fingerprint), ("starts_at", startsAt),
            ("value", measure.map { "\($0.value)" }),
            ("threshold", measure.map { "\($0.threshold)" }),
            ("unit", measure?.unit.rawValue),
            ("suppressed", suppressed > 0 ? "\(suppressed)" : nil),
        ]
        return pairs.compactMap { key, value in value.map { "\(key)=\(LogfmtText.value($0))" } }
            .joined(separator: " ")
    }

    /// Nodes' names differ at their beginning or at their end: the middle goes.
    private static func shortened(_ text: String, _ width: Int) -> String {
        guard text.count > width else { return text }
        return text.prefix((width - 1) / 2) + "…" + text.suffix(width / 2)
    }

    private static func padded(_ text: String, _ width: Int, toTheRight: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return toTheRight ? space + text : text + space
    }

    /// "12:03:07" where we are.
    private var localTime: String {
        var seconds = time_t(time.timeIntervalSince1970)
        var parts = tm()
        localtime_r(&seconds, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    }
}

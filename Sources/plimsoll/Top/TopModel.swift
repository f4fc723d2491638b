import ImageAlerts
import NodeWatch
import PlimsollService

/// What `top` shows, and what keys do to it. It has no terminal and no clock.
struct TopModel {
    /// One node, with what is looked at often.
    struct NodeEntry {
        var node: NodeSummary
        var name: String
        var pool: String
        /// Nil: unknown.
        var bytes: Int?
        var isLowerBound: Bool
        /// Of the disk, from 0; nil: unknown.
        var share: Double?
        /// What changed last, and in which second since 1970; nil: nothing has.
        var lastChange: (bytes: Int, time: UInt32)?
    }

    enum View: Hashable {
        case nodes
        case images
        /// The images of a node.
        case node(String)
        /// The nodes of an image, by its name.
        case image(String)
    }

    enum Order: String, CaseIterable {
        case storage = "image storage"
        case share = "share of the disk"
        case images = "number of images"
        case change = "last change"
        case pool
        case name
        case size
        case nodes = "number of nodes"
        case total = "size times nodes"

        static let ofNodes: [Order] = [.storage, .share, .images, .change, .pool, .name]
        static let ofImages: [Order] = [.total, .size, .nodes, .name]
    }

    /// Where the view was before.
    private struct Place {
        var view: View
        var selected: Int
        var filter: String
        var order: Order
        var isReversed: Bool
    }

    private(set) var view = View.nodes
    private(set) var order = Order.storage
    private(set) var isReversed = false
    private(set) var filter = ""
    /// Whether keys are the filter's.
    private(set) var isTyping = false
    private(set) var selected = 0
    private(set) var top = 0
    private(set) var isOver = false
    private var places: [Place] = []

    private var all: [NodeEntry] = []
    private var allImages: [ClusterImage] = []
    /// What is shown, filtered and sorted: one of the two.
    private(set) var nodes: [NodeEntry] = []
    private(set) var images: [ClusterImage] = []
    /// Rows that fit.
    var height = 10

    var count: Int { isOfNodes ? nodes.count : images.count }
    /// Before the filter.
    var total: Int {
        switch view {
        case .nodes: all.count
        case .images: allImages.count
        case .node(let name): all.first { $0.name == name }?.node.imageCount ?? 0
        case .image: nodes.count
        }
    }
    var isOfNodes: Bool {
        switch view {
        case .nodes, .image: true
        case .images, .node: false
        }
    }
    var nodeCount: Int { all.count }
    /// Of all nodes.
    private(set) var storage = ImageStorageSum()

    // MARK: News

    /// Takes in the nodes as they are now.
    mutating func take(_ summaries: [NodeSummary], history: NodeHistory) {
        let cap = ImageListCap(knowing: summaries)
        all = summaries.map { node in
            let bytes = node.imageCount > 0 ? node.imageBytes : nil
            let share = bytes.flatMap { bytes in
                node.capacityBytes.flatMap { $0 > 0 ? Double(bytes) / Double($0) : nil }
            }
            let name = node.name
            return NodeEntry(
                node: node, name: name, pool: node.pool ?? "", bytes: bytes,
                isLowerBound: cap.isTruncated(node), share: share,
                lastChange: Self.lastChange(history.points(of: name)))
        }
        storage = all.reduce(into: ImageStorageSum()) {
            $0.add($1.bytes, isTruncated: $1.isLowerBound)
        }
        // Of a large cluster this takes a while: only for who looks at it.
        switch view {
        case .images, .image: allImages = ClusterImage.all(of: summaries)
        case .nodes, .node: break
        }
        arrange(keepingSelection: true)
    }

    private static func lastChange(_ points: [NodeHistory.Point]) -> (Int, UInt32)? {
        guard let last = points.last, points.count > 1 else { return nil }
        return ((last.bytes ?? 0) - (points[points.count - 2].bytes ?? 0), last.time)
    }

    /// The name of the row that is selected.
    var selectedName: String? {
        if isOfNodes { return nodes.indices.contains(selected) ? nodes[selected].name : nil }
        return images.indices.contains(selected) ? images[selected].image.displayName : nil
    }

    private mutating func arrange(keepingSelection: Bool) {
        let name = keepingSelection ? selectedName : nil
        switch view {
        case .nodes:
            nodes = sorted(
                all.filter {
                    filter.isEmpty || $0.name.contains(filter) || $0.pool.contains(filter)
                })
        case .image(let image):
            nodes = sorted(
                all.filter { entry in
                    (filter.isEmpty || entry.name.contains(filter))
                        && entry.node.images.contains { $0.displayName == image }
                })
        case .images:
            images = sorted(
                allImages.filter { filter.isEmpty || $0.image.displayName.contains(filter) })
        case .node(let node):
            let listed = all.first { $0.name == node }.map { ClusterImage.all(of: [$0.node]) } ?? []
            images = sorted(
                listed.filter { filter.isEmpty || $0.image.displayName.contains(filter) })
        }
        if let name {
            let now =
                isOfNodes
                ? nodes.firstIndex { $0.name == name }
                : images.firstIndex { $0.image.displayName == name }
            // Who stands on the first row wants to see the first row.
            if let now, selected > 0 { selected = now }
        }
        select(selected)
    }

    private func sorted(_ entries: [NodeEntry]) -> [NodeEntry] {
        func by<Key: Comparable>(_ key: (NodeEntry) -> Key) -> [NodeEntry] {
            let keyed = entries.map { ($0, key($0)) }
            let result = keyed.sorted { ($0.1, $0.0.name) < ($1.1, $1.0.name) }.map(\.0)
            return isReversed ? result.reversed() : result
        }
        return switch order {
        case .share: by { -($0.share ?? -1) }
        case .images: by { -$0.node.imageCount }
        case .change: by { -Int($0.lastChange?.time ?? 0) }
        case .pool: by(\.pool)
        case .name: by(\.name)
        default: by { -($0.bytes ?? -1) }
        }
    }

    private func sorted(_ entries: [ClusterImage]) -> [ClusterImage] {
        func by<Key: Comparable>(_ key: (ClusterImage) -> Key) -> [ClusterImage] {
            let keyed = entries.map { ($0, key($0), $0.image.displayName) }
            let result = keyed.sorted { ($0.1, $0.2) < ($1.1, $1.2) }.map(\.0)
            return isReversed ? result.reversed() : result
        }
        return switch order {
        case .size: by { -$0.image.sizeBytes }
        case .nodes: by { -$0.nodes }
        case .name: by(\.image.displayName)
        default: by { -Double($0.image.sizeBytes) * Double($0.nodes) }
        }
    }

    // MARK: Keys

    /// Whether the images of all nodes are to be known now.
    private(set) var wantsNews = false

    mutating func press(_ key: TopKey) {
        wantsNews = false
        if isTyping, type(key) { return }
        switch key {
        case .up, .character("k"): select(selected - 1)
        case .down, .character("j"): select(selected + 1)
        case .pageUp: select(selected - height)
        case .pageDown, .character(" "): select(selected + height)
        case .home, .character("g"): select(0)
        case .end, .character("G"): select(count - 1)
        case .enter, .right, .character("l"): drill()
        case .escape, .left, .backspace, .character("h"): goBack()
        case .character("s"): sortNext()
        case .character("r"):
            isReversed.toggle()
            arrange(keepingSelection: true)
        case .character("/"): isTyping = true
        case .character("n"): show(.nodes)
        case .character("i"): show(.images)
        case .character("q"): isOver = true
        case .character: break
        }
    }

    /// False for keys that are not the filter's.
    private mutating func type(_ key: TopKey) -> Bool {
        switch key {
        case .character(let character): filter.append(character)
        case .backspace:
            if filter.isEmpty { isTyping = false } else { filter.removeLast() }
        case .enter:
            isTyping = false
            return true
        case .escape:
            isTyping = false
            filter = ""
        default: return false
        }
        selected = 0
        arrange(keepingSelection: false)
        return true
    }

    private mutating func drill() {
        guard let name = selectedName else { return }
        switch view {
        case .nodes, .image: open(.node(name))
        case .images, .node: open(.image(name))
        }
    }

    private mutating func open(_ next: View) {
        places.append(
            Place(
                view: view, selected: selected, filter: filter, order: order,
                isReversed: isReversed))
        enter(next)
    }

    private mutating func show(_ next: View) {
        if view == next { return }
        places = []
        enter(next)
    }

    private mutating func enter(_ next: View) {
        view = next
        filter = ""
        isReversed = false
        selected = 0
        order = isOfNodes ? .storage : next == .images ? .total : .size
        wantsNews = true
        arrange(keepingSelection: false)
    }

    /// To where the view was; a filter goes first.
    private mutating func goBack() {
        if !filter.isEmpty {
            filter = ""
            arrange(keepingSelection: true)
            return
        }
        guard let place = places.popLast() else { return }
        view = place.view
        filter = place.filter
        order = place.order
        isReversed = place.isReversed
        selected = place.selected
        wantsNews = true
        arrange(keepingSelection: false)
    }

    private mutating func sortNext() {
        let orders = isOfNodes ? Order.ofNodes : Order.ofImages
        let at = orders.firstIndex(of: order) ?? 0
        order = orders[(at + 1) % orders.count]
        arrange(keepingSelection: true)
    }

    private mutating func select(_ row: Int) {
        selected = max(0, min(row, count - 1))
        fit()
    }

    /// Lets the selected row be among those that are shown.
    mutating func fit() {
        top = max(0, min(top, max(0, count - height)))
        if selected < top { top = selected }
        if selected >= top + height { top = selected - height + 1 }
    }
}

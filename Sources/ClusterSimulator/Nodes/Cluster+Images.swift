import ObjectEncoding

/// What happens to the images of a node.
extension Cluster {
    /// A node pulls an image: its digest and its tag appear. Returns the node, or nil where there is
    /// none of that name.
    @discardableResult
    public func pull(_ name: String, image: String, sizeBytes: Int) -> SimulatedNode? {
        let number = catalog.number(names: Self.names(of: image), sizeBytes: sizeBytes)
        let catalog = catalog.all
        return update(name) { values in
            var images = values.images ?? []
            guard !images.contains(number) else { return }
            images.append(number)
            values.images = images.sortedLikeKubelet(catalog)
        }
    }

    /// Images of a node that have `image` among their names, or are tagged so.
    private func matches(_ image: String, _ numbers: [Int]) -> [Int] {
        let catalog = catalog.all
        return numbers.filter { catalog[$0].names.contains(image) }
    }

    /// An image goes. Nil where the node is not there or has no such image.
    @discardableResult
    public func remove(_ name: String, image: String) -> SimulatedNode? {
        guard let gone = node(name).map({ matches(image, $0.values.images ?? []) }), !gone.isEmpty
        else { return nil }
        return update(name) { $0.images?.removeAll { gone.contains($0) } }
    }

    /// An image goes and another of the same size comes: the total stays.
    @discardableResult
    public func swap(_ name: String, image: String, for other: String) -> SimulatedNode? {
        let all = catalog.all
        guard let gone = node(name).flatMap({ matches(image, $0.values.images ?? []).first })
        else { return nil }
        let number = catalog.number(names: Self.names(of: other), sizeBytes: all[gone].sizeBytes)
        let catalog = catalog.all
        return update(name) { values in
            var images = values.images ?? []
            images.removeAll { $0 == gone }
            images.append(number)
            values.images = images.sortedLikeKubelet(catalog)
        }
    }

    /// An image gets another tag; its digest and size stay.
    @discardableResult
    public func retag(_ name: String, image: String, to tag: String) -> SimulatedNode? {
        guard let old = node(name).flatMap({ matches(image, $0.values.images ?? []).first })
        else { return nil }
        let entry = catalog[old]
        let digests = entry.names.filter { $0.contains("@") }
        let number = catalog.number(names: digests + [tag], sizeBytes: entry.sizeBytes)
        return update(name) { values in
            values.images = values.images?.map { $0 == old ? number : $0 }
        }
    }

    /// The list comes in another order.
    @discardableResult
    public func reorder(_ name: String) -> SimulatedNode? {
        update(name) { values in
            guard let images = values.images else { return }
            // Only what is reported: the cap cuts the same images off as before.
            values.images =
                images.prefix(NodeProfile.imageCap).reversed()
                + images.dropFirst(NodeProfile.imageCap)
        }
    }

    /// The list is missing for once, as after a kubelet's restart.
    @discardableResult
    public func loseImageList(_ name: String) -> SimulatedNode? {
        update(name) { $0.images = nil }
    }

    /// The list is there again, as it was.
    package func findImageList(_ name: String, asOf node: SimulatedNode) {
        update(name) { $0.images = node.values.images }
    }

    /// The machine starts anew: its kubelet has no list at first, then the one from before.
    @discardableResult
    public func reboot(_ name: String) -> SimulatedNode? {
        guard let images = node(name)?.values.images else { return nil }
        var random = SeededRandom(seed: UInt64(resourceVersion))
        let bootID = random.uuid()
        update(name) {
            $0.bootID = bootID
            $0.images = nil
        }
        return update(name) { $0.images = images }
    }

    /// A kubelet says that it is alive; nothing else changed.
    @discardableResult
    public func heartbeat(_ name: String) -> SimulatedNode? {
        update(name) { $0.heartbeat = options.clock() }
    }

    /// So many heartbeats, the nodes taking turns.
    public func heartbeats(_ count: Int) {
        let names = snapshot().nodes.map(\.name)
        guard !names.isEmpty else { return }
        for number in 0..<count { heartbeat(names[number % names.count]) }
    }

    /// A node's DiskPressure.
    @discardableResult
    public func setDiskPressure(_ name: String, _ value: Bool) -> SimulatedNode? {
        update(name) { $0.hasDiskPressure = value }
    }

    /// What a node-problem-detector finds, or finds no more.
    package func setFrequentRestarts(_ name: String, _ value: Bool) {
        update(name) { $0.hasFrequentRestarts = value }
    }

    /// A node's `spec.unschedulable`.
    @discardableResult
    public func setUnschedulable(_ name: String, _ value: Bool) -> SimulatedNode? {
        update(name) { $0.isUnschedulable = value }
    }

    /// Garbage collection: images that workloads pulled go until `bytes` are free. Returns how many.
    @discardableResult
    public func collectGarbage(_ name: String, freeing bytes: Int) -> Int {
        let catalog = catalog.all
        var removed = 0
        update(name) { values in
            var freed = 0
            for number in (values.images ?? []).reversed() where isApplicationImage(number) {
                guard freed < bytes else { break }
                freed += catalog[number].sizeBytes
                removed += 1
                values.images?.removeAll { $0 == number }
            }
        }
        return removed
    }

    /// Names a kubelet would report for an image pulled by tag: its digest first.
    static func names(of image: String) -> [String] {
        if image.contains("@") { return [image] }
        var hash = SeededRandom(seed: image.utf8.reduce(5381) { $0 &* 33 &+ UInt64($1) })
        var repository = image[...]
        var tagged = image
        if let colon = image.lastIndex(of: ":"), !image[colon...].contains("/") {
            repository = image[..<colon]
        } else {
            tagged += ":latest"
        }
        return ["\(repository)@sha256:\(hash.hex(64))", tagged]
    }
}

/// First in, first out.
struct Line<Element: Sendable>: Sendable {
    private var elements: [Element] = []
    /// So many of them have been taken.
    private var taken = 0

    var count: Int { elements.count - taken }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func next() -> Element? {
        guard taken < elements.count else { return nil }
        defer {
            taken += 1
            // Moving the rest up costs each of them little, and never much at once.
            if taken == elements.count {
                elements.removeAll(keepingCapacity: taken < 4096)
                taken = 0
            } else if taken > 4096, taken > elements.count / 2 {
                elements.removeFirst(taken)
                taken = 0
            }
        }
        return elements[taken]
    }

    /// All that waits.
    mutating func takeAll() -> ArraySlice<Element> {
        defer { self = Line() }
        return elements[taken...]
    }
}

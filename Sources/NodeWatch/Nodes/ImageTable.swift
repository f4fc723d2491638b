import KubeClient
import Synchronization

/// The images of one engine client: from an id to the image, counted by the records that hold it.
///
/// An id stands for the same image as long as anything refers to it. When the last record that holds
/// it is gone, it is handed back through ``takeRetired()``, and the engine may give it to another
/// image.
///
/// Records are made on the stream's thread and die anywhere, so the table has a lock.
package final class ImageTable: Sendable {
    private static let pageSize = 256

    private struct Slot {
        var image: ContainerImage?
        var holders = 0
        /// Already listed as unused: listing it twice would retire it twice.
        var isListed = false
    }

    private struct State {
        /// By id / pageSize. A page without images is dropped.
        var pages: [[Slot]?] = []
        /// Ids whose last holder has gone since the last call of `takeRetired()`.
        var unused: [UInt32] = []
        /// Defined since the last call. They get one more round: the record that brought them may
        /// come with the next batch.
        var defined: [UInt32] = []
        var count = 0
    }

    private let state = Locked(State())

    /// Keys of labels that its records keep beyond those that all do, in the order of their slots.
    package let furtherLabels: [String]

    package init(furtherLabels: [String] = []) {
        self.furtherLabels = Array(furtherLabels.prefix(NodeSummary.mostFurtherLabels))
    }

    /// Images that are known now.
    package var count: Int { state.withLock { $0.count } }

    /// Takes over a definition. A second definition of one id is ignored.
    package func define(_ id: UInt32, _ image: ContainerImage) {
        state.withLock { state in
            let (page, offset) = Self.place(id)
            while state.pages.count <= page { state.pages.append(nil) }
            if state.pages[page] == nil {
                state.pages[page] = Array(repeating: Slot(), count: Self.pageSize)
            }
            guard state.pages[page]![offset].image == nil else { return }
            state.pages[page]![offset].image = image
            state.defined.append(id)
            state.count += 1
        }
    }

    /// The images of a list of ids.
    func images(_ ids: UnsafeBufferPointer<UInt32>) -> [ContainerImage] {
        state.withLock { state in ids.compactMap { Self.image($0, in: state) } }
    }

    /// Counts one more holder of each id. Changes nothing and returns false if one is unknown.
    func retain(_ ids: UnsafeBufferPointer<UInt32>) -> Bool {
        if ids.isEmpty { return true }
        return state.withLock { state in
            for (taken, id) in ids.enumerated() {
                let (page, offset) = Self.place(id)
                guard page < state.pages.count, state.pages[page] != nil,
                    state.pages[page]![offset].image != nil
                else {
                    Self.release(UnsafeBufferPointer(rebasing: ids[..<taken]), in: &state)
                    return false
                }
                state.pages[page]![offset].holders += 1
            }
            return true
        }
    }

    /// Takes back what `retain()` counted.
    func release(_ ids: UnsafeBufferPointer<UInt32>) {
        if ids.isEmpty { return }
        state.withLock { Self.release(ids, in: &$0) }
    }

    /// Ids that nobody has held since, for the engine to forget. The table has forgotten them.
    package func takeRetired() -> [UInt32] {
        state.withLock { state in
            var retired: [UInt32] = []
            for id in state.unused {
                let (page, offset) = Self.place(id)
                state.pages[page]![offset].isListed = false
                guard state.pages[page]![offset].holders == 0 else { continue }
                state.pages[page]![offset].image = nil
                state.count -= 1
                retired.append(id)
                if state.pages[page]!.allSatisfy({ $0.image == nil && !$0.isListed }),
                    page < state.pages.count - 1
                {
                    state.pages[page] = nil
                }
            }
            state.unused.removeAll(keepingCapacity: state.unused.count < 1024)
            for id in state.defined {
                let (page, offset) = Self.place(id)
                guard state.pages[page]?[offset].holders == 0,
                    state.pages[page]![offset].image != nil,
                    !state.pages[page]![offset].isListed
                else { continue }
                state.pages[page]![offset].isListed = true
                state.unused.append(id)
            }
            state.defined.removeAll(keepingCapacity: state.defined.count < 1024)
            return retired
        }
    }

    private static func place(_ id: UInt32) -> (page: Int, offset: Int) {
        (Int(id) / pageSize, Int(id) % pageSize)
    }

    private static func image(_ id: UInt32, in state: borrowing State) -> ContainerImage? {
        let (page, offset) = place(id)
        return page < state.pages.count ? state.pages[page]?[offset].image : nil
    }

    private static func release(_ ids: UnsafeBufferPointer<UInt32>, in state: inout State) {
        for id in ids {
            let (page, offset) = place(id)
            state.pages[page]![offset].holders -= 1
            if state.pages[page]![offset].holders == 0, !state.pages[page]![offset].isListed {
                state.pages[page]![offset].isListed = true
                state.unused.append(id)
            }
        }
    }
}

/// Ids for images that did not come through an engine: summaries made by hand.
final class LocalImages: Sendable {
    private static let all = Locked<[[String]: LocalImages]>([:])

    /// Those of nodes that keep these labels beyond those that all do.
    static func keeping(_ labels: [String]) -> LocalImages {
        all.withLock { all in
            if let known = all[labels] { return known }
            let made = LocalImages(labels)
            all[labels] = made
            return made
        }
    }

    let table: ImageTable
    private struct State {
        var ids: [ContainerImage: UInt32] = [:]
        var nextID: UInt32 = 0
    }
    private let state = Locked(State())

    private init(_ labels: [String]) { table = ImageTable(furtherLabels: labels) }

    /// Lends ids for images; the records made inside hold them.
    func withIDs<Result>(_ images: [ContainerImage], _ body: ([UInt32]) -> Result) -> Result {
        state.withLock { state in
            let retired = Set(table.takeRetired())
            if !retired.isEmpty {
                for (image, id) in state.ids where retired.contains(id) { state.ids[image] = nil }
            }
            let ids = images.map { image in
                if let known = state.ids[image] { return known }
                let id = state.nextID
                state.nextID += 1
                state.ids[image] = id
                table.define(id, image)
                return id
            }
            return body(ids)
        }
    }
}

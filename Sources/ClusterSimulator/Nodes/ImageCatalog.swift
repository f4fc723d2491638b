import ObjectEncoding
import Synchronization

/// Every image the simulated nodes know, each encoded once.
final class ImageCatalog: Sendable {
    struct Image: Sendable {
        var names: [String]
        var sizeBytes: Int
        /// The entry of `status.images`.
        var json: [UInt8]
        var protobuf: [UInt8]
    }

    private struct Key: Hashable {
        var names: [String]
        var sizeBytes: Int
    }

    private struct State {
        var images: [Image] = []
        var numbers: [Key: Int] = [:]
    }

    private let state = Mutex(State())

    /// The number of an image, the same for the same names and size.
    func number(names: [String], sizeBytes: Int) -> Int {
        state.withLock { state in
            let key = Key(names: names, sizeBytes: sizeBytes)
            if let known = state.numbers[key] { return known }
            var json = JSONText()
            json.raw("{\"names\":[")
            for (index, name) in names.enumerated() {
                if index > 0 { json.raw(",") }
                json.string(name)
            }
            json.raw("]")
            // omitempty, as in the API's type.
            if sizeBytes != 0 {
                json.raw(",\"sizeBytes\":")
                json.number(sizeBytes)
            }
            json.raw("}")
            var protobuf = ProtobufText()
            for name in names { protobuf.string(1, name) }
            protobuf.number(2, sizeBytes)
            state.images.append(
                Image(
                    names: names, sizeBytes: sizeBytes, json: json.bytes, protobuf: protobuf.bytes))
            state.numbers[key] = state.images.count - 1
            return state.images.count - 1
        }
    }

    subscript(number: Int) -> Image { state.withLock { $0.images[number] } }

    /// Everything, by number. Shares storage; cheap.
    var all: [Image] { state.withLock { $0.images } }
}

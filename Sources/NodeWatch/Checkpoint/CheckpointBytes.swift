/// Numbers and texts one after another, little-endian.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A text; nil stays absent.
    mutating func append(_ text: String?) {
        guard var text else {
            append(UInt32(0))
            return
        }
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    mutating func append(_ text: UnsafeRawBufferPointer) {
        append(UInt32(text.count) + 1)
        bytes.append(contentsOf: text)
    }
}

/// Reads what a ``ByteWriter`` wrote, and never beyond the end.
package struct ByteReader {
    /// The bytes end too early, or are not what they should be.
    package struct Malformed: Error {}

    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(Malformed) -> Number
    {
        let size = MemoryLayout<Number>.size
        guard rest.count >= size else { throw Malformed() }
        let value = rest.loadUnaligned(as: type)
        rest = UnsafeRawBufferPointer(rebasing: rest[size...])
        return Number(littleEndian: value)
    }

    /// A count of things that take at least so many bytes each.
    mutating func count(of size: Int) throws(Malformed) -> Int {
        let count = Int(try number(UInt32.self))
        guard count <= rest.count / size else { throw Malformed() }
        return count
    }

    /// A text, borrowed from the bytes; nil where it is absent.
    mutating func text() throws(Malformed) -> UnsafeRawBufferPointer? {
        let count = Int(try number(UInt32.self)) - 1
        if count < 0 { return nil }
        guard count <= rest.count else { throw Malformed() }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<count])
    }
}

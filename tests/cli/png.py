"""png.py FILE X,Y...: its size and the colours there; every length and checksum is right."""
import struct, sys, zlib
data = open(sys.argv[1], "rb").read()
assert data[:8] == b"\x89PNG\r\n\x1a\n"
at, names, packed = 8, [], b""
while at < len(data):
    length, name = struct.unpack(">I4s", data[at:at + 8])
    body = data[at + 8:at + 8 + length]
    assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(name + body)
    names.append(name)
    packed += body if name == b"IDAT" else b""
    if name == b"IHDR":
        width, height, *kind = struct.unpack(">IIBBBBB", body)
        assert kind == [8, 2, 0, 0, 0]
    at += 12 + length
assert names[0] == b"IHDR" and names[-1] == b"IEND" and at == len(data)
rows = zlib.decompress(packed)
assert len(rows) == (3 * width + 1) * height
print(f"{width}x{height}", *(rows[(3 * width + 1) * y + 1 + 3 * x:][:3].hex() for x, y in
                             (map(int, place.split(",")) for place in sys.argv[2:])))

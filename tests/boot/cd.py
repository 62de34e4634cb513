"""Makes a CD by which a program is booted: ISO 9660 with one file, and El Torito.

usage: cd.py OUT BOOT-IMAGE none|1200|1440|2880|disk [WORD...]

A boot image that has CDINFO in it finds behind that what it should see: a byte, the media type; its
block; how many blocks the disc has; the boot catalog's block (32 bits each).

WORDs: section     the default entry is for EFI, and a section has that for a PC
       hybrid      the first sector ends in 55 AA
       sum         the boot catalog's checksum is wrong
       count=N     so many sectors are loaded (all without emulation, else 1)
       segment=N   to this segment
       media=N     the media type, whatever it is
       none        the boot catalog is empty
       short=N     the file ends N bytes before its end
"""
import struct, sys

BLOCK = 2048
MEDIA = {"none": 0, "1200": 1, "1440": 2, "2880": 3, "disk": 4}
CATALOG, ROOT, PATHS, IMAGE = 19, 20, 21, 23

def both(n, size):
    return n.to_bytes(size, "little") + n.to_bytes(size, "big")

def record(name, block, length, folder=False):
    body = both(block, 4) + both(length, 4) + bytes([126, 1, 1, 0, 0, 0, 0]) + bytes([2 * folder, 0, 0]) + both(1, 2)
    body += bytes([len(name)]) + name
    body += b"" if len(body) % 2 == 0 else b"\0"
    return bytes([len(body) + 2, 0]) + body

def volume(blocks):
    root = record(b"\0", ROOT, BLOCK, True)
    head = b"\1CD001\1\0" + b" " * 32 + b"MINIKVM".ljust(32) + bytes(8) + both(blocks, 4) + bytes(32)
    head += both(1, 2) + both(1, 2) + both(BLOCK, 2) + both(10, 4)
    head += struct.pack("<II", PATHS, 0) + struct.pack(">II", PATHS + 1, 0) + root
    return head.ljust(813, b" ") + b"0" * 16 + b"\0" + b"0" * 16 + b"\0" + b"0" * 16 + b"\0" + b"0" * 16 + b"\0\1\0"

def validation(platform, bad_sum):
    entry = bytes([1, platform, 0, 0]) + b"minikvm".ljust(24, b"\0") + b"\0\0\x55\xaa"
    total = sum(struct.unpack("<16H", entry)) + bad_sum
    return entry[:28] + struct.pack("<H", -total & 0xffff) + entry[30:]

def entry(media, segment, count, block, bootable=0x88):
    return struct.pack("<BBHBBHI", bootable, media, segment, 0, 0, count, block).ljust(32, b"\0")

def partition(image):
    """A hard disk of 17 sectors, 4 heads."""
    cylinders = -(-len(image) // (17 * 4 * 512))
    image = image.ljust(cylinders * 17 * 4 * 512, b"\0")
    end = bytes([3, 17 | (cylinders - 1 >> 8) << 6, cylinders - 1 & 255])
    row = b"\x80\0\2\0\6" + end + struct.pack("<II", 1, len(image) // 512 - 1)
    return image[:0x1be] + row + bytes(48) + image[0x1fe:]

def make(image, kind, words):
    media, values = MEDIA[kind], dict(word.split("=") for word in words if "=" in word)
    if kind == "disk":
        image = partition(image)
    elif media:
        image = image[: int(kind) * 1024].ljust(int(kind) * 1024, b"\0")
    image = image.ljust(-(-len(image) // BLOCK) * BLOCK, b"\0")
    blocks = IMAGE + len(image) // BLOCK + 4
    at = image.find(b"CDINFO")
    if at >= 0:
        info = struct.pack("<BIII", media, IMAGE, blocks, CATALOG)
        image = image[: at + 6] + info + image[at + 6 + len(info) :]
    if media: # its last sector can be told
        size = {"1200": 2400, "1440": 2880, "2880": 5760}.get(kind, len(image) // 512)
        last = (size - 1) * 512
        image = image[:last] + b"LAST" + image[last + 4 :]
    number = lambda name, usual: int(values[name], 0) if name in values else usual
    count = number("count", 1 if media else min(len(image) // 512, 17))
    pc = entry(number("media", media), number("segment", 0), count, IMAGE)
    efi = entry(0, 0, 1, IMAGE + len(image) // BLOCK)
    if "none" in words:
        catalog = validation(0, 0) + entry(0, 0, 1, IMAGE, 0)
    elif "section" in words:
        catalog = validation(0xef, 0) + efi + struct.pack("<BBH", 0x90, 1, 1).ljust(32, b"\0") + efi
        catalog += struct.pack("<BBH", 0x91, 0, 2).ljust(32, b"\0") + entry(0, 0, 1, 5, 0)
        catalog += b"\x44".ljust(32, b"\0") + pc
    else:
        catalog = validation(0, "sum" in words) + pc
    directory = record(b"\0", ROOT, BLOCK, True) + record(b"\1", ROOT, BLOCK, True)
    directory += record(b"BOOT.IMG;1", IMAGE, len(image))
    paths = [b"\1\0" + struct.pack(order + "IH", ROOT, 1) + b"\0\0" for order in "<>"]
    system = bytearray(16 * BLOCK)
    if "hybrid" in words:
        system[510:512] = b"\x55\xaa"
    parts = [volume(blocks), b"\0CD001\1EL TORITO SPECIFICATION".ljust(0x47, b"\0") + struct.pack("<I", CATALOG),
             b"\xffCD001\1", catalog, directory, *paths]
    disc = bytes(system) + b"".join(part.ljust(BLOCK, b"\0") for part in parts) + image + bytes(4 * BLOCK)
    assert len(disc) == blocks * BLOCK
    return disc[: len(disc) - number("short", 0)]

if __name__ == "__main__":
    out, source, kind, *words = sys.argv[1:]
    with open(source, "rb") as f:
        disc = make(f.read(), kind, words)
    with open(out, "wb") as f:
        f.write(disc)

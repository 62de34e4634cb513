# GRUB's graphical terminal: a real loader's use of VBE, its font in a linear framebuffer.
. "$TOP/tests/boot/lib.sh"
needs_able_engine
needs_command grub-mkrescue grub-common
needs_command xorriso xorriso
needs_command mformat mtools
needs_file /usr/lib/grub/i386-pc/cdboot.img grub-pc-bin
needs_file /usr/share/grub/unicode.pf2 grub-common

mkdir -p disc/boot/grub
cat >disc/boot/grub/grub.cfg <<'END'
insmod all_video
insmod gfxterm
set gfxmode=800x600x32
loadfont unicode
terminal_output gfxterm
set color_normal=yellow/blue
clear
echo "Dots by GRUB"
halt
END
grub-mkrescue -d /usr/lib/grub/i386-pc -o vbe.iso disc >log 2>&1 || skip "grub-mkrescue cannot: $(tail -n 1 log)"
run --screenshot="$WORK/shot.png" vbe.iso
expect_status 0
python3 "$TOP/tests/cli/png.py" shot.png 700,500 >said 2>&1
grep -q '^800x600 0000' said || fail "$ran: its picture is $(cat said), and not 800x600 and blue"
python3 - <<'END' || fail "$ran: there is no yellow text on its picture"
import zlib
data, packed, at = open("shot.png", "rb").read(), b"", 8
while at < len(data):
    length = int.from_bytes(data[at:at + 4], "big")
    packed += data[at + 8:at + 8 + length] if data[at + 4:at + 8] == b"IDAT" else b""
    at += 12 + length
rows, pitch = zlib.decompress(packed), 3 * 800 + 1
row = [rows[y * pitch + 1:(y + 1) * pitch] for y in range(40)]
yellow = sum(r[x] > 200 and r[x + 1] > 200 and r[x + 2] < 120 for r in row for x in range(0, 600, 3))
raise SystemExit(yellow < 50)
END
finish

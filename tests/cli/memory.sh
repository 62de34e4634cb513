# What memory a guest has, by default and with --mem, and how much of the host's it takes.
. "$TOP/tests/cli/lib.sh"
need_engine
cd "$WORK" || exit 1

# A word at SEGMENT:0600 written and read back: EXIT with its low byte.
#   mov $SEGMENT,%ax; mov %ax,%ds; movw $0x5a5a,0x600; mov 0x600,%bx; mov $0x500,%dx; mov $0,%al; out %al,%dx
holds() { # holds STATUS SEGMENT [OPTION...]: 90 is RAM, 255 is nothing
    local expected=$1 segment=$2
    shift 2
    python3 - "$segment" >image <<'P'
import sys
n = int(sys.argv[1], 0)
sys.stdout.buffer.write(bytes([0xb8, n & 255, n >> 8]) + bytes.fromhex("8ed8c70600065a5a8b1e0006ba0005b000ee"))
P
    run "$@" ./image
    expect_status "$expected"
}
for segment in 0x9000 0xa000 0xb800 0xc000; do holds 90 $segment; done
holds 90 0xf000 --bios=none # else the ROM is there
holds 255 0xffff # 0x1005f0 is behind the first MiB
holds 90 0xffff --mem=2M
# With less than 640 KiB, as a PC has it: nothing up to A0000, and what is above.
holds 255 0x9000 --mem=256K
holds 90 0x3000 --mem=256K
for segment in 0xa000 0xb800; do holds 90 $segment --mem=256K; done
holds 90 0x9000 --mem=640K

# Only what is touched is resident, whatever --mem says.
resident() {
    run --stats "$@" minimal
    expect_status 0
    grep -oP '^resident memory: \K\d+' "$WORK/err"
}
if ! is_sanitized; then
    small=$(resident) large=$(resident --mem=1G)
    ((large < small + 512)) || fail "resident: $small KiB, with --mem=1G $large KiB"
fi
finish

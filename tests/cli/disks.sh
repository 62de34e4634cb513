# Disks by --disk and --floppy: what a guest writes stays in memory, or goes to the file; and
# files that are none.
. "$TOP/tests/cli/lib.sh"
need_engine
guest=$BUILD/tests/guests/ide.elf
says='1 4096 6 7 1198 4095 6 7 4660 good\n'
cd "$WORK" || exit 1

copy() { cp "$BUILD/tests/guests/disk.img" "$1"; }
sector_6() { od -An -tu2 -j $((6 * 512)) -N 2 "$1" | tr -d ' '; }

copy a
run --disk=a "$guest"
expect_status 0
expect_out "$says"
expect_quiet
cmp a "$BUILD/tests/guests/disk.img" || fail "the file was changed"

# The second drive is not the one that is read.
copy b
run --disk=a --disk=b,write --floppy=b "$guest"
expect_out "$says"
[[ $(sector_6 b) == 6 ]] || fail "the wrong disk was written"

copy c
run --disk=c,write "$guest"
expect_status 0
expect_out "$says"
expect_quiet
[[ $(sector_6 c) == 4660 ]] || fail ",write: the file has $(sector_6 c), not what the guest wrote"

# Each machine has a disk of its own, from one file.
run --disk=a "$guest" "$guest"
expect_status 0
[[ $(grep -c '1 4096 6 7 1198 4095 6 7 4660 good' out) == 2 ]] || fail "two machines: $(cat out)"

# A sector behind the end is an error to the guest, and a line.
truncate -s 1000K short
dd if=a of=short conv=notrunc bs=1K count=1000 2>/dev/null
run --disk=short "$guest"
expect_status 1
expect_out '1 2000 6 7 1198 the disk has an error\n'
expect_err 'disk short: the guest reads sector 4095, and the disk has 2000; it gets an error'

# Without an image the first drive is booted. This one copies its boot sector to sector 1.
printf '\xfa\xfc\x31\xc0\x8e\xd8\xbe\x00\x7c\xba\xf2\x01\xb0\x01\xee\x42\xee\x42\x30\xc0\xee\x42\xee\x42\xb0\xe0' >boot
printf '\xee\x42\xb0\x30\xee\xba\xf0\x01\xb9\x00\x01\xf3\x6f\xb0\x00\xe6\xf4\xf4' >>boot
truncate -s 510 boot
printf '\x55\xaa' >>boot
truncate -s 4M boot
cp boot untouched
copied() { cmp -s <(head -c 512 "$1") <(tail -c +513 "$1" | head -c 512); }
run --disk=boot --disk=a
expect_status 1
expect_err 'boot: hard disk .* DL = 80'
cmp boot untouched || fail "the image was written without ,write"
run --floppy=boot --disk=b
expect_status 125
truncate -s 1440K boot
run --disk=b --floppy=boot,write # a floppy comes first
expect_err 'boot: floppy .* DL = 00'
copied b && fail "a disk was written without ,write"
cp untouched boot
run --floppy=a --boot=disk --disk=boot,write
expect_status 1
copied boot || fail "the image that was booted was not written"
cmp -s <(tail -c +1025 boot) <(tail -c +1025 untouched) || fail "more was written"

# refused MESSAGE WORD...: our own error, in one line
refused() {
    local message=$1
    shift
    run "$@" "$guest"
    expect_status 125
    expect_out ''
    expect_messages
    expect_err "$message"
}
mkdir folder
mkfifo fifo
: >empty
refused 'absent: No such file or directory; check --disk$' --disk=absent
refused 'absent: No such file or directory; check --disk$' --disk=absent,write
refused 'folder: a folder, not a file; check --floppy$' --floppy=folder
refused 'folder: a folder, not a file; check --disk$' --disk=folder,write
refused 'fifo: not a regular file; check --disk$' --disk=fifo
refused 'fifo: not a regular file; check --disk$' --disk=fifo,write
refused 'empty: the file is empty' --disk=empty
if [[ $(id -u) != 0 ]]; then
    copy protected
    chmod 444 protected
    refused 'protected: Permission denied; leave out ,write, or check --disk$' --disk=protected,write
fi
truncate -s 2949121 large
refused 'large: 2949121 bytes are more than a floppy of 2.88M has; use --disk' --floppy=large
refused 'a: a PC of ours has 2 floppy drives, and 4 places on IDE' --floppy=a --floppy=a --floppy=a
refused 'c: is written already, by another program or another drive' --disk=c,write --floppy=c,write
if command -v flock >/dev/null; then
    flock c sh -c '"$MINIKVM" --disk=c,write "$1" 2>err; echo $? >status' - "$guest" >out </dev/null
    [[ $(cat status) == 125 ]] || fail "a file that is locked: status $(cat status)"
    ran="minikvm --disk=c,write" expect_err 'c: is written already, by another program'
fi

wrong() { run_bare "$@"; expect_status 2; expect_messages; }
wrong --disk=,write "$guest"
wrong --disk= "$guest"
wrong --disk=c,write "$guest" "$guest"
expect_err 'c: ,write is for one machine'
wrong --disk=c,write --replay=x "$guest"
[[ $(sector_6 c) == 4660 ]] || fail "the file was changed"

# The table, by gdb.
if has gdb; then
    serve --gdb=127.0.0.1:0 --disk=a --floppy=c "$guest"
    gdb_session "target remote $address" 'break done' 'continue' 'monitor disks' 'info os disks' \
        'monitor info block' 'kill'
    end_of_server
    [[ $(grep -cE '^(floppy 0 \(00h\) +5760 +80/2/36 +0 +0 +0 KiB +c|IDE 0 master \(80h\) +4096 +4/16/63 +7 +1 +4 KiB +a) *$' gdb) == 6 ]] ||
        fail "the table: $(cat gdb)"
fi

# Back over a write to the file: the guest's disk is as it was, the file is not, and that is told.
if has gdb && has soft && [[ $CPU != kvm ]]; then
    copy d
    serve --cpu=soft --gdb=127.0.0.1:0 --disk=d,write "$guest"
    gdb_session "target remote $address" 'break before_write' 'break end_of_read_back' 'continue' 'continue' \
        'x/1hd 0x4000' 'reverse-continue' 'set $pc = read_back' 'continue' 'x/1hd 0x4000' 'monitor disks' 'kill'
    end_of_server
    [[ $(grep -oP '^0x4000:\t\K.*' gdb | tr '\n' ' ') == '4660 6 ' ]] || fail "back over a write: $(cat gdb)"
    [[ $(sector_6 d) == 4660 ]] || fail "the file has $(sector_6 d)"
    cat err gdb | grep -q 'disk d: going back does not take back what the guest wrote to the file (,write)' ||
        fail "not told: $(cat err gdb)"
fi

# A recording is of these disks.
if has gdb && has soft && [[ $CPU != kvm ]]; then
    serve --cpu=soft --gdb=127.0.0.1:0 --disk=a "$guest"
    gdb_session "target remote $address" 'break written' 'continue' 'monitor save run' 'kill'
    end_of_server
    run_bare --replay=run --disk=a "$guest"
    expect_status 0
    expect_out '1 4096 6 7 1198 4095 6 7 '
    run_bare --replay=run "$guest"
    expect_status 125
    expect_err 'other disks'
    run_bare --replay=run --disk=b,write "$guest"
    expect_status 2
    printf x | dd of=a bs=1 seek=600 conv=notrunc 2>/dev/null
    run_bare --replay=run --disk=a "$guest"
    expect_status 125
fi
finish

# Files that are no images: refused with status 125, the file's name and the
# reason; and images that go where the options say.
. "$TOP/tests/cli/lib.sh"
need_engine
cd "$WORK" || exit 1
elf=$BUILD/guests/hello.elf

refused() { # refused FILE MESSAGE [OPTION...]
    local file=$1 message=$2
    shift 2
    run "$@" "$file"
    expect_status 125
    expect_out ''
    expect_messages
    expect_err "$message"
}
refused ./missing 'missing: No such file'
refused nosuchguest 'nosuchguest: neither a file nor a built guest'
refused . 'a folder, not a file'
refused /dev/null 'not a regular file'
: >empty
refused ./empty 'empty: the file is empty'
for size in 20 51 60; do
    head -c "$size" "$elf" >cut
    refused ./cut 'cut: an ELF file that is .*cut off'
done
{ head -c 18 "$elf"; printf '\x28\x00'; tail -c +21 "$elf"; } >arm
refused ./arm 'arm: an ELF file that is for another processor'
{ head -c 5 "$elf"; printf '\x02'; tail -c +7 "$elf"; } >bigendian
refused ./bigendian 'not little-endian'
if cp /bin/sh shell 2>/dev/null && [[ $(uname -m) != x86_64 ]]; then
    refused ./shell 'ELF'
fi
# headers that ask for a start that is not to be had; with --mode they are passed over
header1='\x02\xb0\xad\x1b\x00\x00\x01\x00\xfe\x4f\x51\xe4'
header2='\xd6\x50\x52\xe8\x00\x00\x00\x00\x10\x00\x00\x00\x1a\xaf\xad\x17'
printf "\xf4\x00\x00\x00$header1" >kludge
refused ./kludge 'kludge: a flat image with a Multiboot 1 header'
run --mode=real ./kludge
expect_status 0
printf "\xf4\x00\x00\x00\x00\x00\x00\x00$header2" >second
refused ./second 'second: it has a Multiboot 2 header'
run --mode=real ./second
expect_status 0
{ head -c 4096 "$elf"; printf "$header2"; tail -c +4113 "$elf"; } >elf2
refused ./elf2 'elf2: it has a Multiboot 2 header'
{ printf '\xf4'; head -c 509 /dev/zero; printf '\x55\xaa'; printf "$header1$header2"; } >disk
run ./disk # some file's on it
expect_status 0
head -c 100000 /dev/zero >large
refused ./large 'large: the image needs RAM up to 0x196a0, and guest RAM ends at 0x10000; use --mem=1M' --mem=64K
refused "$elf" 'cannot be reached in real mode' --entry=0x200000 --mode=real
if [[ $(id -u) != 0 ]]; then
    printf '\xf4' >secret
    chmod 0 secret
    refused ./secret 'Permission denied'
fi

# flat images: loaded and entered where one says
printf '\xb0\x2e\xe6\xe9\xfa\xf4' >dot # mov al, '.'; out 0xe9, al; cli; hlt
run ./dot
expect_status 0
expect_out '.'
run --load=0x7c00 ./dot
expect_status 0
expect_out '.'
run --load=0x2000 --entry=0x2004 ./dot
expect_status 0
expect_out ''
printf '\xe8\x00\x00\x58\xe6\xe9\x88\xe0\xe6\xe9\xfa\xf4' >where # prints IP behind a call: at 0x4142 - 3
run --load=0x413f ./where
expect_out 'BA'
# a boot sector: where the BIOS puts it, if nothing else is said
{ printf '\xe8\x00\x00\x58\xe6\xe9\x88\xe0\xe6\xe9\xfa\xf4'; head -c 498 /dev/zero; printf '\x55\xaa'; } >boot
run ./boot
expect_out '\x03\x7c'
expect_quiet
run --load=0x413f ./boot
expect_out 'BA'
# …which does not do what it finds there
{ printf '\xfa\xf4\xcd\x10'; head -c 506 /dev/zero; printf '\x55\xaa'; } >calls
run ./calls
expect_status 0
expect_err 'calls is a boot sector that calls the BIOS \(int 0x10\), and there is none'
run --mem=1M --mode=protected ./dot
expect_status 0
expect_out '.'

# the ports that end a machine; a hypercall that does not exist
printf '\xb0\x15\xe6\xf4' >exit # mov al, 21; out 0xf4, al
run ./exit
expect_status 43
expect_quiet
for number in 6 99 255; do
    printf "\\xb0\\x$(printf %x "$number")\\xba\\x00\\x05\\xee\\xf4" >unknown
    run ./unknown
    expect_status 124
    expect_err "unknown hypercall $number "
    expect_err 'died at 0000:0000100[56]'
done
finish

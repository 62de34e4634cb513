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
# Multiboot headers in files that are no ELF: with address fields, or they are refused; with --mode
# they are passed over
le() { local w; for w; do printf "\\x$(printf %02x $((w & 255)))\\x$(printf %02x $((w >> 8 & 255)))\\x$(printf %02x $((w >> 16 & 255)))\\x$(printf %02x $((w >> 24 & 255)))"; done; }
header1='\x02\xb0\xad\x1b\x00\x00\x01\x00\xfe\x4f\x51\xe4'
header2='\xd6\x50\x52\xe8\x00\x00\x00\x00\x10\x00\x00\x00\x1a\xaf\xad\x17'
printf "\xf4\x00\x00\x00$header1" >kludge
refused ./kludge 'kludge: the file ends within its Multiboot 1 header'
run --mode=real ./kludge
expect_status 0
printf '\xf4\x00\x00\x00\x02\xb0\xad\x1b\x03\x00\x00\x00\xfb\x4f\x52\xe4' >first
refused ./first 'first: cannot boot this flat image with a Multiboot 1 header that does not say where'
printf "\xf4\x00\x00\x00\x00\x00\x00\x00$header2" >second
refused ./second 'second: its Multiboot 2 header has no end tag'
run --mode=real ./second
expect_status 0
{ head -c 4096 "$elf"; printf "$header2"; tail -c +4113 "$elf"; } >elf2
refused ./elf2 'elf2: its Multiboot 2 header has no end tag'
# cmp $MAGIC,%eax; je 1f; ud2; 1: mov $'1',%al; out %al,$0xe9; cli; hlt
{ printf "$header1"; le 0x200000 0x200000 0 0 0x200020
  printf '\x3d\x02\xb0\xad\x2b\x74\x02\x0f\x0b\xb0\x31\xe6\xe9\xfa\xf4'; } >by1
run ./by1
expect_status 0
expect_out 1
run --verbose ./by1
expect_err 'by1: file of a Multiboot 1 kernel \(entry 0x200020\); starts as Multiboot 1 says'
{ le 0xe85250d6 0 64 $((-(0xe85250d6 + 64))) 2 24 0x200000 0x200000 0 0 3 12 0x200040 0 0 8
  printf '\x3d\x89\x62\xd7\x36\x74\x02\x0f\x0b\xb0\x32\xe6\xe9\xfa\xf4'; } >by2
run ./by2
expect_status 0
expect_out 2
# bytes behind the image's name on its command line, and a module's: `mov 16(%ebx),%esi`, or the first module's
says() { # says FILE CODE
    { printf "$header1"; le 0x200000 0x200000 0 0 0x200020
      printf "$2"'\xac\x84\xc0\x74\x04\xe6\xe9\xeb\xf7\xfa\xf4'; } >"$1"
}
says line '\x8b\x73\x10'
run --append='a "b" c=d' ./line
expect_out 'line a "b" c=d'
run ./line
expect_out 'line'
says module '\x8b\x5b\x18\x8b\x73\x08'
printf 'hello\0' >text
run --module=text,one,two ./module
expect_out 'text one,two'
says content '\x8b\x5b\x18\x8b\x33'
run --module text ./content
expect_out 'hello'
refused ./module 'nowhere: No such file' --module=nowhere,x
run_bare --module=,x ./module
expect_status 2
run --cpu=soft --mem=2M --module=/dev/null ./module
expect_status 125
{ printf '\xfa\xf4'; head -c 508 /dev/zero; printf '\x55\xaa'; printf "$header1$header2"; } >disk
run ./disk # some file's on it
expect_status 0
expect_err 'disk: disk \([0-9]+ bytes\); starts its first sector in real mode at 0000:7C00, DL = 80; drive 00 is the same'
run --boot=disk ./disk
expect_err 'disk: hard disk \([0-9]+ bytes\); starts its first sector in real mode at 0000:7C00, DL = 80'
# `mov %dl,%al; out %al,$0xe9; cli; hlt`, and a partition
{ printf '\x88\xd0\xe6\xe9\xfa\xf4'; head -c 440 /dev/zero; printf '\x80\x01\x01\x00\x0c\x03\x20\x01'; le 1 63
  head -c 48 /dev/zero; printf '\x55\xaa'; head -c $((64 * 512)) /dev/zero; } >mbr
run ./mbr
expect_out '\x80'
expect_err 'mbr: hard disk \(33 KiB, 1 partition\)'
run --boot=floppy ./mbr
expect_out '\x00'
truncate -s 1440K mbr # a floppy's size, whatever its table says
run ./mbr
expect_out '\x00'
head -c 1474560 /dev/zero >blank
refused ./blank 'blank: cannot boot this floppy that is not bootable: .*must end in 55 AA'

# a CD that is no bootable one, with a first sector for hard disks (those that are: tests/boot/cds.sh)
head -c 40960 /dev/zero >hybrid.iso
head -c 512 mbr | dd of=hybrid.iso conv=notrunc status=none
printf CD001 | dd of=hybrid.iso conv=notrunc bs=1 seek=32769 status=none
run ./hybrid.iso
expect_status 0
expect_out '\x80'
expect_err 'hybrid.iso: CD image that is a disk, too \(40 KiB, 1 partition\); starts'
# without a BIOS nobody reads the rest of a disk: all of it is in memory. 0x8000 has an A
{ printf '\xa0\x00\x80\xe6\xe9\xfa\xf4'; head -c 503 /dev/zero; printf '\x55\xaa'; head -c 512 /dev/zero; printf A; } >two
run ./two
expect_out '\x00'
run --bios=none ./two
expect_out A
# a drive beside a kernel is told to it: 12(%ebx), of which the highest byte
printf 'x' >data
{ printf "$header1"; le 0x200000 0x200000 0 0 0x200020; printf '\x8a\x43\x0f\xe6\xe9\xfa\xf4'; } >device
run --disk=data --floppy=data ./device
expect_out '\x80'
# what is not for an image is said
printf '\xb0\x2e\xe6\xe9\xfa\xf4' >dot2
run --append=x ./dot2
expect_status 0
expect_out '.'
expect_err 'dot2 does not get --append: it is started as no Multiboot kernel'

# what is no image for us is named, and a way told
named() { # named BYTES NAME [OFFSET]
    head -c 40960 /dev/zero >named
    printf "$1" | dd of=named conv=notrunc bs=1 seek="${3:-0}" status=none
    refused ./named "named: cannot boot this $2"
}
named '\x1f\x8b\x08' 'gzip file: .*gunzip'
named '\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00' 'raw CD image \(2352 bytes a block\): .*bchunk'
named '\xfd7zXZ\x00' 'xz file'
named '\x28\xb5\x2f\xfd' 'zstd file'
named 'PK\x03\x04' 'zip archive'
named 'QFI\xfb' 'qcow2 disk: .*qemu-img convert'
named 'KDMV' 'VMDK disk'
named '\x7f\x10\xda\xbe' 'VDI disk' 64
named 'conectix' 'virtual disk \(VHD\)' 40448
named 'CD001' 'CD that is not bootable: .*--cdrom' 32769
named 'HdrS' 'Linux kernel \(bzImage\)' 514
named '\xcf\xfa\xed\xfe' 'Mach-O file'
named 'MZ' 'DOS program'
{ head -c 60 /dev/zero; printf '\x80\x00\x00\x00'; head -c 64 /dev/zero; printf 'PE\x00\x00'; } >pe
printf MZ | dd of=pe conv=notrunc status=none
refused ./pe 'pe: cannot boot this EFI or Windows program'
printf '#!/bin/sh\necho no\n' >script
refused ./script 'script: cannot boot this script'
printf 'bits 16\norg 0x7c00\nmov ax, 0x0e41\nint 0x10\n' >boot.asm
refused ./boot.asm 'boot.asm: cannot boot this text file: .*assemble'
printf '# Führung ≥ 1\nsome words — of UTF-8\n' >README.md
refused ./README.md 'README.md: cannot boot this text file'
printf '# F\xfchrung\nsome words of Latin-1\n' >latin1 # or code
run ./latin1
[[ $status != 125 ]] || fail "$ran: refused"
run --mode=real ./script # told so, anything is a flat image
[[ $status != 125 ]] || fail "$ran: refused"
run_bare --list-images
expect_status 0
for word in floppy 'hard disk' 'Multiboot 2' qcow2 'flat image'; do
    grep -q "$word" out || fail "--list-images: nothing about $word"
done
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
# …which does not do what it finds there, when it has none
{ printf '\xfa\xf4\xcd\x10'; head -c 506 /dev/zero; printf '\x55\xaa'; } >calls
run --bios=none ./calls
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

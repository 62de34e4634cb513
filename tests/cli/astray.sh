# What a PC does in silence: ports and memory where nothing is, and execution that has
# lost its way. The first is told in a line each, the second is an end with a sentence.
. "$TOP/tests/cli/lib.sh"
need_engine
cd "$WORK" || exit 1
image() { printf "$1" >image; }
dies() { # dies TEXT [OPTION...]
    local text=$1
    shift
    run "$@" ./image
    expect_status 124
    expect_err "^minikvm: $text"
    expect_err 'died at '
}
lines() { # lines N: so many, each a message
    expect_messages
    [[ $(grep -c . "$WORK/err") == "$1" ]] || fail "$ran: not $1 lines on stderr: $(cat "$WORK/err")"
}

# --- accesses ---------------------------------------------------------------------
image '\xba\xf8\x02\xec\xec\xba\xf9\x02\xee\xee\xf4' # in 0x2f8 twice, out 0x2f9 twice
run ./image
expect_status 0
lines 2
expect_err '^minikvm: 0000:00001003 reads port 0x2f8, where no device is: all ones$'
expect_err '^minikvm: .*0000:0000100[0-9] writes to port 0x2f9, where no device is: dropped$'

# A halted CPU executes nothing, so zeros behind its hlt are no way that it goes.
image '\xf4'; head -c 600 /dev/zero >>image
for chips in auto on; do
    run --irqchip=$chips ./image
    expect_status 0
    grep -q 'only zeros' "$WORK/err" && fail "$ran: $(<"$WORK/err")"
done

image '\xb9\x64\x00\xba\x00\x03\xec\x42\xe2\xfc\xf4' # in of a hundred ports
run ./image
expect_status 0
lines 9
expect_err '^minikvm: more accesses to where nothing is are not told \(--verbose tells them\)$'

# ds = 0xffff: mov 0x20,%ax; mov %ax,0x30; mov %ax,0x2000
image '\xb8\xff\xff\x8e\xd8\xa1\x20\x00\xa3\x30\x00\xa3\x00\x20\xf4'
run ./image
expect_status 0
lines 1 # the pages beside it are the same place
expect_err '0000:00001005 reads 2 bytes at physical 0x00100010, where no memory is: all ones \(RAM ends at 0x100000; see --mem\)$'

# a stack in the hole that --mem leaves: mov $0x9000,%ax; mov %ax,%ss; push %ax
image '\xb8\x00\x90\x8e\xd0\x50\xf4'
run ./image
expect_status 0
expect_quiet
run --mem=256K ./image
expect_status 0
lines 1
expect_err 'writes 2 bytes at physical 0x00090ffe, where no memory is: dropped \(RAM ends at 0x40000; see --mem\)$'

{ head -c 65520 /dev/zero; printf '\x2e\xa2\x00\x00\xf4'; head -c 11 /dev/zero; } >rom # mov %al,%cs:0
run --rom=rom
expect_status 0
lines 1
expect_err 'writes 1 byte at physical 0xffff0000, which is ROM: dropped$'

# --- execution --------------------------------------------------------------------
# zeros, and a jump back to them behind: nothing else to see for KVM either
{ head -c 40000 /dev/zero; printf '\xe9\xbd\x63'; } >image
dies 'execution has come to 0000:0000[0-9a-f]*, linear 0x0000[0-9a-f]*, where there are only zeros; on top of the stack is 0x'
image '\xea\x10\x00\xff\xff' # ljmp $0xffff,$0x10
dies 'execution has come to ffff:00000010, linear 0x00100000, where no memory is'
image '\xb8\x00\x00\x00\x40\xff\xe0' # jmp *%eax
dies 'execution has come to 0008:40000000, linear 0x40000000, where no memory is' --mode=protected

# The BIOS has vectors for what nobody handles; the CPU stands where it was.
image '\x31\xd2\xf7\xf2' # div %dx, by 0
dies 'divide error \(#DE\) at 0000:1002, and the guest has set no handler for it'
image '\x0f\x0b' # ud2
dies 'invalid opcode \(#UD\) at 0000:1000, and the guest has set no handler for it'
image '\xff\x16\x00\x20\xf4' # call *0x2000
dies 'execution has come to 0000:0000, linear 0x00000000, where the interrupt vectors are; on top of the stack is 0x1004$'

# What the built-in CPU alone sees: KVM looks where the guest is ten times a second.
has soft && [[ $CPU != kvm ]] || finish
CPU=soft
# a sector that calls the BIOS: what follows was an endless loop
image '\xb4\x0e\xb0\x41\xcd\x10\xeb\xfe'
dies 'int 0x10 at 0000:00001004 goes to 0000:0000: no handler was set for that vector, and there is no BIOS$' --bios=none
image '\x31\xd2\xf7\xf2' # div %dx, by 0
dies '#DE at 0000:00001002 goes to 0000:0000: ' --bios=none
image '\xff\x16\x00\x20\xf4' # call *0x2000
dies 'execution has come to 0000:00000000, linear 0x00000000, where there are only zeros \(the interrupt vectors\); on top of the stack is 0x1004$' --bios=none
image '\xb8\x00\x00\x20\x00\xff\xd0' # call *%eax
dies 'execution has come to 0008:00200000, linear 0x00200000, where there are only zeros; on top of the stack is 0x1007$' --mode=protected

# Page tables where no memory is: mov %eax,%cr3; %cr0 |= PG. All ones have reserved bits
# in no entry of 32-bit paging: a page that is not there either.
image '\xb8\x00\x00\x00\x40\x0f\x22\xd8\x0f\x20\xc0\x0d\x00\x00\x00\x80\x0f\x22\xc0'
run --mode=protected ./image
expect_status 124
expect_err 'has its page tables read: 4 bytes at physical 0x40000000, where no memory is: all ones'

# The image itself may be where the vectors are: an int that comes back to its start.
#   cmpb $1,%bl; je 1f; mov $1,%bl; int $0x40; 1: mov $0,%al; mov $0x500,%dx; out %al,%dx
image '\x80\xfb\x01\x74\x04\xb3\x01\xcd\x40\xb0\x00\xba\x00\x05\xee'
run --load=0 ./image
expect_status 1

# Zeros that fault are told, and no end: the guest may have a handler for that.
run "$BUILD/tests/guests/zeros.elf"
expect_status 7
expect_err 'execution has come to .* where there are only zeros'
finish

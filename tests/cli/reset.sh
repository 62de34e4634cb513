# A guest that resets its machine: by the way to the BIOS's entry, without a ROM, and by
# each of the ports. All end in one sentence.
. "$TOP/tests/cli/lib.sh"
need_engine
cd "$WORK" || exit 1

resets() { # resets BY BYTES
    printf "$2" >image
    run ./image
    expect_status 124
    expect_err "^minikvm: the guest resets its machine by $1; "
}
resets 'a jump to the reset vector' '\xea\x00\x00\xff\xff'           # ljmp $0xffff,$0
resets 'a jump to the reset vector' '\xea\xf0\xff\x00\xf0'           # ljmp $0xf000,$0xfff0
resets 'the keyboard controller' '\xb0\xfe\xe6\x64\xf4'           # out %al,$0x64
resets 'the keyboard controller' '\xb0\xd1\xe6\x64\xb0\xfe\xe6\x60\xf4' # output port, bit 0 off
resets 'port 0x92' '\xb0\x01\xe6\x92\xf4'
resets 'port 0xcf9' '\xba\xf9\x0c\xb0\x02\xee\xb0\x06\xee\xf4'

# What is loaded there stays.
{ head -c 65520 /dev/zero; printf '\xb0\x00\xe6\xf4'; } >high # out %al,$0xf4
run --load=0xf0000 --entry=0xffff0 ./high
expect_status 1
finish

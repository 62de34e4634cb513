# iPXE from its CD, by ISOLINUX: there is no network, and it says so.
. "$TOP/tests/boot/lib.sh"
needs_able_engine
needs_file /usr/lib/ipxe/ipxe.iso ipxe
run --mem=32M /usr/lib/ipxe/ipxe.iso
grep -q 'No more network devices' out || fail "$ran: $(cat out err)"
expect_err 'int 0x18: nothing to boot from, says the guest'
finish

# A CD that is seen as a hard disk, with a hard disk behind it: the program that it boots, what it asks, and what a reset does.
# needs: exec-bp
# guest: --disk=@BUILD@/tests/guests/disk.img @BUILD@/tests/boot/cd-disk.iso
x/i 0x7c00
p/x $edx
p $pc
monitor disks
monitor catch bios 0x13
continue
continue
monitor explain
continue
# The number that the hard disk behind it has is its own when the emulation ends.
monitor catch bios 0x13/0x45
continue
monitor disks
monitor reset
maintenance flush register-cache
p $pc
kill

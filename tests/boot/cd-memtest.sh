# Memtest86+ from its CD, which is seen as a floppy, comes to its screen.
. "$TOP/tests/boot/lib.sh"
iso=/usr/lib/memtest86+/memtest86+ia32.iso
needs_file $iso memtest86+
export MOMENT=0.04 # the screen is there for some of the guest's seconds only
shows 'Press <F1> to configure' $iso
finish

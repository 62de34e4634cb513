# GRUB's rescue CD comes to its menu.
. "$TOP/tests/boot/lib.sh"
needs_file /usr/lib/grub-rescue/grub-rescue-cdrom.iso grub-rescue-pc
shows 'GNU GRUB' /usr/lib/grub-rescue/grub-rescue-cdrom.iso
finish

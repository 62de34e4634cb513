# title: A kernel by Multiboot
# Most small kernels let a loader do what lessons 1 and 2 did by hand. A Multiboot loader, such as GRUB, finds a
# header in the kernel's file, starts it in 32-bit protected mode, and hands it what it knows of the machine.
# guest: --append=root=none --module=LICENSE,words multiboot1
# Before the first instruction: no real mode any more, flat segments, no paging. A20 is open.
p $cpumode
p $cr0
p/x $cs_cache.limit
# EAX says who has started the kernel, EBX where the information is. A bit for each part that is there.
p/x $eax
p/x ((struct information *)$ebx)->flags
printf "%s\n", ((struct information *)$ebx)->line
printf "%d KiB, %d KiB\n", ((struct information *)$ebx)->lower, ((struct information *)$ebx)->upper
# A module is a file that the loader has put into memory, at a page of its own behind the kernel.
printf "%s\n", ((struct information *)$ebx)->modules->text
x/s ((struct information *)$ebx)->modules->from
# All that is left undefined is the kernel's own affair: first of all its stack.
stepi
info symbol $esp - 1
# The kernel prints the memory map, a range at a time: here the one with the kernel in it.
break print_range if base == 0x100000
continue
p/x length
p kind
# The screen is memory at 0xb8000, which `monitor screen` shows as it is now.
monitor screen
delete
continue
monitor screen

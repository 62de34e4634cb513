# title: An OS from its disk
# The 1K OS of lessons 1 to 5 as a disk image: a boot sector loads a loader, that loads the kernel, and the kernel starts its
# shell. Each is a program of its own with symbols of its own: those of the kernel stand beside the image and come by
# themselves, the others by --symbols. So a breakpoint can be set in each before any of it is in memory.
# engines: soft
# guest: --symbols=@BUILD@/guests/stages.elf --symbols=@BUILD@/os-1k/loader.elf --symbols=@BUILD@/os-1k/shell.elf os-1k.img
# input: open
break loader_main
break kernel_main
break shell_main
# What does the boot sector want from the disk? Its calls of the BIOS can be caught before they are done.
monitor catch bios 13
continue
x/i $pc
monitor explain
# There the first one stands, with its registers. A step does it.
stepi
monitor explain
# The same for the read that brings in the loader's first sector; the place where it goes is empty now.
x/2xw loader_main
monitor catch bios 13/02
continue
monitor explain
# On to the loader: C, compiled for real mode, and a stack like any other.
monitor catch off
continue
p $cpumode
p/x drive
# It puts the kernel's segments where its program headers say. Who writes the kernel's first instruction?
set print frame-arguments none
watch *(char *)0x1000
continue
bt -frame-info short-location
delete 4
# The kernel leaves real mode by itself, as in lesson 1, and pages as in lesson 2. Its breakpoint was set long ago.
continue
p $cpumode
p $cr0
# And so was the one in the shell, in ring 3.
continue
p $cs
# A reset is a PC's: all begins again from the disk.
monitor reset
maintenance flush register-cache
x/i $pc
continue

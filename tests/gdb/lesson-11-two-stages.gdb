# title: Two stages from a disk
# A sector is too small for much more than to read others. Symbols of the first stage stand beside the image, those of
# the second come by --symbols: so a breakpoint can be set in code that is not in memory yet.
# needs: exec-bp
# guest: --symbols=@BUILD@/guests/stage2.elf stages.img
# The second stage is nowhere in memory, and its functions are known.
x/2xw stage2
break stage2
# The first stage finds out how the disk is made, and reads sector by sector.
break read_sector
continue
x/i $pc
# What does the second stage's memory get? Watch it.
delete 2
watch *(int *)0x8000
continue
# The BIOS has written there. The instruction behind the call stands next.
x/i $pc
x/2xw stage2
delete 3
# The breakpoint in the second stage, where a disk read has written over what it may have had planted, hits.
continue
bt 1
# From here to protected mode: the memory map is asked for in real mode, as only the BIOS knows it.
break enter_protected
continue
p memory_ranges
p/x memory_map[0].length
p $cpumode
stepi 2
p $cpumode
# From now on it is C.
break print_range
continue
up
p i
delete
continue
monitor screen

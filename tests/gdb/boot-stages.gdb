# Symbols of every stage of an OS on a disk, each set before it is loaded: boot sector, loader, kernel, its user program;
# and again after a reset, which boots again.
# guest: --symbols=@BUILD@/guests/stages.elf --symbols=@BUILD@/os-1k/loader.elf --symbols=@BUILD@/os-1k/shell.elf os-1k.img
# engines: soft
# input: open
break here
break loader_main
break kernel_main
break shell_main
continue
continue
p $cpumode
p/x drive
continue
p $cpumode
bt 1
continue
p $cpumode
monitor reset
maintenance flush register-cache
p/x $pc
p $cpumode
continue
continue

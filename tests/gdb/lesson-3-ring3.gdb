# title: Ring 3
# By `iret` to the shell in ring 3, by `int 0x80` into the kernel, and back. The
# backtrace crosses the system call.
# guest: os-1k
# engines: soft
# input: 0\n
# The kernel has made a process and is about to enter it.
break enter_user
continue
info symbol $pc
x/2i $pc
# On to the `iret`. `monitor explain` says what it will do: which CS and which stack it
# takes from memory, and where they lead.
stepi 17
x/i $pc
monitor explain
stepi
# Ring 3 is in the lowest two bits of CS, and in its hidden part as DPL. The symbols of
# the shell, which is another program, are there as well.
p/x $cs
p/x $ss
p $cs_cache.attr
info symbol $pc
# Where the CPU finds the kernel's stack at the next interrupt: ESP0 and SS0.
monitor info tss
# The shell's first system call. The CPU is in ring 0, on the stack of the TSS, and gdb
# still knows who called.
break syscall_handler
continue
p/x $cs
bt
finish
p/x $cs

# guest: counter
# output: 0123456789\n
# status: 0
#
# Tracepoints: the guest is not stopped, and what it did can be looked at afterwards.
tstatus
trace send
actions
collect $eax, $ebx, $cr0, *(char[4] *)$eip
while-stepping 3
collect $eip, $edx
end
end
# from the third digit on, every second one; and a variable counts them
tvariable $seen = 0
trace wait_for_room if ($ebx & 0xff) > 0x31 && ($ebx & 1) == 0
actions
collect $ebx, $eip
teval $seen = $seen + 1
collect $seen
end
info tracepoints
tstart
tbreak 31
continue
tstop
info tvariables
info tracepoints
# by number, by line, by tracepoint; registers and memory as they were
tfind start
p $bl
p/x $cr0
p/x *(char[4] *)$eip
x/2i $pc
p *(int *)0x2000
tdump
tfind
tdump
tfind tracepoint 2
p $seen
p $bl
p $edx
tdump
tfind tracepoint 2
p $seen
tfind pc 0x1023
tfind outside 0x1000, 0x1030
tfind end
# the loop of the manual
tfind start
tfind tracepoint 2
while $trace_frame != -1
printf "%d: tracepoint %d at %#x, seen %d\n", $trace_frame, $tracepoint, $pc, $seen
tfind tracepoint 2
end
# nothing of a frame can be changed
tfind 0
set var $ebx = 1

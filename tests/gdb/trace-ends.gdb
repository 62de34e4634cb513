# guest: counter
# connect: extended-remote
# output: 0123456780123456789\n0123456789\n0123456789\n0123456789\n
# status: 0
#
# How a trace ends, each time with the guest running on: a full buffer, one that is
# circular, a pass count, an expression that fails, and by itself.
set trace-buffer-size 4096
trace send
actions
collect $regs
end
tstart
tbreak send if $ebx == 0x39
continue
tstatus
# the last ones are kept
starti
set circular-trace-buffer on
tstart
tbreak 31
continue
tstop
tstatus
tfind start
p $bl
# five hits
set circular-trace-buffer off
set trace-buffer-size unlimited
starti
passcount 5
tstart
tbreak 31
continue
tstatus
starti
passcount 0
condition 1 1 / ($ebx - 0x33) > -5
tstart
tbreak 31
continue
tstatus
# one that is disabled, and one that is defined while the trace runs
starti
condition 1
disable 1
tstart
tbreak send if $ebx == 0x35
continue
trace wait_for_room
enable 1
tbreak 31
continue
tstop
tstatus
info tracepoints

# Tracepoints in C: locals, arguments, a string, a structure; the frames of a run that
# was never stopped, and its disassembly from what no program writes.
# guest: os-1k
# engines: soft
# input: 5\n0\n
# status: 0
trace print_string
actions
collect $args
collect/s s
end
trace sieve
actions
collect $args, $locals
end
tstart
break sys_exit
continue
tstop
tfind start
p s
tdump
tfind tracepoint 2
info args
bt 1
info locals

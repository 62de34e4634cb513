# What 32-bit code has, in 64-bit code: conditions on registers, watchpoints, tracepoints, catches.
# needs: exec-bp long-mode
# guest: tasks64
# status: 0
break task_product if $rsp > 0xfff && $cs == 0x23
continue
delete
watch fpu_owner
continue
p now->name
continue
p now->name
delete
tbreak system_call if number == 1
continue
p now->name
p argument
trace end_task
actions
collect now->name, now->given, $cr2, $xmm0
end
tstart
tbreak machine_exit
continue
tstop
tfind start
p now->given
p/x $cr2
tfind
p now->given
tfind none
delete
continue

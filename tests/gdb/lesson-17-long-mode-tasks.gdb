# title: Two tasks in 64 bits
# A kernel in long mode with two tasks in ring 3: system calls by SYSCALL, pages that hold no code, an exception with a
# stack of its own, and SSE registers that go from task to task only when one wants them. The source is in guests/tasks64.
# guest: tasks64
# engines: soft
# A Multiboot loader starts it in 32-bit protected mode. The kernel builds page tables and turns paging on: EFER.LME
# becomes LMA, and until CS is loaded the code is still 32 bits wide.
break enable_long
continue
p $efer
monitor explain
stepi
p $efer
p $cpumode
break long_entry
continue
p $cpumode
# Ring 3 begins as in lesson 3, by the way back from an interrupt; first SWAPGS puts the kernel's base of GS away.
break enter_user
continue
monitor explain
stepi
x/5gx $rsp
monitor explain
stepi
p $cs & 3
# The task's first SSE instruction raises #NM, because CR0.TS is set: nobody has given it the FPU yet.
break give_fpu
continue
p now->name
p fpu_owner
finish
p fpu_owner->name
# A system call. RCX keeps where to go back to, R11 the flags; RSP is still the task's, until the kernel takes its own.
delete
break syscall_entry
continue
p/a $rcx
monitor explain
stepi 3
p/a $rsp
# The other task ends where it calls what is data. The page says so: NX is the last bit of its entry.
delete
break end_by_page_fault
continue
p now->name
p/x code
p/a address
monitor page cr2
# The handler runs on the stack that its gate asks for, not on the one of the task's system calls.
p/a $rsp
p/a tss.ist[0] - 1
# Back to the instruction that did it, in ring 3, and to the values that it left in XMM0.
reverse-stepi 5
monitor explain
p $xmm0.v2_double[0]
delete
continue

# monitor explain tries what is next: where it leads, or the fault, why, and its handler.
# guest: --bios=none @BUILD@/tests/guests/ways.elf
# needs: paging32
monitor explain
set $pc = (unsigned)&real
monitor explain
tbreak *(unsigned)&k_task
continue
monitor explain
set $pc = (unsigned)&k_sys
monitor explain
monitor explain 0x1000
set $pc = (unsigned)&k_data
set $eax = 0x1b
monitor explain
set $eax = 0x48
monitor explain
set $pc = (unsigned)&k_pg
set $eax = 0x80000000
monitor explain
set $pc = (unsigned)&k_dead
set $idtr.limit = 0
monitor explain
set $pc = (unsigned)&k_data
set $eax = 0x48
set $idtr.limit = 0x47
monitor explain
set $idtr.limit = 0x407
set $pc = (unsigned)&to_vm86
set $esp = (unsigned)&frame_vm86
monitor explain
set $pc = (unsigned)&to_ring3
set $esp = (unsigned)&stack0
tbreak *(unsigned)&ring3
continue
monitor explain
set $pc = (unsigned)&u_hlt
monitor explain
set $pc = (unsigned)&u_in
monitor explain
set $pc = (unsigned)&u_lgdt
monitor explain
set $pc = (unsigned)&u_int80
monitor explain
set $pc = (unsigned)&u_int13
monitor explain
set $pc = (unsigned)&u_int99
monitor explain
set $pc = (unsigned)&u_gate
monitor explain
set $pc = (unsigned)&u_absent
set $ebx = 0x3b
monitor explain
set $pc = (unsigned)&u_copy
set $ds = 0x23
set $es = 0x23
set $esi = 0x1000
set $edi = 0x2000
monitor explain
set $pc = (unsigned)&u_load
monitor explain
set $pc = (unsigned)&u_far
set $ebp = 0x10000
monitor explain

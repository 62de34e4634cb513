# monitor explain: what the next instruction will do, with the CPU's values of now.
# guest: paging
# engines: soft
monitor explain nonsense
break enter_protected
continue
monitor explain
stepi
monitor explain
break enable_paging
continue
monitor explain
stepi
break page_fault_handler
continue
monitor info pages
monitor page $eip
monitor page $pc
monitor page $sp
monitor when-written $sp 4
monitor xp/1xb pc+1
monitor page 0x4003f000
monitor info idt
monitor info gdt
delete
stepi 30
monitor explain
set var *(unsigned char *)$eip = 0xa1
set var *(unsigned *)($eip + 1) = 0x4003f000
monitor explain
set var *(unsigned char *)$eip = 0xa4
set $esi = $esp
set $edi = 0x4003f000
monitor explain
set $edi = $esp
monitor explain
set $pc = 0x4003f000
monitor explain

# monitor explain, page and info in 64-bit code: what is not canonical, operands of the FPU's instructions
# and behind RIP, gates and a TSS of 16 bytes.
# guest: tasks64
# engines: soft
break long_entry
continue
monitor page 0x800000000000
set $rbx = 0x800000000000
set $rip = 0x9000
# movups xmm0, [rbx]
set {long} $rip = 0x03100f
monitor explain
# fld qword [rbx]
set {long} $rip = 0x03dd
monitor explain
# movaps [rsi], xmm0
set $rsi = 0xa008
set {long} $rip = 0x06290f
monitor explain
# fxsave [rsi + 8]
set {long} $rip = 0x0846ae0f
monitor explain
# cmp dword [rip + 0xff9], 5: the address is relative to what is behind the 5
set {long} $rip = 0x0500000ff93d83
monitor explain
monitor reset
delete
break system_call
continue
monitor info gdt
monitor info idt
monitor info tss
# the handler of #PF takes #GP as well; then the fault is told with its cause
set {long} ((char *) &idt + 0xd0) = {long} ((char *) &idt + 0xe0)
set {long} ((char *) &idt + 0xd8) = {long} ((char *) &idt + 0xe8)
set $rip = 0x9000
set {long} $rip = 0x06290f
set $rsi = 0xa008
monitor explain
set {long} $rip = 0x0846ae0f
monitor explain
set $rsi = 0xa004
monitor explain
set $rsi = 0x800000000000
monitor explain
# a handler whose address is not canonical
set {int} ((char *) &idt + 0xd8) = 0x8000
monitor explain
set {int} ((char *) &idt + 0xd8) = 0
# a stack that is not there: neither the frame of #GP nor that of #PF can be pushed
set {long} ((char *) &tss + 0x24) = 0x40000000
monitor explain
# nor is the IDT there
set $idtr.base = 0x40000000
monitor explain
set {short} $rip = 0x0b0f
monitor explain
# bit 63 of an entry, with and without EFER.NXE
monitor page 0x104000
set $efer = 0x501
monitor page 0x104000

/* The built-in CPU in long mode: what the manual's tables of exceptions refuse in 64-bit and
 * compatibility code, instruction by instruction. Rows as soft_case.h explains; what is done
 * when nothing is wrong: test_soft_long.c.
 */
#include "soft_case.h"

/* 64-bit code of ring 1, a stack for it, and a gate there. */
#define RING1      "gdt:d0=0,fffff,bb,a gdt:d8=0,fffff,b3,c q:300c=1d000 "
#define GATE1      RING1 "gate:1d8=d0,14000,ec,0 q:11e0=0 "
#define SMALL_TSS  "gdt:168=3000,12,89,0 tr=168 " /* has RSP0, not RSP1 */
#define SS_ON_IST1 "idt64:c=e0,120c0,8e,1 "

/* Vol. 2B MOV to and from control registers; Vol. 3A 2.5; #GP in 6.15. */
static const struct row control[] = {
    {"CR0.PE does not go with PG", "long eax=80000010", "0f 22 c0", "#GP(0)"},
    {"CR0.NW needs CD", "long eax=a0000011", "0f 22 c0", "#GP(0)"},
    {"CR0.CD does not need NW", "long eax=c0000011", "0f 22 c0", "cr0=c0000011"},
    {"CR4: a reserved bit", "long eax=8020", "0f 22 e0", "#GP(0)"},
    {"CR4: VMXE without the feature", "long eax=2020", "0f 22 e0", "#GP(0)"},
    {"CR4: LA57 without the feature", "long eax=1020", "0f 22 e0", "#GP(0)"},
    {"CR4: OSXSAVE without the feature", "long eax=40020", "0f 22 e0", "#GP(0)"},
    {"CR4: FSGSBASE without the feature", "long eax=10020", "0f 22 e0", "#GP(0)"},
    {"CR3: bit 63 and no PCIDE", "long eax=8000000000080000", "0f 22 d8", "#GP(0)"},
    {"CR3: bits that are ignored", "long eax=80f7", "0f 22 d8", "cr3=80f7"},
    {"MOV to CR1", "long", "0f 22 c8", "#UD"},
    {"MOV from CR1", "long", "0f 20 c8", "#UD"},
    {"MOV to CR5", "long", "0f 22 e8", "#UD"},
    {"MOV from CR6", "long", "0f 20 f0", "#UD"},
    {"MOV to CR7", "long", "0f 22 f8", "#UD"},
    {"MOV from CR15", "long", "44 0f 20 f8", "#UD"},
    {"LOCK MOV to CR0", "long", "f0 0f 22 c0", "#UD"},
    {"LMSW leaves PE", "long eax=0", "0f 01 f0", ""},
};

/* Vol. 2B MOV to and from debug registers; Vol. 3B 17.2. */
static const struct row debug[] = {
    {"DR4 with CR4.DE", "long cr4=28", "0f 21 e0", "#UD"},
    {"MOV to DR5 with CR4.DE", "long cr4=28", "0f 23 e8", "#UD"},
    {"DR4 is DR6", "long dr6=ffff0ff1", "0f 21 e0", "eax=ffff0ff1"},
    {"MOV from DR15", "long", "44 0f 21 f8", "#UD"},
    {"general detect", "long dr7=2400", "0f 21 c0", "dr6=ffff2ff0 dr7=400 #DB"},
    {"general detect, written", "long dr7=2400", "0f 23 c0", "dr6=ffff2ff0 dr7=400 #DB"},
    {"TF", "long tf=1", "90", "eip=10001 dr6=ffff4ff0 #DB"},
    {"TF in compatibility mode", "long compat tf=1", "90", "eip=10001 dr6=ffff4ff0 #DB"},
    {"an instruction breakpoint", "long dr0=10000 dr7=401", "90", "dr6=ffff0ff1 #DB"},
    {"… not with RF", "long rf=1 dr0=10000 dr7=401", "90", "rf=0"},
    {"eight bytes of the upper half, written",
     "long q:80800=81067 dr0=ffff800000030000 dr7=90401 ebx=ffff800000030004", "89 03",
     "d:30004=0 eip=10002 dr6=ffff0ff1 #DB"},
    {"… and what lies beside", "long q:80800=81067 dr0=ffff800000030000 dr7=90401 "
     "ebx=ffff800000030008", "89 03", ""},
};

/* Vol. 3A 2.8: the instructions of ring 0, and those that IOPL and CR4.TSD keep. */
static const struct row privileged[] = {
    {"MOV to CR0", "long ring3l", "0f 22 c0", "#GP(0)"},
    {"MOV from CR0", "long ring3l", "0f 20 c0", "#GP(0)"},
    {"MOV from CR8", "long ring3l", "44 0f 20 c0", "#GP(0)"},
    {"MOV to DR7", "long ring3l", "0f 23 f8", "#GP(0)"},
    {"MOV from DR0", "long ring3l", "0f 21 c0", "#GP(0)"},
    {"CLTS", "long ring3l", "0f 06", "#GP(0)"},
    {"LMSW", "long ring3l", "0f 01 f0", "#GP(0)"},
    {"SMSW is for all", "long ring3l", "0f 01 e0", "eax=80000011"},
    {"HLT", "long ring3l", "f4", "#GP(0)"},
    {"INVD", "long ring3l", "0f 08", "#GP(0)"},
    {"WBINVD", "long ring3l", "0f 09", "#GP(0)"},
    {"INVLPG", "long ring3l ebx=30000", "0f 01 3b", "#GP(0)"},
    {"LGDT", "long ring3l ebx=30000", "0f 01 13", "#GP(0)"},
    {"LIDT", "long ring3l ebx=30000", "0f 01 1b", "#GP(0)"},
    {"LLDT", "long ring3l eax=120", "0f 00 d0", "#GP(0)"},
    {"LTR", "long ring3l eax=130", "0f 00 d8", "#GP(0)"},
    {"RDMSR", "long ring3l ecx=c0000080", "0f 32", "#GP(0)"},
    {"WRMSR", "long ring3l ecx=c0000100", "0f 30", "#GP(0)"},
    {"WRMSR in compatibility mode of ring 3", "long compat3 ecx=c0000100", "0f 30", "#GP(0)"},
    {"RDPMC", "long ring3l", "0f 33", "#GP(0)"},
    {"RDTSC with CR4.TSD", "long ring3l cr4=24", "0f 31", "#GP(0)"},
    {"RDTSC of ring 0 with CR4.TSD", "long tsc=500000007 cr4=24", "0f 31", "eax=7 edx=5"},
    {"CLI", "long ring3l", "fa", "#GP(0)"},
    {"STI", "long ring3l", "fb", "#GP(0)"},
    {"CLI with IOPL 3", "long ring3l iopl=3 if=1", "fa", "if=0"},
    {"IN, and the map is beyond the TSS", "long ring3l w:3066=68", "e4 80", "#GP(0)"},
    {"IN with IOPL 3", "long ring3l iopl=3", "e4 80", "eax=ff"},
    {"IN that the map admits", "long ring3l gdt:168=3000,ff,89,0 tr=168 w:3066=68", "e4 80",
     "eax=ff"},
    {"IN that it refuses", "long ring3l gdt:168=3000,ff,89,0 tr=168 w:3066=68 b:3078=1", "e4 80",
     "#GP(0)"},
    {"OUT that it refuses", "long ring3l gdt:168=3000,ff,89,0 tr=168 w:3066=68 b:3078=1", "e6 80",
     "#GP(0)"},
    {"POPF: IF and IOPL stay", "long ring3l stack64=3246", "9d", "zf=1 pf=1 esp=20008"},
};

/* Vol. 4 table 2-2; Vol. 2 RDMSR, WRMSR. */
static const struct row msrs[] = {
    {"RDMSR of none", "long ecx=1b", "0f 32", "#GP(0)"},
    {"WRMSR of none", "long ecx=c0000110", "0f 30", "#GP(0)"},
    {"WRMSR of GS's base, not canonical", "long ecx=c0000101 edx=8000", "0f 30", "#GP(0)"},
    {"WRMSR of SYSENTER's IP, not canonical", "long ecx=176 edx=8000", "0f 30", "#GP(0)"},
    {"WRMSR of SYSENTER's stack", "long ecx=175 eax=5 edx=ffff8000", "0f 30",
     "sesp=ffff800000000005"},
    {"WRMSR of CSTAR", "long ecx=c0000083 eax=14000", "0f 30", "cstar=14000"},
    {"RDMSR of the kernel's GS base", "long ecx=c0000102 kgsb=ffff800000001234", "0f 32",
     "eax=1234 edx=ffff8000"},
    {"RDMSR of TSC_AUX without RDTSCP", "long ecx=c0000103", "0f 32", "#GP(0)"},
    {"RDMSR of the time without TSC", "long -tsc ecx=10", "0f 32", "#GP(0)"},
    {"WRMSR of the time without TSC", "long -tsc ecx=10", "0f 30", "#GP(0)"},
    {"LOCK WRMSR", "long ecx=c0000100", "f0 0f 30", "#UD"},
};

/* Vol. 2B MOV, POP; LDS …; Vol. 3A 5.2.1, 5.6, 5.7. */
static const struct row segment_loads[] = {
    {"DS beyond the GDT", "long eax=1000", "8e d8", "#GP(1000)"},
    {"DS of a TSS", "long eax=130", "8e d8", "#GP(130)"},
    {"DS: RPL above DPL", "long eax=13", "8e d8", "#GP(10)"},
    {"DS: CPL above DPL", "long ring3l eax=10", "8e d8", "#GP(10)"},
    {"DS of conforming code", "long ring3l eax=113", "8e d8", "ds=113"},
    {"DS of code of ring 0", "long ring3l eax=e0", "8e d8", "#GP(e0)"},
    {"ES not present", "long eax=70", "8e c0", "#NP(70)"},
    {"FS not present", "long fsb=5 eax=70", "8e e0", "#NP(70)"},
    {"GS not present", "long gsb=5 eax=70", "8e e8", "#NP(70)"},
    {"DS, no LDT", "long ldt=0 eax=c", "8e d8", "#GP(c)"},
    {"DS beyond the LDT", "long q:1128=0 ldt=120 eax=104", "8e d8", "#GP(104)"},
    {"DS from an LDT", "long q:1128=0 ldt=120 gdt:4c=0,fffff,93,c eax=4c", "8e d8", "ds=4c"},
    {"SS: RPL is not CPL", "long eax=13", "8e d0", "#GP(10)"},
    {"SS: DPL is not CPL", "long eax=f8", "8e d0", "#GP(f8)"},
    {"SS of ring 0 in ring 3", "long ring3l eax=10", "8e d0", "#GP(10)"},
    {"SS of code", "long eax=e0", "8e d0", "#GP(e0)"},
    {"SS read-only", "long eax=58", "8e d0", "#GP(58)"},
    {"SS of a TSS", "long eax=130", "8e d0", "#GP(130)"},
    {"SS beyond the GDT", "long eax=1000", "8e d0", "#GP(1000)"},
    {"SS not present", "long eax=70", "8e d0", "#SS(70)"},
    {"SS null in ring 1", "long " RING1 "cs=d1 ss=d9 eax=1", "8e d0", "ss=1 shadow=1"},
    {"SS null in ring 1, of RPL 0", "long " RING1 "cs=d1 ss=d9 eax=0", "8e d0", "#GP(0)"},
    {"MOV to CS", "long eax=e0", "8e c8", "#UD"},
    {"MOV to the seventh", "long", "8e f0", "#UD"},
    {"MOV from the seventh", "long", "8c f0", "#UD"},
    {"MOV from what is not canonical", "long ebx=800000000000", "8e 1b", "#GP(0)"},
    {"MOV from a stack that is not", "long ebp=800000000000", "8e 5d 00", "#SS(0)"},
    {"POP FS", "long stack64=10", "0f a1", "fs=10 esp=20008"},
    {"POP GS beyond the GDT", "long stack64=1000", "0f a9", "#GP(1000)"},
    {"POP FS not present", "long stack64=70", "0f a1", "#NP(70)"},
    {"LSS null", "long ebx=30000 d:30000=1fff0 w:30004=0", "0f b2 23", "ss=0 esp=1fff0"},
    {"LSS null of RPL 3", "long ebx=30000 d:30000=1fff0 w:30004=3", "0f b2 23", "#GP(0)"},
    {"LSS not present", "long ebx=30000 d:30000=1fff0 w:30004=70", "0f b2 23", "#SS(70)"},
    {"LFS of a TSS", "long ebx=30000 w:30004=130", "0f b4 03", "#GP(130)"},
    {"LGS from what is not canonical", "long ebx=800000000000", "0f b5 03", "#GP(0)"},
    {"LSS of a register", "long", "0f b2 c0", "#UD"},
};

/* Vol. 2A LLDT, LTR; 7.2.3 and figure 7-4: descriptors of 16 bytes. */
static const struct row tables[] = {
    {"LLDT beyond the GDT", "long eax=1000", "0f 00 d0", "#GP(1000)"},
    {"LLDT in the LDT", "long eax=124", "0f 00 d0", "#GP(124)"},
    {"LLDT of data", "long eax=10", "0f 00 d0", "#GP(10)"},
    {"LLDT of a TSS", "long eax=130", "0f 00 d0", "#GP(130)"},
    {"LLDT not present", "long gdt:120=5800,ff,2,0 eax=120", "0f 00 d0", "#NP(120)"},
    {"LLDT from what is not canonical", "long ebx=800000000000", "0f 00 13", "#GP(0)"},
    {"LLDT in compatibility mode: eight bytes (AMD's APM 2, table 4-6)",
     "long compat q:1128=10000000000 eax=120", "0f 00 d0", "ldt=120"},
    {"LTR null", "long eax=0", "0f 00 d8", "#GP(0)"},
    {"LTR beyond the GDT", "long eax=1000", "0f 00 d8", "#GP(1000)"},
    {"LTR over the GDT's end", "long gdtl=137 eax=130", "0f 00 d8", "#GP(130)"},
    {"LTR in the LDT", "long eax=134", "0f 00 d8", "#GP(134)"},
    {"LTR of data", "long eax=10", "0f 00 d8", "#GP(10)"},
    {"LTR of an LDT", "long eax=120", "0f 00 d8", "#GP(120)"},
    {"LTR of a call gate", "long eax=140", "0f 00 d8", "#GP(140)"},
    {"LTR: the upper half has a type", "long q:1138=10000000000 eax=130", "0f 00 d8", "#GP(130)"},
    {"LTR: a base that is not canonical", "long q:1138=8000 eax=130", "0f 00 d8", "#GP(130)"},
    {"LTR from what is not canonical", "long ebx=800000000000", "0f 00 1b", "#GP(0)"},
    {"LGDT from what is not canonical", "long ebx=800000000000", "0f 01 13", "#GP(0)"},
    {"SIDT to what is not canonical", "long ebx=800000000000", "0f 01 0b", "#GP(0)"},
    {"SGDT by a stack that is not", "long ebp=800000000000", "0f 01 45 00", "#SS(0)"},
};

/* Vol. 2A JMP, CALL; Vol. 3A 5.8.1, 5.8.3.1. FF /5 is JMP, FF /3 CALL by m16:32. */
#define FAR(sel, ip) "ebx=30000 d:30000=" ip " w:30004=" sel " "
static const struct row far[] = {
    {"JMP beyond the GDT", "long " FAR("1000", "14000"), "ff 2b", "#GP(1000)"},
    {"JMP without an LDT", "long ldt=0 " FAR("c", "14000"), "ff 2b", "#GP(c)"},
    {"JMP outwards", "long " FAR("100", "14000"), "ff 2b", "#GP(100)"},
    {"JMP inwards", "long ring3l " FAR("e0", "14000"), "ff 2b", "#GP(e0)"},
    {"JMP: RPL above CPL", "long " FAR("e3", "14000"), "ff 2b", "#GP(e0)"},
    {"JMP to conforming code", "long ring3l " FAR("110", "14000"), "ff 2b", "cs=113 eip=14000"},
    {"JMP to conforming code of an outer ring",
     "long gdt:1d8=0,fffff,ff,a " FAR("1d8", "14000"), "ff 2b", "#GP(1d8)"},
    {"JMP to a 16-bit call gate", "long gate:1d8=e0,4444,84,0 q:11e0=0 " FAR("1d8", "0"), "ff 2b",
     "#GP(1d8)"},
    {"JMP to a 16-bit TSS", "long gdt:1d8=4000,67,81,0 q:11e0=0 " FAR("1d8", "0"), "ff 2b",
     "#GP(1d8)"},
    {"JMP to a busy TSS", "long " FAR("28", "0"), "ff 2b", "#GP(28)"},
    {"JMP to an interrupt gate", "long gate:1d8=e0,14000,8e,0 q:11e0=0 " FAR("1d8", "0"), "ff 2b",
     "#GP(1d8)"},
    {"JMP: the pointer is not canonical", "long ebx=800000000000", "ff 2b", "#GP(0)"},
    {"JMP: by the stack", "long ebp=800000000000", "ff 6d 00", "#SS(0)"},
    {"JMP: the pointer is on no page", "long q:82008=0 ebx=200000", "ff 2b", "#PF(0,200000)"},
    {"JMP of a register", "long", "ff e8", "#UD"},
    {"CALL to what is not present", "long " FAR("160", "14000"), "ff 1b", "#NP(160)"},
    {"CALL to code with L and D", "long " FAR("118", "14000"), "ff 1b", "#GP(118)"},
    {"CALL to a TSS", "long " FAR("130", "0"), "ff 1b", "#GP(130)"},
    {"CALL to null", "long " FAR("3", "14000"), "ff 1b", "#GP(0)"},
    {"CALL of a register", "long", "ff d8", "#UD"},
    {"CALL: no stack there", "long " SS_ON_IST1 FAR("e0", "14000") "esp=800000000004", "ff 1b",
     "esp=1b000 push64=10,800000000004,10002,e0,10000,0 eip=120c0"},
    {"CALL: no page for the stack", "long q:82008=0 " FAR("e0", "14000") "esp=200004", "ff 1b",
     "#PF(2,200000)"},
    {"a gate to code that is not present", "long gate:1a8=160,14000,8c,0 " FAR("1a8", "0"), "ff 1b",
     "#NP(160)"},
    {"a gate to what is beyond the GDT", "long gate:1a8=1000,14000,8c,0 " FAR("1a8", "0"), "ff 1b",
     "#GP(1000)"},
    {"a gate to code of an outer ring", "long gate:1a8=100,14000,8c,0 " FAR("1a8", "0"), "ff 1b",
     "#GP(100)"},
    {"a gate to conforming code of an outer ring",
     "long gdt:1d8=0,fffff,ff,a gate:1a8=1d8,14000,8c,0 " FAR("1a8", "0"), "ff 1b", "#GP(1d8)"},
    {"a gate to a TSS", "long gate:1a8=130,14000,8c,0 " FAR("1a8", "0"), "ff 1b", "#GP(130)"},
    {"a gate whose DPL is below RPL", "long " FAR("18b", "0"), "ff 1b", "#GP(188)"},
    {"a gate in an LDT that ends in it", "long q:1128=0 gdt:120=5800,f,82,0 ldt=120 "
     "gate:c=e0,14000,8c,0 " FAR("c", "0"), "ff 1b", "#GP(c)"},
    {"a gate of compatibility mode, of 16 bits",
     "long compat gate:1d8=e0,4444,84,0 q:11e0=0 " FAR("1d8", "0"), "ff 1b", "#GP(1d8)"},
    {"a gate of compatibility mode to code of 32 bits", "long compat " FAR("178", "0"), "ff 1b",
     "#GP(8)"},
    {"a gate to ring 1", "long ring3l " GATE1 FAR("1db", "0"), "ff 1b",
     "cs=d1 ss=1 esp=1d000 push64=fb,20000,103,10002 eip=14000"},
    {"… with no such stack in the TSS", "long ring3l " GATE1 SMALL_TSS FAR("1db", "0"), "ff 1b",
     "#TS(168)"},
    {"… and that stack is not canonical", "long ring3l " GATE1 "q:300c=900000000000 "
     FAR("1db", "0"), "ff 1b", "#SS(0)"},
    {"… and is on no page", "long ring3l " GATE1 "q:82008=0 q:300c=201000 " FAR("1db", "0"),
     "ff 1b", "#PF(2,200ff8)"},
};

/* Vol. 2B RET. */
static const struct row returns[] = {
    {"RETF that releases", "long stack64=14000,e0", "48 ca 08 00", "esp=20018 eip=14000"},
    {"RETF to null", "long stack64=14000,3", "48 cb", "#GP(0)"},
    {"RETF beyond the GDT", "long stack64=14000,1000", "48 cb", "#GP(1000)"},
    {"RETF to data", "long stack64=14000,10", "48 cb", "#GP(10)"},
    {"RETF to a TSS", "long stack64=14000,130", "48 cb", "#GP(130)"},
    {"RETF to what is not present", "long stack64=14000,160", "48 cb", "#NP(160)"},
    {"RETF: RPL is not DPL", "long stack64=14000,e3", "48 cb", "#GP(e0)"},
    {"RETF to conforming code of an outer ring", "long gdt:1d8=0,fffff,ff,a stack64=14000,1d8",
     "48 cb", "#GP(1d8)"},
    {"RETF beyond the limit of 32-bit code", "long stack64=14000,b8", "48 cb", "#GP(0)"},
    {"RETF outwards: SS of ring 0", "long stack64=14000,103,1e000,10", "48 cb", "#GP(10)"},
    {"RETF outwards: SS's RPL", "long stack64=14000,103,1e000,f8", "48 cb", "#GP(f8)"},
    {"RETF outwards: SS read-only", "long stack64=14000,103,1e000,c3", "48 cb", "#GP(c0)"},
    {"RETF outwards: SS of code", "long stack64=14000,103,1e000,103", "48 cb", "#GP(100)"},
    {"RETF outwards: SS beyond the GDT", "long stack64=14000,103,1e000,1003", "48 cb",
     "#GP(1000)"},
    {"RETF outwards: SS not present", "long gdt:1d8=0,fffff,73,c stack64=14000,103,1e000,1db",
     "48 cb", "#SS(1d8)"},
    {"RETF to compatibility mode of ring 3: SS null", "long stack64=14000,f3,1e000,3", "48 cb",
     "#GP(0)"},
    {"RETF to ring 1: SS null", "long " RING1 "stack64=14000,d1,1e000,1", "48 cb",
     "cs=d1 ss=1 esp=1e000 eip=14000 ds=0 es=0 fs=0 gs=0"},
    {"RETF to ring 1: SS null of RPL 0", "long " RING1 "stack64=14000,d1,1e000,0", "48 cb",
     "#GP(0)"},
    {"RETF from what is not canonical", "long " SS_ON_IST1 "esp=800000000000", "48 cb",
     "esp=1b000 push64=10,800000000000,10002,e0,10000,0 eip=120c0"},
    {"RETF in compatibility mode to what is not there", "long compat stack=14000,1000", "cb",
     "#GP(1000)"},
};

/* Vol. 2A IRET. */
static const struct row irets[] = {
    {"IRETQ to null", "long stack64=14000,3,2,1e000,10", "48 cf", "#GP(0)"},
    {"IRETQ beyond the GDT", "long stack64=14000,1000,2,1e000,10", "48 cf", "#GP(1000)"},
    {"IRETQ to data", "long stack64=14000,10,2,1e000,10", "48 cf", "#GP(10)"},
    {"IRETQ to a TSS", "long stack64=14000,130,2,1e000,10", "48 cf", "#GP(130)"},
    {"IRETQ to code with L and D", "long stack64=14000,118,2,1e000,10", "48 cf", "#GP(118)"},
    {"IRETQ to what is not present", "long stack64=14000,160,2,1e000,10", "48 cf", "#NP(160)"},
    {"IRETQ inwards", "long ring3l stack64=14000,e0,2,1e000,fb", "48 cf", "#GP(e0)"},
    {"IRETQ: RPL is not DPL", "long stack64=14000,e3,2,1e000,fb", "48 cf", "#GP(e0)"},
    {"IRETQ beyond the limit of 32-bit code", "long stack64=14000,b8,2,1e000,10", "48 cf",
     "#GP(0)"},
    {"IRETQ: SS null of RPL 3", "long stack64=14000,e0,2,1e000,3", "48 cf", "#GP(0)"},
    {"IRETQ: SS's RPL", "long stack64=14000,e0,2,1e000,13", "48 cf", "#GP(10)"},
    {"IRETQ: SS's DPL", "long stack64=14000,e0,2,1e000,f8", "48 cf", "#GP(f8)"},
    {"IRETQ: SS of code", "long stack64=14000,e0,2,1e000,e0", "48 cf", "#GP(e0)"},
    {"IRETQ: SS read-only", "long stack64=14000,e0,2,1e000,58", "48 cf", "#GP(58)"},
    {"IRETQ: SS beyond the GDT", "long stack64=14000,e0,2,1e000,1000", "48 cf", "#GP(1000)"},
    {"IRETQ: SS not present", "long stack64=14000,e0,2,1e000,70", "48 cf", "#SS(70)"},
    {"IRETQ to compatibility mode: SS null", "long stack64=14000,8,2,1e000,0", "48 cf", "#GP(0)"},
    {"IRETQ outwards: SS of ring 0", "long stack64=14000,103,2,1e000,10", "48 cf", "#GP(10)"},
    {"IRETQ to ring 1: SS null", "long " RING1 "stack64=14000,d1,2,1e000,1", "48 cf",
     "cs=d1 ss=1 esp=1e000 eip=14000 ds=0 es=0 fs=0 gs=0"},
    {"IRETQ outwards: a null selector loses its RPL (seen on an Intel processor)",
     "long fs=3 gs=2 fsb=5000 stack64=14000,103,2,1e000,fb", "48 cf",
     "cs=103 ss=fb esp=1e000 eip=14000 ds=0 es=0 fs=0 gs=0 fsb=5000"},
    {"… and in its own ring keeps it", "long fs=3 fsb=5000 stack64=14000,e0,2,1e000,10", "48 cf",
     "esp=1e000 eip=14000"},
    {"IRETQ from what is not canonical", "long " SS_ON_IST1 "esp=800000000000", "48 cf",
     "esp=1b000 push64=10,800000000000,10002,e0,10000,0 eip=120c0"},
    {"IRETQ in ring 3: IF and IOPL stay", "long ring3l stack64=14000,103,3202,1e000,fb", "48 cf",
     "esp=1e000 eip=14000"},
    {"IRETQ in ring 0 sets RF, AC and IOPL", "long stack64=14000,e0,53002,1e000,10", "48 cf",
     "esp=1e000 eip=14000 rf=1 ac=1 iopl=3"},
    {"IRET in compatibility mode with NT", "long compat nt=1 stack=14000,8,2", "cf", "#GP(0)"},
    {"IRET in compatibility mode outwards: SS null", "long compat stack=14000,f3,2,1e000,3", "cf",
     "#GP(0)"},
    {"IRET of 16 bits in compatibility mode, over the limit", "long compat stack16=1000,b8,2",
     "66 cf", "#GP(0)"},
};

/* Vol. 2A INT n; Vol. 3A 6.12 to 6.15, table 6-4. An error code's bit 0 is EXT. */
static const struct row interrupts[] = {
    {"INT3 in ring 3 needs the gate's DPL", "long ring3l", "cc", "#GP(1a)"},
    {"INT3", "long idt64:3=e0,14000,8e,0", "cc", "push64=10,20000,2,e0,10001 eip=14000"},
    {"INT1 in ring 3 does not", "long ring3l", "f1", "eip=10001 #DB"},
    {"INT in compatibility mode, not for this ring", "long compat3 idt64:21=e0,14000,8e,0",
     "cd 21", "#GP(10a)"},
    {"INT: a call gate in the IDT", "long idt64:21=e0,14000,8c,0", "cd 21", "#GP(10a)"},
    {"INT: code in the IDT", "long idt64:21=e0,14000,9e,0", "cd 21", "#GP(10a)"},
    {"INT beyond the GDT", "long idt64:21=1000,14000,8e,0", "cd 21", "#GP(1000)"},
    {"INT to 32-bit code, of a program of 32 bits", "long compat idt64:21=8,14000,8e,0", "cd 21",
     "#GP(8)"},
    {"INT in ring 3 to the program's own ring", "long ring3l idt64:21=100,14000,ee,0", "cd 21",
     "push64=fb,20000,2,103,10002 eip=14000"},
    {"INT to ring 1", "long ring3l " RING1 "idt64:21=d0,14000,ee,0", "cd 21",
     "cs=d1 ss=1 esp=1d000 push64=fb,20000,2,103,10002 eip=14000"},
    {"… with no such stack in the TSS", "long ring3l " RING1 SMALL_TSS "idt64:21=d0,14000,ee,0",
     "cd 21", "#TS(168)"},
    {"INT out of ring 3, RSP0 not canonical",
     "long ring3l q:3004=900000000000 " SS_ON_IST1 "idt64:21=e0,14000,ee,0", "cd 21",
     "cs=e0 ss=0 esp=1b000 push64=fb,20000,10002,103,10000,0 eip=120c0"},
    {"INT: no page for the IST", "long q:82008=0 q:3024=201000 idt64:21=e0,14000,8e,1", "cd 21",
     "#PF(2,200ff8)"},
    {"an exception by a gate that is not present", "long idt64:6=e0,12060,e,0", "0f 0b",
     "#NP(33)"},
    {"… by a 16-bit gate", "long idt64:6=e0,12060,86,0", "0f 0b", "#GP(33)"},
    {"… by a task gate", "long idt64:6=28,0,85,0", "0f 0b", "#GP(33)"},
    {"… to null", "long idt64:6=0,12060,8e,0", "0f 0b", "#GP(1)"},
    {"… beyond the GDT", "long idt64:6=1000,12060,8e,0", "0f 0b", "#GP(1001)"},
    {"… to 32-bit code", "long idt64:6=8,12060,8e,0", "0f 0b", "#GP(9)"},
    {"… to an outer ring", "long idt64:6=100,12060,8e,0", "0f 0b", "#GP(101)"},
    {"… to code that is not present", "long idt64:6=160,12060,8e,0", "0f 0b", "#NP(161)"},
    {"… to what is not canonical", "long idt64:6=e0,800000000000,8e,0", "0f 0b", "#GP(1)"},
    {"… on an IST that is not canonical", "long idt64:6=e0,12060,8e,1 q:3024=900000000000",
     "0f 0b", "#SS(1)"},
    {"… on an IST that the TSS has not", "long idt64:6=e0,12060,8e,7 gdt:168=4000,5a,89,0 tr=168",
     "0f 0b", "#TS(169)"},
    {"… beyond the IDT, as are those that follow", "long idtl=6e", "0f 0b", "shutdown"},
    {"two contributory ones", "long idt64:b=8,120b0,8e,0 eax=70", "8e d8", "#DF(0)"},
    {"a page fault, then a contributory one", "long q:82008=0 ebx=200000 idt64:e=e0,120e0,e,0",
     "8b 03", "cr2=200000 #DF(0)"},
    {"two page faults: CR2 is the second's",
     "long q:82008=0 ebx=200000 idt64:e=e0,120e0,8e,1 q:3024=201000", "8b 03",
     "cr2=200ff8 #DF(0)"},
    {"a contributory one, then a page fault", "long q:82008=0 idt64:b=e0,120b0,8e,1 q:3024=201000 "
     "eax=70", "8e d8", "#PF(2,200ff8)"},
    {"an invalid opcode, then a contributory one", "long idt64:6=10,12060,8e,0", "0f 0b",
     "#GP(11)"},
    {"a third one", "long idt64:b=8,120b0,8e,0 idt64:8=8,12080,8e,0 eax=70", "8e d8", "shutdown"},
};

/* Vol. 2B SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS. */
#define SYSCALLS "star=f000e000000000 lstar=14000 cstar=15000 "
static const struct row calls[] = {
    {"SYSCALL in real mode", "real efer=1", "0f 05", "#UD"},
    {"SYSCALL in virtual-8086 mode", "vm86 efer=1", "0f 05", "#UD"},
    {"LOCK SYSCALL", "long ring3l " SYSCALLS, "f0 0f 05", "#UD"},
    {"SYSRET in real mode", "real efer=1", "0f 07", "#UD"},
    {"SYSRET in compatibility mode", "long compat " SYSCALLS, "0f 07", "#UD"},
    {"SYSRET of ring 3 to what is not canonical", "long ring3l " SYSCALLS "ecx=800000000000",
     "48 0f 07", "#GP(0)"},
    {"SYSENTER in real mode", "real scs=e0", "0f 34", "#GP"},
    {"SYSENTER without a CS, of ring 0", "long scs=0", "0f 34", "#GP(0)"},
    {"SYSEXIT in real mode", "real scs=e0", "0f 35", "#GP"},
    {"SYSEXIT without a CS", "long scs=3", "0f 35", "#GP(0)"},
    {"SYSEXIT in compatibility mode of ring 3", "long compat3 scs=e0", "0f 35", "#GP(0)"},
    {"SYSEXIT of 32 bits takes 32", "long scs=e0 ecx=80000001d000 edx=800000014000", "0f 35",
     "cs=f3 ss=fb esp=1d000 eip=14000"},
    {"SWAPGS in real mode", "real", "0f 01 f8", "#UD"},
    {"SWAPGS in protected mode", "", "0f 01 f8", "#UD"},
    {"SWAPGS in compatibility mode of ring 3", "long compat3", "0f 01 f8", "#UD"},
};

/* What is no instruction here: Vol. 2D, A.2.5, and features that CPUID does not have. */
static const struct row undefined_here[] = {
    {"VMCALL", "long", "0f 01 c1", "#UD"},
    {"MONITOR", "long", "0f 01 c8", "#UD"},
    {"XGETBV", "long", "0f 01 d0", "#UD"},
    {"XSETBV", "long", "0f 01 d1", "#UD"},
    {"VMRUN", "long", "0f 01 d8", "#UD"},
    {"RSM", "long", "0f aa", "#UD"},
    {"GETSEC", "long", "0f 37", "#UD"},
    {"XSAVE", "long ebx=30000", "0f ae 23", "#UD"},
    {"RDRAND", "long", "0f c7 f0", "#UD"},
    {"INVPCID", "long ebx=30000", "66 0f 38 82 03", "#UD"},
    {"LOCK NOP", "long", "f0 90", "#UD"},
    {"LOCK of a register", "long", "f0 48 01 c0", "#UD"},
    {"sixteen bytes", "long", "66 66 66 66 66 66 66 66 66 66 66 66 66 66 48 90", "#GP(0)"},
    {"fifteen", "long", "66 66 66 66 66 66 66 66 66 66 66 66 66 48 90", ""},
};

/* 6.15: #DE, #AC; #GP and #PF of a fetch. The last page of the lower half lies at 14000. */
#define LAST_PAGE "q:807f8=81067 q:81ff8=82067 q:82ff8=83067 q:83ff8=14067 "
static const struct row others[] = {
    {"DIV by 0", "long", "48 f7 f3", "#DE"},
    {"DIV: the quotient has 65 bits", "long edx=1 ebx=1", "48 f7 f3", "#DE"},
    {"IDIV of the least by -1",
     "long eax=8000000000000000 edx=ffffffffffffffff ebx=ffffffffffffffff", "48 f7 fb", "#DE"},
    {"alignment in ring 3", "long ring3l cr0=80040011 ac=1 ebx=30004", "48 8b 03", "#AC(0)"},
    {"alignment of a PUSH", "long ring3l cr0=80040011 ac=1 esp=20004", "50", "#AC(0)"},
    {"alignment in compatibility mode", "long compat3 cr0=80040011 ac=1 ebx=30002", "8b 03",
     "#AC(0)"},
    {"alignment in ring 0", "long cr0=80040011 ac=1 ebx=30004 q:30004=5", "48 8b 03", "eax=5"},
    {"code that is not canonical", "long eip=800000000000", "", "#GP(0)"},
    {"an instruction over the end of the lower half", "long " LAST_PAGE "b:14fff=b8 "
     "eip=7fffffffffff", "", "#GP(0)"},
    {"a descriptor over it (Vol. 1 §3.3.7.1)", "long q:807f8=81067 q:81ff8=82067 q:82ff8=83067 "
     "q:83ff8=1067 gdtb=7ffffffff000 gdtl=1fff eax=1000", "8e d8",
     "gdtb=1000 #GP(0) gdtb=7ffffffff000"},
    {"a jump over it", "long " LAST_PAGE "b:14ffe=eb,10 eip=7ffffffffffe", "", "#GP(0)"},
    {"code of the system in ring 3", "long ring3l q:82008=200083 eip=214000", "",
     "#PF(15,214000)"},
};

/* Vol. 1 §3.3.7.1 and each instruction's 64-bit mode exceptions: #SS for the stack and for what
 * is relative to RSP and RBP, #GP for all else. */
#define NO_STACK(sp) "esp=1b000 push64=10," sp ",10002,e0,10000,0 eip=120c0"
#define OFF_8        "long " SS_ON_IST1 "esp=800000000008 "
#define OFF          "long " SS_ON_IST1 "esp=800000000000 "
static const struct row not_canonical[] = {
    {"PUSH", OFF_8, "50", NO_STACK("800000000008")},
    {"PUSH of an immediate", OFF_8, "6a 00", NO_STACK("800000000008")},
    {"PUSH of memory", OFF_8 "ebx=30000", "ff 33", NO_STACK("800000000008")},
    {"PUSH FS", OFF_8, "0f a0", NO_STACK("800000000008")},
    {"PUSHF", OFF_8, "9c", NO_STACK("800000000008")},
    {"CALL", OFF_8, "e8 00 00 00 00", NO_STACK("800000000008")},
    {"CALL by memory", OFF_8 "ebx=30000 q:30000=14000", "ff 13", NO_STACK("800000000008")},
    {"ENTER", OFF_8, "c8 00 00 00", NO_STACK("800000000008")},
    {"POP", OFF, "58", NO_STACK("800000000000")},
    {"POP to memory", OFF "ebx=30000", "8f 03", NO_STACK("800000000000")},
    {"POP FS", OFF, "0f a1", NO_STACK("800000000000")},
    {"POPF", OFF, "9d", NO_STACK("800000000000")},
    {"RET", OFF, "c3", NO_STACK("800000000000")},
    {"LEAVE", "long ebp=800000000000", "c9", "#SS(0)"},
    {"POP to memory that is not", "long stack64=5 ebx=800000000000", "8f 03", "#GP(0)"},
    {"JMP by memory", "long ebx=800000000000", "ff 23", "#GP(0)"},
    {"JMP by memory at RBP", "long ebp=800000000000", "ff 65 00", "#SS(0)"},
    {"MOVS: RSI", "long esi=800000000000 edi=30000", "48 a5", "#GP(0)"},
    {"MOVS: RDI", "long esi=30000 edi=800000000000", "48 a5", "#GP(0)"},
    {"MOVS with FS", "long fsb=800000000 esi=7ff800000000 edi=30000", "64 48 a5", "#GP(0)"},
    {"REP MOVS of nothing", "long ecx=0 esi=800000000000", "f3 48 a5", ""},
    {"STOS", "long edi=800000000000", "48 ab", "#GP(0)"},
    {"LODS", "long esi=800000000000", "48 ad", "#GP(0)"},
    {"SCAS", "long edi=800000000000", "48 af", "#GP(0)"},
    {"CMPS", "long esi=30000 edi=800000000000", "48 a7", "#GP(0)"},
    {"INS", "long edx=80 edi=800000000000", "6c", "#GP(0)"},
    {"OUTS", "long edx=80 esi=800000000000", "6e", "#GP(0)"},
    {"XLAT", "long ebx=800000000000", "d7", "#GP(0)"},
    {"moffs", "long", "48 a1 00 00 00 00 00 80 00 00", "#GP(0)"},
    {"BT by a bit that is far away", "long ebx=7ffffffffff8 eax=40", "48 0f a3 03", "#GP(0)"},
    {"CMPXCHG16B", "long ebx=800000000000", "48 0f c7 0b", "#GP(0)"},
    {"CMPXCHG16B at RBP", "long ebp=800000000000", "48 0f c7 4d 00", "#SS(0)"},
    {"MOVAPS", "long cr4=220 ebx=800000000000", "0f 28 03", "#GP(0)"},
    {"MOVAPS at RBP", "long cr4=220 ebp=800000000000", "0f 28 45 00", "#SS(0)"},
    {"MOVUPS over the end", "long cr4=220 ebx=7ffffffffff8", "0f 10 03", "#GP(0)"},
    {"FLD", "long ebx=800000000000", "d9 03", "#GP(0)"},
    {"FLD at RBP", "long ebp=800000000000", "dd 45 00", "#SS(0)"},
    {"FNSAVE", "long ebx=800000000000", "dd 33", "#GP(0)"},
    {"FXSAVE", "long cr4=220 ebx=800000000000", "0f ae 03", "#GP(0)"},
    {"CLFLUSH", "long ebx=800000000000", "0f ae 3b", "#GP(0)"},
    {"PREFETCH goes nowhere", "long ebx=800000000000", "0f 18 0b", ""},
    {"NOP of memory likewise", "long ebx=800000000000", "0f 1f 03", ""},
    {"LEA likewise", "long ebx=800000000000", "48 8d 03", "eax=800000000000"},
    {"ADD to memory", "long ebx=800000000000", "48 01 03", "#GP(0)"},
    {"LOCK XADD", "long ebx=800000000000", "f0 48 0f c1 03", "#GP(0)"},
    {"SETcc", "long ebx=800000000000", "0f 94 03", "#GP(0)"},
    {"CMOVcc reads in any case", "long ebx=800000000000 zf=0", "48 0f 44 03", "#GP(0)"},
};

/* Vol. 3A 4.5 to 4.7: each level's reserved bits and rights, and what the error code says of an
 * access. PML4E 1, PDPTE 1, PDE 1 and the first PTE below it map their first pages again. */
#define PML4E(e) "q:80008=" e "81067 ebx=8000030000 "
#define PDPTE(e) "q:81008=" e "82067 ebx=40030000 "
#define PDE(e)   "q:82008=" e "83067 q:83000=30067 ebx=200000 "
#define PTE(e)   "q:82008=83067 q:83000=" e "30067 ebx=200000 "
#define READ     "48 8b 03"
#define WRITE    "48 89 03"
static const struct row levels[] = {
    {"PML4E: an address bit that there is not", "long " PML4E("100000"), READ, "#PF(9,8000030000)"},
    {"PDPTE", "long " PDPTE("100000"), READ, "#PF(9,40030000)"},
    {"PDE", "long " PDE("100000"), READ, "#PF(9,200000)"},
    {"PTE", "long " PTE("100000"), READ, "#PF(9,200000)"},
    {"… of a write", "long " PTE("100000"), WRITE, "#PF(b,200000)"},
    {"… of ring 3", "long ring3l " PTE("100000"), READ, "#PF(d,200000)"},
    {"… of ring 3, a write", "long ring3l " PDE("100000"), WRITE, "#PF(f,200000)"},
    {"… of a fetch", "long " PTE("100000") "eip=200000", "", "#PF(19,200000)"},
    {"… of a fetch in ring 3", "long ring3l " PTE("100000") "eip=200000", "", "#PF(1d,200000)"},
    {"PML4E: XD without NXE", "long efer=501 " PML4E("80000000000"), READ, "#PF(9,8000030000)"},
    {"PDPTE: XD without NXE", "long efer=501 " PDPTE("80000000000"), READ, "#PF(9,40030000)"},
    {"PDE: XD without NXE", "long efer=501 " PDE("80000000000"), READ, "#PF(9,200000)"},
    {"PTE: XD without NXE", "long efer=501 " PTE("80000000000"), READ, "#PF(9,200000)"},
    {"PTE: XD", "long " PTE("80000000000") "eip=200000", "", "#PF(11,200000)"},
    {"PTE: XD, in ring 3", "long ring3l " PTE("80000000000") "eip=200000", "", "#PF(15,200000)"},
    {"PML4E: XD is of all below", "long ring3l " PML4E("80000000000") "eip=8000014000", "",
     "#PF(15,8000014000)"},
    {"a page of 1 GiB: XD", "long q:81008=80000000000000e7 eip=40014000", "", "#PF(11,40014000)"},
    {"not present, in ring 3", "long ring3l q:82008=0 ebx=200000", READ, "#PF(4,200000)"},
    {"not present, a write of ring 3", "long ring3l q:82008=0 ebx=200000", WRITE, "#PF(6,200000)"},
    {"not present, a fetch of ring 3", "long ring3l q:82008=0 eip=200000", "", "#PF(14,200000)"},
    {"PDPTE: the system's", "long ring3l q:81008=82063 ebx=40030000", READ, "#PF(5,40030000)"},
    {"PDE: the system's", "long ring3l q:82008=83063 q:83000=30067 ebx=200000", READ,
     "#PF(5,200000)"},
    {"PTE: the system's", "long ring3l q:82008=83067 q:83000=30063 ebx=200000", READ,
     "#PF(5,200000)"},
    {"PTE: the system's, written", "long ring3l q:82008=83067 q:83000=30063 ebx=200000", WRITE,
     "#PF(7,200000)"},
    {"a page of 1 GiB: the system's", "long ring3l q:81008=e3 ebx=40030000", READ,
     "#PF(5,40030000)"},
    {"PML4E: read-only", "long ring3l q:80008=81065 ebx=8000030000", WRITE, "#PF(7,8000030000)"},
    {"PDPTE: read-only", "long ring3l q:81008=82065 ebx=40030000", WRITE, "#PF(7,40030000)"},
    {"PDE: read-only", "long ring3l q:82008=83065 q:83000=30067 ebx=200000", WRITE,
     "#PF(7,200000)"},
    {"PTE: read-only", "long ring3l q:82008=83067 q:83000=30065 ebx=200000", WRITE,
     "#PF(7,200000)"},
    {"a page of 1 GiB: read-only", "long ring3l q:81008=e5 ebx=40030000", WRITE,
     "#PF(7,40030000)"},
    {"PML4E: read-only, with WP", "long cr0=80010011 q:80008=81065 ebx=8000030000", WRITE,
     "#PF(3,8000030000)"},
    {"PDPTE: read-only, with WP", "long cr0=80010011 q:81008=82065 ebx=40030000", WRITE,
     "#PF(3,40030000)"},
    {"PDE: read-only, with WP", "long cr0=80010011 q:82008=83065 q:83000=30067 ebx=200000", WRITE,
     "#PF(3,200000)"},
    {"PTE: read-only, with WP", "long cr0=80010011 q:82008=83067 q:83000=30065 ebx=200000", WRITE,
     "#PF(3,200000)"},
    {"PTE: read-only, without", "long q:82008=83067 q:83000=30065 q:30000=5 ebx=200000", WRITE,
     "q:30000=0"},
    {"PTE: read-only, read", "long ring3l q:82008=83067 q:83000=30065 q:30000=5 ebx=200000", READ,
     "eax=5"},
    {"a read that changes memory asks for both", "long ring3l q:82008=83067 q:83000=30065 "
     "ebx=200000", "48 87 03", "#PF(7,200000)"},
    {"PML4E: accessed", "long q:80008=81007 q:30000=5 ebx=8000030000", READ,
     "eax=5 q:80008=81027"},
    {"PDPTE: accessed, and never dirty", "long q:81008=82007 q:30000=5 ebx=40030000", WRITE,
     "q:30000=0 q:81008=82027"},
    {"PDE: accessed, and never dirty", "long q:82008=83007 q:83000=30067 q:30000=5 ebx=200000",
     WRITE, "q:30000=0 q:82008=83027"},
};

int main(void) {
    RUN_ROWS(control);
    RUN_ROWS(debug);
    RUN_ROWS(privileged);
    RUN_ROWS(msrs);
    RUN_ROWS(segment_loads);
    RUN_ROWS(tables);
    RUN_ROWS(far);
    RUN_ROWS(returns);
    RUN_ROWS(irets);
    RUN_ROWS(interrupts);
    RUN_ROWS(calls);
    RUN_ROWS(undefined_here);
    RUN_ROWS(others);
    RUN_ROWS(not_canonical);
    RUN_ROWS(levels);
    return unit_end();
}

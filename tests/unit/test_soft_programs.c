/* A few instructions at a time on the built-in CPU, up to a HLT: what needs more
 * than one. Decoded blocks, the TLB, repeated string instructions, conditions; then
 * what comes in from outside: interrupts, a state that another engine left behind,
 * devices, the debugger's catches.
 */
#include "soft_case.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/mode.h"

#define FOUR(x) x x x x
#define ADD_1   "81 05 00 00 03 00 01 00 00 00 " /* add dword [30000], 1: ten bytes */

/* The cache of decoded code: a block is of one linear address, one mode, one page. */
static const struct row blocks[] = {
    {"a block's bytes are bounded", "", FOUR(FOUR(ADD_1)) FOUR(FOUR(ADD_1)) "f4",
     "d:30000=20 af=1"},
    {"one page at two addresses", "paging page:30000=10067 edi=10000",
     "43 83 fb 03 74 08 81 f7 00 00 02 00 ff e7 f4", "ebx=3 zf=1 pf=1"},
    {"the same bytes in 32 and 16 bits", "eip=5000", "90 43 83 fb 02 74 07 ea 01 50 00 00 40 00 f4",
     "ebx=2 zf=1 pf=1 cs=40"},
    {"14 prefixes at a page's end, the opcode in the next", "eip=10ff0",
     "90 90 66 66 66 66 66 66 66 66 66 66 66 66 66 66 40 f4", "eax=1"},
    {"15 prefixes", "b:120d0=f4", "90 90 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90",
     "eip=10002 #GP(0) eip=120d1"},
    {"a branch over the limit, from a block", "ring3 gdt:e0=0,fff,fb,4 cs=e3 eip=100 b:120d0=f4",
     "90 90 e9 00 0f 00 00", "eip=102 #GP(0) eip=120d1"},
    {"a page that is not there after a block", "paging page:11000=0 eip=10ffd b:120e0=f4",
     "90 90 90", "eip=11000 #PF(0,11000) eip=120e1"},
    {"a breakpoint of the guest's in a block", "dr0=10003 dr7=401 b:12010=f4", "90 90 90 90 f4",
     "eip=10003 dr6=ffff0ff1 #DB eip=12011"},
    {"code written over by a string instruction", "edi=10004 eax=43 ecx=1", "90 90 f3 aa 40 f4",
     "ecx=0 edi=10005 b:10004=43 ebx=1"},
    {"code written over in its own block", "", "90 c6 05 08 00 01 00 43 40 f4", "b:10008=43 ebx=1"},
};

/* An instruction on two pages, the second from 11000 on, over and over. */
#define UP_TO_4 "83 fb 04 72 ee f4"            /* cmp ebx, 4; jb to the beginning; hlt */
#define MAP     "c7 05 44 10 08 00 "           /* mov dword [11000's page-table entry], … */
#define INVLPG  "0f 01 3d 00 10 01 00 "        /* invlpg [11000] */
static const struct row two_pages[] = {
    {"what lies on the first is written", "eip=10ff7",
     "43 80 05 ff 0f 01 00 08 05 01 00 00 00 " UP_TO_4, "b:10fff=25 eax=1 ebx=4 zf=1 pf=1"},
    {"what lies on the second is written", "eip=10ff7",
     "43 80 05 00 10 01 00 01 05 00 00 00 00 " UP_TO_4, "b:11000=4 eax=a ebx=4 zf=1 pf=1"},
    {"a jump, and nothing else on the second, is written",
     "eip=10ff8 b:10fec=43,eb,9 b:10ff0=eb,6 b:10ff4=f4", "80 05 00 10 01 00 04 e9 e4 ff ff ff",
     "b:11000=f0 ebx=1 af=1 pf=1 sf=1 eip=10ff5"},
    {"what lies beside it is written", "eip=10ff7",
     "43 80 05 fe 1f 01 00 01 05 02 00 00 00 " UP_TO_4, "b:11ffe=4 eax=8 ebx=4 zf=1 pf=1"},
    {"the second becomes another",
     "paging eip=10ffe "
     "q:20000=7403fb8300000002,670008104405c713,10003d010f000200,f4e2eb0001",
     "43 05 01 00 00 00 83 fb 03 74 13 " MAP "67 00 02 00 " INVLPG "eb e2 f4",
     "page:11000=20067 eax=5 ebx=3 zf=1 pf=1"},
    {"the second becomes another, but the TLB is not told", "paging eip=10fee",
     "43 83 fb 02 72 0a " MAP "67 00 02 00 90 05 01 00 00 00 83 fb 04 72 e5 f4",
     "page:11000=20067 eax=4 ebx=4 zf=1 pf=1"},
    {"the second is not there any more", "paging b:120e0=f4 eip=10fe8",
     "43 83 fb 03 75 11 " MAP "00 00 00 00 " INVLPG "05 01 00 00 00 eb e2",
     "page:11000=0 eax=2 ebx=3 zf=1 pf=1 eip=10fff #PF(0,11000) eip=120e1"},
    {"the second is beyond the limit",
     "ring3 gdt:e0=0,11001,fb,4 cs=e3 eip=10ffe b:120d0=f4", "43 05 01 00 00 00",
     "ebx=1 eip=10fff #GP(0) eip=120d1"},
};

/* What a block takes for granted of the segments ends when it is not so any more. */
static const struct row granted[] = {
    {"smaller from here on", "gdt:e0=0,fff,93,4 eax=e0 b:120d0=f4", "8e d8 8b 1d 00 20 00 00 f4",
     "ds=e0 eip=10002 #GP(0) eip=120d1"},
    {"elsewhere from here on", "gdt:e0=1000,fffff,93,c eax=e0 d:30000=5 d:31000=7",
     "8e d8 8b 1d 00 00 03 00 f4", "ds=e0 ebx=7"},
    {"everywhere from here on", "gdt:e0=1000,fffff,93,c ds=e0 eax=10 d:30000=5 d:31000=7",
     "8e d8 8b 1d 00 00 03 00 f4", "ds=10 ebx=5"},
    {"now here, now there, in the same block",
     "gdt:e0=1000,fffff,93,c eax=e0 edx=10 ecx=4 d:30000=5 d:31000=7",
     "8e d8 8b 1d 00 00 03 00 01 de 92 e2 f3 f4", "ecx=0 ebx=5 esi=18 pf=1"},
    {"ES is for reading only", "gdt:e0=0,fffff,91,c eax=e0 b:120d0=f4",
     "8e c0 26 89 1d 00 00 03 00 f4", "es=e0 eip=10002 #GP(0) eip=120d1"},
    {"a stack of 64 KiB from here on", "gdt:e0=0,ffff,93,0 eax=e0 esp=3f000 ebx=7",
     "8e d0 90 53 f4", "ss=e0 esp=3effc d:effc=7"},
    {"a call on it", "gdt:e0=0,ffff,93,0 eax=e0 esp=3f000", "8e d0 90 e8 00 00 00 00 f4",
     "ss=e0 esp=3effc d:effc=10008"},
    {"over its end", "ring3 gdt:e0=0,ffff,f3,0 ss=e3 esp=30002 b:120c0=f4", "90 53 f4",
     "eip=10001 #SS(0) eip=120c1"},
    {"over the end of 4 GiB", "b:120d0=f4", "90 8b 1d fe ff ff ff f4",
     "eip=10001 #GP(0) eip=120d1"},
};

/* A comparison and the jump after it are done at once, and are two instructions still. */
static const struct row pairs[] = {
    {"the jump is beyond the limit", "ring3 gdt:e0=0,fff,fb,4 cs=e3 eip=100 b:120d0=f4",
     "39 c0 0f 84 00 0f 00 00", "zf=1 pf=1 eip=102 #GP(0) eip=120d1"},
    {"a breakpoint of the guest's at the jump", "dr0=10002 dr7=401 b:12010=f4", "39 c0 74 00 f4",
     "zf=1 pf=1 eip=10002 dr6=ffff0ff1 #DB eip=12011"},
    {"into the middle", "", "eb 03 43 eb 02 39 c0 74 f9 f4", "ebx=1"},
    {"INC leaves CF", "cf=1 eax=7fffffff", "40 72 01 43 70 01 43 f4",
     "eax=80000000 of=1 sf=1 af=1 pf=1"},
    {"DEC leaves CF", "", "48 72 01 43 f4", "eax=ffffffff ebx=1"},
};

/* ZF is not always that of a result. */
static const struct row odd_flags[] = {
    {"a zero with a sign, of odd parity", "esp=1ff00 stack=c3", "9d 9f f4",
     "esp=1ff04 eax=c300 sf=1 zf=1 cf=1"},
    {"ROL leaves them", "esp=1ff00 stack=c3", "9d c1 c0 04 9f f4",
     "esp=1ff04 eax=c200 sf=1 zf=1"},
    {"CMC, too", "esp=1ff00 stack=c3", "9d f5 9f f4", "esp=1ff04 eax=c200 sf=1 zf=1"},
    {"JS and JNP see them", "esp=1ff00 stack=c3", "9d 78 01 43 7b 01 43 74 01 43 f4",
     "esp=1ff04 sf=1 zf=1 cf=1"},
    {"BSF of 1 is no zero, of even parity", "ecx=1", "0f bc c1 f4", "pf=1"},
};

/* A translation lives until it is flushed, global ones longer. */
#define REMAP "c7 05 c0 10 08 00 67 00 05 00 " /* 30000 is 50000 now */
static const struct row translations[] = {
    {"stale", "paging page:30000=40067 d:40000=5 d:50000=6",
     "a1 00 00 03 00 " REMAP "8b 0d 00 00 03 00 f4", "eax=5 ecx=5 page:30000=50067"},
    {"MOV to CR3 flushes", "paging page:30000=40067 d:40000=5 d:50000=6",
     "a1 00 00 03 00 " REMAP "0f 20 da 0f 22 da 8b 0d 00 00 03 00 f4",
     "eax=5 ecx=6 edx=80000 page:30000=50067"},
    {"…but not what is global", "cr4=80 paging page:30000=40167 d:40000=5 d:50000=6",
     "a1 00 00 03 00 " REMAP "0f 20 da 0f 22 da 8b 0d 00 00 03 00 f4",
     "eax=5 ecx=5 edx=80000 page:30000=50067"},
    {"…if CR4.PGE is set", "paging page:30000=40167 d:40000=5 d:50000=6",
     "a1 00 00 03 00 " REMAP "0f 20 da 0f 22 da 8b 0d 00 00 03 00 f4",
     "eax=5 ecx=6 edx=80000 page:30000=50067"},
    {"INVLPG", "paging page:30000=40067 d:40000=5 d:50000=6",
     "a1 00 00 03 00 " REMAP "0f 01 3d 04 00 03 00 8b 0d 00 00 03 00 f4",
     "eax=5 ecx=6 page:30000=50067"},
    {"INVLPG of a global page", "cr4=80 paging page:30000=40167 d:40000=5 d:50000=6",
     "a1 00 00 03 00 " REMAP "0f 01 3d 04 00 03 00 8b 0d 00 00 03 00 f4",
     "eax=5 ecx=6 page:30000=50067"},
    {"INVLPG of another page", "paging page:30000=40067 d:40000=5 d:50000=6",
     "a1 00 00 03 00 " REMAP "0f 01 3d 00 10 03 00 8b 0d 00 00 03 00 f4",
     "eax=5 ecx=5 page:30000=50067"},
    {"INVLPG of a 4 MiB page: all of it", "cr4=10 paging d:80004=e7 d:40000=5 d:440000=0",
     "a1 00 00 44 00 c7 05 04 00 08 00 e7 00 40 00 0f 01 3d 00 00 40 00 8b 0d 00 00 44 00 f4",
     "eax=5 ecx=ffffffff d:80004=4000e7"},
    {"CR4.PGE flushes all", "cr4=80 paging page:30000=40167 d:40000=5 d:50000=6",
     "a1 00 00 03 00 " REMAP "31 d2 0f 22 e2 8b 0d 00 00 03 00 f4",
     "eax=5 ecx=6 cr4=0 page:30000=50067 zf=1 pf=1"},
    {"read, then written: dirty now", "paging page:30000=30027 d:30000=5",
     "a1 00 00 03 00 a3 04 00 03 00 f4", "eax=5 d:30004=5 page:30000=30067"},
    {"read, then written: not writable", "ring3 paging page:30000=30025 b:120e0=f4",
     "8b 0d 00 00 03 00 a3 04 00 03 00", "eip=10006 #PF(7,30004) eip=120e1"},
    {"alignment checks come and go", "ring3 cr0=40011 d:30001=7 b:12110=f4",
     "a1 01 00 03 00 68 02 00 04 00 9d a1 01 00 03 00",
     "eax=7 d:1fffc=40002 eip=1000b ac=1 #AC(0) eip=12111"},
};

/* Vol. 1 7.3.9 */
#define WRITE_30100 "c6 05 00 01 03 00 01 "
static const struct row strings[] = {
    {"MOVSB down", "esi=30004 edi=30104 ecx=5 b:30000=1,2,3,4,5", "fd f3 a4 f4",
     "df=1 ecx=0 esi=2ffff edi=300ff b:30100=1,2,3,4,5"},
    {"MOVSD down over two pages", "esi=30ffe edi=32000 ecx=2 d:30ffa=1,2", "fd f3 a5 f4",
     "df=1 ecx=0 esi=30ff6 edi=31ff8 d:31ffc=1,2"},
    {"MOVSB that feeds on itself", "esi=30000 edi=30001 ecx=4 b:30000=7", "f3 a4 f4",
     "ecx=0 esi=30004 edi=30005 b:30001=7,7,7,7"},
    {"MOVSW that feeds on itself", "esi=30000 edi=30002 ecx=2 w:30000=7", "66 f3 a5 f4",
     "ecx=0 esi=30004 edi=30006 w:30002=7,7"},
    {"MOVSB downhill, up", "esi=30001 edi=30000 ecx=2 b:30000=1,2,3", "f3 a4 f4",
     "ecx=0 esi=30003 edi=30002 b:30000=2,3"},
    {"MOVSB over a page of the source", "esi=30ffe edi=40000 ecx=4 b:30ffe=1,2,3,4", "f3 a4 f4",
     "ecx=0 esi=31002 edi=40004 b:40000=1,2,3,4"},
    {"MOVSD whose elements lie on two pages", "esi=30ffe edi=40000 ecx=2 d:30ffe=1,2", "f3 a5 f4",
     "ecx=0 esi=31006 edi=40008 d:40000=1,2"},
    {"MOVSB by 16-bit addresses wraps", "esi=fffe edi=4000 ecx=3 b:fffe=1,2 b:0=3", "67 f3 a4 f4",
     "ecx=0 esi=1 edi=4003 b:4000=1,2,3"},
    /* The same with both pages in the TLB: in bulk. */
    {"in bulk: MOVSB that feeds on itself", "esi=30000 edi=30001 ecx=4 b:30000=7",
     WRITE_30100 "f3 a4 f4", "ecx=0 esi=30004 edi=30005 b:30001=7,7,7,7 b:30100=1"},
    {"in bulk: MOVSD that feeds on itself", "esi=30000 edi=30004 ecx=2 d:30000=7",
     WRITE_30100 "f3 a5 f4", "ecx=0 esi=30008 edi=3000c d:30004=7,7 b:30100=1"},
    {"in bulk: MOVSB upon what lies below", "esi=30001 edi=30000 ecx=2 b:30000=1,2,3",
     WRITE_30100 "f3 a4 f4", "ecx=0 esi=30003 edi=30002 b:30000=2,3 b:30100=1"},
    {"in bulk: MOVSB upon what lies beside", "esi=30000 edi=30200 ecx=2 b:30000=1,2",
     WRITE_30100 "f3 a4 f4", "ecx=0 esi=30002 edi=30202 b:30200=1,2 b:30100=1"},
    {"in bulk: MOVSD over a page", "esi=30000 edi=30ffc ecx=2 d:30000=1,2", WRITE_30100 "f3 a5 f4",
     "ecx=0 esi=30008 edi=31004 d:30ffc=1,2 b:30100=1"},
    {"in bulk: MOVSD whose elements lie on two pages", "esi=30ffe edi=30200 ecx=1 d:30ffe=1",
     WRITE_30100 "f3 a5 f4", "ecx=0 esi=31002 edi=30204 d:30200=1 b:30100=1"},
    {"in bulk: MOVSB without leave to write",
     "gdt:e0=0,fffff,91,c es=e0 esi=30000 edi=30200 ecx=1 "
     "b:120d0=f4",
     WRITE_30100 "f3 a4", "b:30100=1 eip=10007 #GP(0) eip=120d1"},
    {"STOSD", "edi=30000 ecx=2 eax=5", "f3 ab f4", "ecx=0 edi=30008 d:30000=5,5"},
    {"STOSW over a page", "edi=30ffe ecx=2 eax=5", "66 f3 ab f4", "ecx=0 edi=31002 w:30ffe=5,5"},
    {"LODSB repeated", "esi=30000 ecx=2 b:30000=1,2", "f3 ac f4", "ecx=0 esi=30002 eax=2"},
    {"LODSB over a page", "esi=30fff ecx=2 b:30fff=1,2", "f3 ac f4", "ecx=0 esi=31001 eax=2"},
    {"SCASB until found", "edi=30000 ecx=5 eax=3 b:30000=1,2,3", "f2 ae f4",
     "ecx=2 edi=30003 zf=1 pf=1"},
    {"SCASB not found: the last one's flags", "edi=30000 ecx=2 eax=3 b:30000=1,2", "f2 ae f4",
     "ecx=0 edi=30002"},
    {"CMPSB until different", "esi=30000 edi=30100 ecx=5 b:30000=1,2,4 b:30100=1,2,3", "f3 a6 f4",
     "ecx=2 esi=30003 edi=30103"},
    {"CMPSB while different, over a page", "esi=30fff edi=40000 ecx=2 b:30fff=2,2 b:40000=1,2",
     "f2 a6 f4", "ecx=0 esi=31001 edi=40002 zf=1 pf=1"},
    {"a count of zero", "esi=30000 edi=30100 zf=1", "f3 a6 f4", ""},
    {"a fault in the middle: what is done stays done",
     "paging page:31000=0 edi=30ffe ecx=4 eax=5 b:120e0=f4", "f3 aa",
     "b:30ffe=5,5 ecx=2 edi=31000 #PF(2,31000) eip=120e1"},
    {"over the limit in the middle", "gdt:e0=0,fff,93,4 es=e0 edi=ffe ecx=4 eax=5 b:120d0=f4",
     "f3 aa", "b:ffe=5,5 ecx=2 edi=1000 #GP(0) eip=120d1"},
    {"a breakpoint of the guest's in the middle",
     "edi=30000 ecx=9 eax=5 dr0=30002 dr7=10401 "
     "b:12010=f4",
     "f3 aa", "b:30000=5,5,5 ecx=6 edi=30003 dr6=ffff0ff1 #DB eip=12011"},
    {"a single step is one iteration", "edi=30000 ecx=3 eax=5 tf=1 b:12010=f4", "f3 aa",
     "b:30000=5 ecx=2 edi=30001 dr6=ffff4ff0 #DB eip=12011"},
    {"INSB repeated", "edi=30000 ecx=2 edx=80", "f3 6c f4", "b:30000=ff,ff ecx=0 edi=30002"},
};

/* --- conditions (Vol. 1 appendix B) --- */

static bool holds(unsigned cc, bool o, bool c, bool z, bool s, bool p) {
    const bool of_pair[8] = {o, c, z, c || z, s, p, s != o, z || s != o};
    return of_pair[cc / 2] != (cc & 1);
}

static void test_condition(unsigned cc, unsigned flags) {
    bool o = flags & 1, c = flags & 2, z = flags & 4, s = flags & 8, p = flags & 16;
    bool taken = holds(cc, o, c, z, s, p);
    char given[64], jump[16], set[16], move[16];
    snprintf(given, sizeof given, "of=%x cf=%x zf=%x sf=%x pf=%x ecx=77", o, c, z, s, p);
    snprintf(jump, sizeof jump, "%x 10", 0x70 + cc);
    snprintf(set, sizeof set, "0f %x c0", 0x90 + cc);
    snprintf(move, sizeof move, "0f %x c1", 0x40 + cc);
    run_row(&(struct row){"Jcc", given, jump, taken ? "eip=10012" : ""});
    run_row(&(struct row){"SETcc", given, set, taken ? "eax=1" : "eax=0"});
    run_row(&(struct row){"CMOVcc", given, move, taken ? "eax=77" : ""});
}

static void test_conditions(void) {
    for (unsigned cc = 0; cc < 16; cc++)
        for (unsigned flags = 0; flags < 32; flags++)
            test_condition(cc, flags);
}

/* --- from outside --- */

static struct rig r;

static void outside(const char *given, const char *code) {
    size_t length;
    CHECK(case_open(&r, &(struct row){"", given, code, ""}, &length));
}
static const struct cpu_state *state(void) {
    return rig_get(&r);
}

static bool requested;
static int acknowledge(void *machine) {
    (void)machine;
    r.cpu.intr = false;
    return requested ? 0x21 : -1;
}
static bool keep_out;
static bool held(void *machine, uint64_t now, bool halted, bool stepping) {
    (void)machine, (void)now, (void)halted;
    return keep_out || stepping;
}
static uint64_t idle(void *machine, uint64_t now) {
    (void)machine;
    r.cpu.intr = true;
    return now;
}
static const struct engine_host asks = {.acknowledge = acknowledge, .idle = idle};

static void request(void) {
    r.cpu.host = (struct cpu_host){.extra = &asks};
    requested = r.cpu.intr = true;
}

#define HANDLER_21 "idt:21=8,14000,8e "
static void test_interrupts(void) {
    outside(HANDLER_21 "eax=10", "fb 8e d0 90 90"); /* STI, MOV SS: two shadows */
    request();
    rig_step(&r);
    CHECK(state()->events.interrupt.shadow == KVM_X86_SHADOW_INT_STI);
    rig_step(&r); /* a step lets none in */
    CHECK(state()->regs.rip == 0x10003);
    r.cpu.step_irqs = true;
    rig_step(&r);
    CHECK(state()->regs.rip == 0x10004);
    rig_step(&r);
    CHECK(state()->regs.rip == 0x14000 && rig_get32(&r, (uint32_t)state()->regs.rsp) == 0x10004);
    rig_close(&r);
    outside(HANDLER_21 "if=1", "90 90");
    request();
    requested = false; /* the request went away: INTA gives no vector */
    r.cpu.step_irqs = true;
    rig_step(&r);
    CHECK(state()->regs.rip == 0x10001);
    rig_close(&r);
    outside("if=1", "90 90");
    r.cpu.intr = r.cpu.step_irqs = true; /* a line, and no chip behind it */
    rig_step(&r);
    CHECK(state()->regs.rip == 0x10001);
    rig_close(&r);
}

/* A step over HLT ends although the interrupt that wakes it may not enter. */
static void test_halted_step(void) {
    outside(HANDLER_21 "if=1", "f4 90");
    request();
    r.cpu.defer_irq = held;
    keep_out = false;
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED);
    CHECK(state()->regs.rip == 0x10001 && state()->mp.mp_state == KVM_MP_STATE_RUNNABLE);
    keep_out = true;
    r.cpu.step_irqs = true;
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED && state()->regs.rip == 0x10002);
    rig_close(&r);
}

/* It may come while the CPU sleeps; and if nobody can send one, HLT is the end. */
static void test_halted(void) {
    outside(HANDLER_21 "if=1 b:14000=f4", "f4 90");
    request();
    r.cpu.intr = false;
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && state()->regs.rip == 0x14001);
    CHECK(rig_get32(&r, (uint32_t)state()->regs.rsp) == 0x10001);
    rig_close(&r);
    outside("if=1", "f4 90");
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && state()->regs.rip == 0x10001);
    rig_close(&r);
}

/* Events that another engine had begun, and one that it had not. */
static void test_injected(void) {
    struct cpu_state *s;
    outside(HANDLER_21, "90");
    s = rig_get(&r);
    s->events.interrupt.injected = 1;
    s->events.interrupt.nr = 0x21;
    rig_set(&r);
    rig_step(&r);
    CHECK(state()->regs.rip == 0x14000 && !state()->events.interrupt.injected);
    rig_close(&r);
    outside(HANDLER_21, "cd 21"); /* a soft one: its INT is still to be run */
    s = rig_get(&r);
    s->events.interrupt.injected = s->events.interrupt.soft = 1;
    s->events.interrupt.nr = 0x21;
    rig_set(&r);
    rig_step(&r);
    CHECK(state()->regs.rip == 0x14000 && !state()->events.interrupt.injected);
    CHECK(rig_get32(&r, (uint32_t)state()->regs.rsp) == 0x10002);
    rig_close(&r);
    outside("", "90");
    s = rig_get(&r);
    s->events.exception.pending = 1;
    s->events.exception.nr = VECTOR_UD;
    rig_set(&r);
    rig_step(&r);
    CHECK(state()->regs.rip == HANDLERS_AT + 16 * VECTOR_UD);
    CHECK(!state()->events.exception.pending);
    rig_close(&r);
}

static void test_nmi(void) {
    struct cpu_state *s;
    outside("eax=10", "8e d0 90 90 cf");
    rig_step(&r);
    s = rig_get(&r);
    s->events.nmi.pending = 1; /* in the shadow of MOV SS */
    rig_set(&r);
    rig_step(&r);
    CHECK(state()->regs.rip == 0x10003);
    rig_step(&r);
    CHECK(state()->regs.rip == HANDLERS_AT + 16 * VECTOR_NMI && state()->events.nmi.masked);
    s = rig_get(&r);
    s->events.nmi.pending = 1; /* masked until IRET, even one that faults (6.7.1) */
    s->regs.rip = 0x10003;
    rig_set(&r);
    rig_step(&r);
    CHECK(state()->regs.rip == 0x10004 && state()->events.nmi.pending);
    rig_put32(&r, (uint32_t)state()->regs.rsp + 4, 0); /* a null CS */
    rig_step(&r);
    CHECK(state()->regs.rip == HANDLERS_AT + 16 * VECTOR_GP && !state()->events.nmi.masked);
    rig_close(&r);
}

/* --- devices --- */

static enum io_result answer;
static enum io_result port(void *machine, uint16_t number, bool out, unsigned size, void *data) {
    (void)machine, (void)number, (void)out, (void)size, (void)data;
    return answer;
}

static void test_devices(void) {
    outside("rf=1 dr0=10000 dr7=401", "e4 60"); /* RF outlives an IN that has to wait */
    r.cpu.host.io = port;
    answer = IO_RETRY;
    CHECK(rig_run(&r) == CPU_EXIT_WAITING && state()->regs.rflags == (FLAG_RF | 2));
    CHECK(state()->regs.rip == 0x10000);
    answer = IO_DONE;
    rig_step(&r);
    CHECK(state()->regs.rip == 0x10002 && state()->regs.rflags == 2);
    rig_close(&r);
    outside("edx=60 esi=30000", "6e"); /* OUTSB out of a watched byte: one exit, the first */
    r.cpu.host.io = port;
    answer = IO_STOP;
    breakpoints_add(&r.breakpoints, BP_READ, 0x30000, 1);
    CHECK(rig_run(&r) == CPU_EXIT_DEVICE && state()->regs.rsi == 0x30001);
    rig_close(&r);
    outside("edx=60 esi=30000 ecx=3", "f3 6e"); /* a stop between two iterations */
    r.cpu.host.io = port;
    CHECK(rig_run(&r) == CPU_EXIT_DEVICE && state()->regs.rcx == 2);
    CHECK(state()->regs.rip == 0x10000);
    rig_close(&r);
}

static void test_catch(void) {
    outside(HANDLER_21, "cd 21");
    r.cpu.catch.interrupt[0] = 1ull << 0x21;
    CHECK(rig_run(&r) == CPU_EXIT_EVENT && state()->regs.rip == 0x14000);
    CHECK_STR(r.exit.text, "int 0x21 at 0008:00010000");
    rig_close(&r);
    outside(HANDLER_21 "if=1", "90 90");
    request();
    r.cpu.catch.interrupt[0] = 1ull << 0x21;
    CHECK(rig_run(&r) == CPU_EXIT_EVENT && state()->regs.rip == 0x14000);
    CHECK_STR(r.exit.text, "interrupt 0x21 at 0008:00010000");
    rig_close(&r);
    outside(HANDLER_21 "b:14000=f4", "cd 21");
    r.cpu.catch.interrupt[0] = 1ull << 0x20;
    CHECK(rig_run(&r) == CPU_EXIT_HALTED);
    rig_close(&r);
    outside("", "cc");
    r.cpu.catch.exception[0] = 1 << VECTOR_BP;
    CHECK(rig_run(&r) == CPU_EXIT_EVENT);
    CHECK_STR(r.exit.text, "int 0x3 at 0008:00010000");
    rig_close(&r);
    outside("eax=80000", "0f 22 d8");
    r.cpu.catch.cr3 = true;
    CHECK(rig_run(&r) == CPU_EXIT_EVENT && state()->regs.rip == 0x10003);
    CHECK_STR(r.exit.text, "cr3 from 0 to 0x80000");
    rig_close(&r);
}

static void test_pae_alone(void) {
    outside("cr4=20", "90"); /* PAE without paging means nothing */
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED);
    r.cpu.engine->close(&r.cpu);
    rig_close(&r); /* closing twice does no harm */
}

/* A write to ROM goes nowhere, however often it is tried. */
static void test_rom(void) {
    static const uint8_t image[4096] = {1, 2, 3, 4};
    outside("eax=5", "a3 00 f0 0f 00 a3 00 f0 0f 00 8b 0d 00 f0 0f 00 f4");
    CHECK(memory_add_rom(&r.memory, image, sizeof image) == 0);
    r.cpu.engine->flush(&r.cpu);
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && state()->regs.rcx == 0x04030201);
    rig_close(&r);
}

int main(void) {
    RUN_PROGRAMS(blocks);
    RUN_PROGRAMS(two_pages);
    RUN_PROGRAMS(granted);
    RUN_PROGRAMS(pairs);
    RUN_PROGRAMS(odd_flags);
    RUN_PROGRAMS(translations);
    RUN_PROGRAMS(strings);
    test_conditions();
    test_interrupts();
    test_halted_step();
    test_halted();
    test_injected();
    test_nmi();
    test_devices();
    test_catch();
    test_pae_alone();
    test_rom();
    return unit_end();
}

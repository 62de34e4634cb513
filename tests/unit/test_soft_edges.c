/* Edges, case by case: the last bytes of a 64 KiB segment in real and virtual-8086 mode,
 * and instructions that write back what they have read.
 */
#include "soft_case.h"

/* Vol. 2: PUSHA and LEAVE have #GP for the end of the segment, all others #SS. In real
 * mode the fault's own frame may not fit either. */
static const struct row stack_ends[] = {
    {"PUSHA at SP 7", "real esp=7", "60", "#GP"},
    {"PUSHA at SP 9", "real esp=9", "60", "#GP"},
    {"PUSHA at SP 15", "real esp=f", "60", "#GP"},
    {"PUSHAD at SP 13", "real esp=d", "66 60", "#GP"},
    {"PUSHA at SP 17 fits", "real distinct esp=11", "60",
     "w:1=8888,7777,6666,11,4444,3333,2222,1111 esp=1"},
    {"virtual-8086 mode: PUSHA at SP 7", "vm86 esp=7", "60", "#GP(0)"},
    {"protected mode: PUSHAD at SP 7 is #SS, which finds no room either", "ss=48 esp=7", "60", "shutdown"},
    {"PUSH of 32 bits at SP 3", "real esp=3", "66 50", "shutdown"},
    {"PUSHF at SP 1", "vm86 iopl=3 esp=1", "9c", "#SS(0)"},
    {"LEAVE at BP FFFF", "real ebp=ffff", "c9", "#GP"},
    {"LEAVE of 32 bits at BP FFFD", "real ebp=fffd", "66 c9", "#GP"},
    {"LEAVE at BP FFFE", "real ebp=fffe w:fffe=1234", "c9", "esp=0 ebp=1234"},
    {"virtual-8086 mode: LEAVE at BP FFFF", "vm86 ebp=ffff", "c9", "#GP(0)"},
    {"POP at SP FFFF", "real esp=ffff", "58", "#SS"},
    {"POPA at SP FFF9", "real esp=fff9", "61", "#SS"},
    {"RET at SP FFFF", "real esp=ffff", "c3", "#SS"},
    {"IRET at SP FFFD", "real esp=fffd", "cf", "#SS"},
    {"virtual-8086 mode: CALL at SP 1", "vm86 esp=1", "e8 00 00", "#SS(0)"},
    {"virtual-8086 mode: ENTER at SP 1", "vm86 esp=1", "c8 00 00 00", "#SS(0)"},
    {"virtual-8086 mode: a far CALL at SP 3", "vm86 esp=3", "9a 00 00 00 30", "#SS(0)"},
};

/* Seen on Intel's processors: all but ARPL write, also what was there before. */
#define READ_ONLY "cr0=10011 paging page:30000=30065 "
static const struct row rewrites[] = {
    {"CMPXCHG that fails", READ_ONLY "eax=5", "0f b1 0d 00 00 03 00", "#PF(3,30000)"},
    {"CMPXCHG8B that fails", READ_ONLY "eax=5", "0f c7 0d 00 00 03 00", "#PF(3,30000)"},
    {"XADD of 0", READ_ONLY "ecx=0", "0f c1 0d 00 00 03 00", "#PF(3,30000)"},
    {"SHL by 0", READ_ONLY "ecx=0", "d3 25 00 00 03 00", "#PF(3,30000)"},
    {"SHL by an immediate of 0", READ_ONLY, "c1 25 00 00 03 00 00", "#PF(3,30000)"},
    {"ROL by 0", READ_ONLY "ecx=20", "d3 05 00 00 03 00", "#PF(3,30000)"},
    {"RCL of a byte by 0", READ_ONLY "ecx=0", "d2 15 00 00 03 00", "#PF(3,30000)"},
    {"SHLD by 0", READ_ONLY "ecx=0", "0f a5 05 00 00 03 00", "#PF(3,30000)"},
    {"SHRD by an immediate of 0", READ_ONLY, "0f ac 05 00 00 03 00 00", "#PF(3,30000)"},
    {"BTS of a bit that is set", READ_ONLY "d:30000=1 eax=0", "0f ab 05 00 00 03 00",
     "#PF(3,30000)"},
    {"BTR of a bit that is clear", READ_ONLY "eax=0", "0f b3 05 00 00 03 00", "#PF(3,30000)"},
    {"OR with 0", READ_ONLY, "83 0d 00 00 03 00 00", "#PF(3,30000)"},
    {"BT", READ_ONLY "d:30000=1 eax=0", "0f a3 05 00 00 03 00", "cf=1"},
    {"CMP", READ_ONLY, "83 3d 00 00 03 00 00", "zf=1 pf=1"},
    {"ARPL with nothing to write", READ_ONLY "w:30000=3 eax=1 zf=1", "63 05 00 00 03 00", "zf=0"},
    {"ARPL with something to write", READ_ONLY "w:30000=1 eax=3", "63 05 00 00 03 00",
     "#PF(3,30000)"},
    {"ARPL of read-only data, nothing to write", "ds=58 w:30000=3 eax=1 zf=1", "63 05 00 00 03 00",
     "zf=0"},
    {"ARPL of read-only data", "ds=58 w:30000=1 eax=3", "63 05 00 00 03 00", "#GP(0)"},
    {"ARPL where nothing is mapped", "paging page:30000=0", "63 05 00 00 03 00", "#PF(0,30000)"},
};

int main(void) {
    RUN_ROWS(stack_ends);
    RUN_ROWS(rewrites);
    return unit_end();
}

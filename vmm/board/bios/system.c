/* Services of the machine itself: equipment, memory, A20, the system services of INT 15h; and
 * the vectors that nobody has set. */
#include "vmm/board/bios/call.h"

#include <stdio.h>
#include <string.h>

#include "vmm/board/memory_map.h"
#include "vmm/cpu/engine.h"
#include "vmm/cpu/service.h"
#include "vmm/x86/descriptor.h"

static void succeed(struct call *c) {
    set_carry(c, false);
    c->ah = 0;
}

static void fail(struct call *c, uint8_t ah) {
    set_carry(c, true);
    c->ah = ah;
}

/* --- INT 11h, 12h ------------------------------------------------------------------------------ */

static void equipment(struct call *c) { c->ax = peek16(c->bios, BDA_EQUIPMENT); }
static void memory_size_low(struct call *c) { c->ax = peek16(c->bios, BDA_MEMORY); }

static void answer_kib(struct call *c, struct words *w) { words_add(w, "%u KiB", c->ax); }

/* --- INT 15h: memory ------------------------------------------------------------------------------ */

static uint32_t above_16m(struct call *c) {
    uint32_t kib = memory_map_upper(c->bios->board->memory);
    return kib > 15 << 10 ? (kib - (15 << 10)) / 64 : 0;
}

static uint16_t below_16m(struct call *c, uint32_t most) {
    uint32_t kib = memory_map_upper(c->bios->board->memory);
    return (uint16_t)(kib < most ? kib : most);
}

/* AH=88h tells at most 64 MiB less a KiB: so do other BIOSes. */
static void extended_memory(struct call *c) {
    set_carry(c, false);
    c->ax = below_16m(c, 0xffff);
}

/* AX=E801h: KiB up to 16 MiB, and 64 KiB blocks above, twice. */
static void extended_memory_e801(struct call *c) {
    c->ax = c->cx = below_16m(c, 15 << 10);
    c->bx = c->dx = (uint16_t)above_16m(c);
    set_carry(c, false);
}

static void extended_memory_e881(struct call *c) {
    c->eax = c->ecx = below_16m(c, 15 << 10);
    c->ebx = c->edx = above_16m(c);
    set_carry(c, false);
}

/* AX=E820h. EBX is the number of the next entry. ACPI 6.5, 15.1 has 24 bytes for an entry as
 * well; but what is tried with the BIOSes that answer 20, as most do, goes wrong with more. */
static void system_map(struct call *c) {
    enum { SMAP = 0x534d4150, LENGTH = 20 };
    struct memory_range r, next;
    if (c->edx != SMAP || c->ecx < LENGTH || !memory_map_range(c->bios->board->memory, c->ebx, &r)) {
        fail(c, 0x86);
        return;
    }
    struct {
        uint64_t base, length;
        uint32_t kind;
    } entry = {r.base, r.length, r.kind};
    c->eax = SMAP;
    c->ecx = LENGTH;
    far_write(c, c->es, c->di, &entry, c->ecx);
    c->ebx = memory_map_range(c->bios->board->memory, c->ebx + 1, &next) ? c->ebx + 1 : 0;
    set_carry(c, false);
}

static void ask_map(struct call *c, struct words *w) {
    words_add(w, "entry %u of the memory map to %04x:%04x", c->ebx, c->es, c->di);
}

static void answer_map(struct call *c, struct words *w) {
    struct {
        uint64_t base, length;
        uint32_t kind;
    } entry;
    if (c->flags & FLAG_CF) {
        words_add(w, "no such entry, or EDX is not 'SMAP'");
        return;
    }
    far_read(c, c->es, c->di, &entry, 20);
    words_add(w, "%llx to %llx %s%s", (unsigned long long)entry.base,
        (unsigned long long)(entry.base + entry.length - 1), entry.kind == 1 ? "usable" : "reserved",
        c->ebx ? "" : ", the last");
}

/* --- INT 15h: A20 -------------------------------------------------------------------------------- */

enum { PORT_A = 0x92, A20 = 2 };

static void set_a20(struct call *c, bool open) {
    uint8_t now = port_in(c->bios, PORT_A);
    port_out(c->bios, PORT_A, (uint8_t)((now & ~(A20 | 1)) | (open ? A20 : 0)));
    succeed(c);
}

static void a20_off(struct call *c) { set_a20(c, false); }
static void a20_on(struct call *c) { set_a20(c, true); }

static void a20_state(struct call *c) {
    succeed(c);
    c->al = port_in(c->bios, PORT_A) & A20 ? 1 : 0;
}

static void a20_support(struct call *c) {
    succeed(c);
    c->bx = 3; /* by the keyboard controller and by port 92h */
}

/* --- INT 15h: moving a block, and to protected mode ------------------------------------------------ */

/* A descriptor's base; of the caller's table at ES:SI. */
static uint32_t base_at(struct call *c, uint16_t index) {
    uint8_t d[8];
    far_read(c, c->es, (uint16_t)(c->si + index), d, sizeof d);
    return d[2] | d[3] << 8 | d[4] << 16 | (uint32_t)d[7] << 24;
}

/* AH=87h: CX words from the descriptor at ES:SI+10h to the one at +18h. With A20 open. */
static void move_block(struct call *c) {
    uint32_t from = base_at(c, 0x10), to = base_at(c, 0x18), left = c->cx * 2u;
    struct pc_board *board = c->bios->board;
    uint8_t part[512];
    uint32_t a20_off = board->memory->a20_off;
    if (c->cx > 0x8000) {
        fail(c, 0x01);
        return;
    }
    if (a20_off)
        set_a20(c, true);
    for (uint32_t n; left; left -= n, from += n, to += n) {
        n = left < sizeof part ? left : sizeof part;
        service_read(c->bios->cpu, from, part, n);
        service_write(c->bios->cpu, to, part, n);
    }
    if (a20_off)
        set_a20(c, false);
    succeed(c);
}

static void ask_move(struct call *c, struct words *w) {
    words_add(w, "%u bytes from %08x to %08x", c->cx * 2u, base_at(c, 0x10), base_at(c, 0x18));
}

/* The PICs at the vectors BH and BL, and all masked. */
static void move_vectors(struct call *c) {
    const uint8_t writes[][2] = {{0x20, 0x11}, {0xa0, 0x11}, {0x21, c->bh}, {0xa1, c->bl}, {0x21, 0x04}, {0xa1, 0x02},
                                 {0x21, 0x01}, {0xa1, 0x01}, {0x21, 0xff}, {0xa1, 0xff}};
    struct bios *b = c->bios;
    b->hooks->take_chips(b->machine);
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++)
        port_out(b, writes[i][0], writes[i][1]);
    b->hooks->give_chips(b->machine);
}

/* AH=89h: to protected mode by the caller's table at ES:SI. The stack's segment is its sixth
 * descriptor, the code's its seventh. */
static void to_protected_mode(struct call *c) {
    struct cpu *cpu = c->bios->cpu;
    if (!need_chips(c))
        return;
    move_vectors(c);
    uint8_t d[0x40];
    far_read(c, c->es, c->si, d, sizeof d);
    uint64_t descriptor[8];
    memcpy(descriptor, d, sizeof d);
    set_a20(c, true);
    struct cpu_state *s = cpu_write(cpu, CPU_REGS | CPU_SREGS);
    struct kvm_segment idt = x86_descriptor(0x10, descriptor[2]);
    struct kvm_segment gdt = x86_descriptor(0x08, descriptor[1]);
    s->sregs.gdt = (struct kvm_dtable){.base = gdt.base, .limit = (uint16_t)gdt.limit};
    s->sregs.idt = (struct kvm_dtable){.base = idt.base, .limit = (uint16_t)idt.limit};
    s->sregs.cr0 |= CR0_PE;
    s->sregs.ds = x86_descriptor(0x18, descriptor[3]);
    s->sregs.es = x86_descriptor(0x20, descriptor[4]);
    s->sregs.ss = x86_descriptor(0x28, descriptor[5]);
    s->sregs.cs = x86_descriptor(0x30, descriptor[6]);
    s->regs.rip = c->ip;
    s->regs.rsp = (uint16_t)(s->regs.rsp + 6);
    s->regs.rflags &= ~(uint64_t)(FLAG_IF | FLAG_CF);
    s->regs.rax = 0;
    c->elsewhere = true;
}

/* --- INT 15h: the rest ------------------------------------------------------------------------------ */

static void intercept_key(struct call *c) { set_carry(c, true); } /* the key counts */

static void nothing_to_do(struct call *c) { succeed(c); } /* device open, close, busy, terminate */

static void configuration(struct call *c) {
    succeed(c);
    c->es = ROM_SEGMENT;
    c->bx = ROM_CONFIGURATION;
}

static void ebda_segment(struct call *c) {
    set_carry(c, false);
    c->es = peek16(c->bios, BDA_EBDA);
}

/* There is no joystick. */
static void not_there(struct call *c) { fail(c, 0x86); }

/* --- vectors that nobody has set ---------------------------------------------------------------------- */

/* On a PC each stops the machine for good: the instruction that faults is done again. */
static void exception(struct call *c) {
    static const char *const names[] = {[0] = "divide error (#DE)", [5] = "BOUND range exceeded (#BR)",
                                        [6] = "invalid opcode (#UD)", [7] = "no FPU (#NM)",
                                        [0x0c] = "stack fault (#SS)",
                                        [0x0d] = "general protection (#GP)"};
    char why[160];
    uint8_t code[2];
    far_read(c, c->cs, (uint16_t)(c->ip - 2), code, 2);
    if (code[0] == 0xcd && code[1] == c->number) {
        c->unknown = true; /* an INT of the program's */
        return;
    }
    snprintf(why, sizeof why, "%s at %04x:%04x, and the guest has set no handler for it (int 0x%02x)",
             names[c->number], c->cs, c->ip, c->number);
    stop_call(c, why);
    go_back(c, c->ip);
}

/* INT3 does nothing without a debugger of the guest's. At 0000:0000 it is no program's. */
static void breakpoint(struct call *c) {
    char why[160];
    uint16_t top;
    c->silent = true;
    if (c->cs * 16u + c->ip != 1)
        return;
    far_read(c, c->ss, (uint16_t)(c->sp + 6), &top, sizeof top);
    snprintf(why, sizeof why, "execution has come to 0000:0000, linear 0x00000000, where the interrupt "
             "vectors are; on top of the stack is 0x%x", top);
    stop_call(c, why);
    go_back(c, (uint16_t)(c->ip - 1));
}

/* Print Screen, or a BOUND (62h) that failed. There is no printer. */
static void print_screen(struct call *c) {
    uint8_t code;
    far_read(c, c->cs, c->ip, &code, 1);
    if (code == 0x62)
        exception(c);
    else
        poke8(c->bios, BDA_PRINT_STATUS, 0xff);
}

static void quietly(struct call *c) { c->silent = true; }

/* Is the interrupt in service that this vector is of, or was it an exception, or an INT? */
static bool in_service(struct call *c, unsigned irq) {
    struct pc_board *board = c->bios->board;
    struct irqchip_state chips = {0};
    memcpy(chips.pic, board->devices.pic.chip, sizeof chips.pic);
    if (board->hooks->has_kernel_irqchip(board->machine))
        c->bios->cpu->engine->get_irqchip(c->bios->cpu, &chips);
    return chips.pic[irq / 8].isr >> irq % 8 & 1;
}

/* An interrupt that nobody handles is at least ended. Of a diskette's there is a sign. */
static void stray_irq(struct call *c) {
    unsigned irq = c->number >= 0x70 ? c->number - 0x70 + 8 : c->number - 8;
    if (irq == 6)
        poke8(c->bios, BDA_FLOPPY_SEEK, peek8(c->bios, BDA_FLOPPY_SEEK) | 0x80);
    if (in_service(c, irq)) {
        c->silent = true;
        c->pc = irq >= 8 ? ROM_EOI2 : ROM_EOI;
    } else if (c->number == 0x0c || c->number == 0x0d) {
        exception(c);
    } else {
        c->silent = true; /* spurious */
    }
}

static void fpu_irq(struct call *c) {
    port_out(c->bios, 0xf0, 0);
    stray_irq(c);
}

/* INT 18h: nothing to boot. */
static void no_boot(struct call *c) {
    stop_call(c, "int 0x18: nothing to boot from, says the guest; there is no BASIC in ROM");
}

static void boot_again(struct call *c) { bios_boot(c); }

/* bios.c does it. */
static void reset_vector(struct call *c) {
    c->bios->reset_by = "a jump to the reset vector";
}

static const struct service list[] = {
    ROW(0x00, BY_ALL, "divide error", exception),
    ROW(0x01, BY_ALL, "single step", quietly),
    ROW(0x02, BY_ALL, "NMI", quietly),
    ROW(0x03, BY_ALL, "breakpoint", breakpoint),
    ROW(0x04, BY_ALL, "overflow", quietly),
    ROW(0x05, BY_ALL, "print the screen", print_screen),
    ROW(0x06, BY_ALL, "invalid opcode", exception),
    ROW(0x07, BY_ALL, "no FPU", exception),
    ROW(0x0a, BY_ALL, "IRQ 2", stray_irq),
    ROW(0x0b, BY_ALL, "IRQ 3", stray_irq),
    ROW(0x0c, BY_ALL, "IRQ 4", stray_irq),
    ROW(0x0d, BY_ALL, "IRQ 5", stray_irq),
    ROW(0x0e, BY_ALL, "IRQ 6, diskette", stray_irq),
    ROW(0x0f, BY_ALL, "IRQ 7", stray_irq),
    ROW(0x71, BY_ALL, "IRQ 9", stray_irq),
    ROW(0x72, BY_ALL, "IRQ 10", stray_irq),
    ROW(0x73, BY_ALL, "IRQ 11", stray_irq),
    ROW(0x75, BY_ALL, "IRQ 13, FPU", fpu_irq),
    ROW(0x76, BY_ALL, "IRQ 14, disk", stray_irq),
    ROW(0x77, BY_ALL, "IRQ 15, disk", stray_irq),
    ROW(0x11, BY_ALL, "equipment", equipment),
    TOLD(0x12, BY_ALL, "conventional memory", memory_size_low, NULL, answer_kib),
    ROW(0x15, BY_AX(0x2400), "close A20", a20_off),
    ROW(0x15, BY_AX(0x2401), "open A20", a20_on),
    ROW(0x15, BY_AX(0x2402), "state of A20", a20_state),
    ROW(0x15, BY_AX(0x2403), "ways to gate A20", a20_support),
    ROW(0x15, BY_AH(0x4f), "a key is typed", intercept_key),
    ROW(0x15, BY_AH(0x80), "open a device", nothing_to_do),
    ROW(0x15, BY_AH(0x81), "close a device", nothing_to_do),
    ROW(0x15, BY_AH(0x82), "end of a program", nothing_to_do),
    ROW(0x15, BY_AH(0x84), "joystick", not_there),
    ROW(0x15, BY_AH(0x85), "SysRq key", nothing_to_do),
    TOLD(0x15, BY_AH(0x87), "move a block", move_block, ask_move, NULL),
    TOLD(0x15, BY_AH(0x88), "memory above 1 MiB", extended_memory, NULL, answer_kib),
    ROW(0x15, BY_AH(0x89), "to protected mode", to_protected_mode),
    ROW(0x15, BY_AH(0x90), "a device is waited for", nothing_to_do),
    ROW(0x15, BY_AH(0x91), "a device is ready", nothing_to_do),
    ROW(0x15, BY_AH(0xc0), "configuration", configuration),
    ROW(0x15, BY_AH(0xc1), "segment of the EBDA", ebda_segment),
    ROW(0x15, BY_AX(0xe801), "memory above 1 MiB", extended_memory_e801),
    ROW(0x15, BY_AX(0xe881), "memory above 1 MiB", extended_memory_e881),
    TOLD(0x15, BY_AX(0xe820), "memory map", system_map, ask_map, answer_map),
    ROW(0x15, BY_AX(0xec00), "long mode will be used", not_there), /* AMD's; for the BIOS to know */
    ROW(0x15, BY_AX(0xe980), "SpeedStep", not_there),
    ROW(0x18, BY_ALL, "nothing to boot", no_boot),
    ROW(0x19, BY_ALL, "boot", boot_again),
    ROW(ROM_RESET, BY_ALL, "reset", reset_vector),
};
const struct services services_system = {list, sizeof list / sizeof *list};

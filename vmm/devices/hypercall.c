/* Port 0x500: a guest says in AL what it wants.
 *
 * Rule: a call that is not in the table stops the machine with its number; it
 * is never ignored.
 */
#include "vmm/devices/hypercall.h"

#include <stdio.h>

#include "vmm/cpu/cpu.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"

enum { PORT = 0x500, PUTS_MAX = 1 << 20 };

static enum io_result call_exit(struct hypercall *h, struct cpu *cpu,
                                   const struct kvm_regs *regs) {
    h->board->end(h->board->machine, cpu, regs->rbx & 0xff);
    return IO_STOP;
}

static enum io_result call_putchar(struct hypercall *h, struct cpu *cpu,
                                   const struct kvm_regs *regs) {
    (void)cpu;
    char c = regs->rbx;
    h->board->put(h->board->machine, &c, 1);
    return IO_DONE;
}

static enum io_result call_getchar(struct hypercall *h, struct cpu *cpu,
                                   const struct kvm_regs *regs) {
    (void)cpu, (void)regs;
    h->wants_input = true;
    return IO_DONE;
}

static enum io_result call_putnum(struct hypercall *h, struct cpu *cpu,
                                   const struct kvm_regs *regs) {
    (void)cpu;
    char text[8];
    int n = snprintf(text, sizeof text, "%u", (unsigned)(regs->rbx & 0xffff));
    h->board->put(h->board->machine, text, n);
    return IO_DONE;
}

static enum io_result call_newline(struct hypercall *h, struct cpu *cpu,
                                   const struct kvm_regs *regs) {
    (void)cpu, (void)regs;
    h->board->put(h->board->machine, "\n", 1);
    return IO_DONE;
}

/* One exit for a whole string, at the linear address in rBX. */
static enum io_result call_puts(struct hypercall *h, struct cpu *cpu,
                                   const struct kvm_regs *regs) {
    char text[512];
    const struct kvm_sregs *s = &cpu_read(cpu, CPU_SREGS)->sregs;
    bool wide = x86_mode(s, regs->rflags) == MODE_LONG;
    uint64_t at = wide ? regs->rbx : (uint32_t)regs->rbx;
    uint32_t left = regs->rcx;
    if (left > PUTS_MAX) {
        h->board->stop(h->board->machine, cpu, "hypercall PUTS of over 1 MiB: is ECX the length?");
        return IO_STOP;
    }
    while (left) {
        size_t n = x86_read(cpu->memory, s, at, text, left < sizeof text ? left : sizeof text);
        if (n == 0) {
            h->board->stop(h->board->machine, cpu,
                           "hypercall PUTS of unmapped memory: is EBX the address?");
            return IO_STOP;
        }
        h->board->put(h->board->machine, text, n);
        at += n;
        left -= n;
    }
    return IO_DONE;
}

typedef enum io_result call_function(struct hypercall *, struct cpu *, const struct kvm_regs *);
static call_function *const calls[] = {call_exit,   call_putchar, call_getchar,
                                       call_putnum, call_newline, call_puts};

static enum io_result call(struct hypercall *h, struct cpu *cpu, unsigned number) {
    const struct kvm_regs *regs = &cpu_read(cpu, CPU_REGS)->regs;
    char why[80];
    if (number < sizeof calls / sizeof *calls)
        return calls[number](h, cpu, regs);
    snprintf(why, sizeof why, "unknown hypercall %u (AL at port 0x500; 0 to 5 exist)", number);
    h->board->stop(h->board->machine, cpu, why);
    return IO_STOP;
}

static enum io_result access_hypercall(void *device, const struct access *a) {
    struct hypercall *h = device;
    if (a->write)
        return call(h, a->cpu, access_byte(a));
    if (!h->wants_input)
        return access_reply(a, 0xff);
    int byte = input_take(h->board->input);
    if (byte == INPUT_NONE)
        return IO_RETRY;
    h->wants_input = false;
    return access_reply(a, byte == INPUT_END ? 0xff : byte);
}

void hypercall_open(struct hypercall *h, struct bus *bus, const struct board *board) {
    *h = (struct hypercall){.board = board};
    bus_add(bus, "hypercall", PORT, PORT, access_hypercall, h);
}

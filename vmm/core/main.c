/* The core: the smallest hypervisor that is made of minikvm's own files. It runs one guest
 * that begins in real mode, on KVM, to its end: no debugger, no built-in CPU. docs/core.md
 * reads it from here.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm/board/boot/boot_state.h"
#include "vmm/board/boot/elf.h"
#include "vmm/devices/hypercall.h"
#include "vmm/devices/uart.h"
#include "vmm/engines/kvm/vcpu.h"
#include "vmm/memory/memory.h"

enum { RAM = 16 << 20, DIED = 124, OWN_ERROR = 125, USAGE = 2 };

struct core {
    struct memory memory;
    struct cpu cpu;
    struct kvm_vcpu vcpu;
    struct bus bus;
    struct hypercall hypercall;
    struct uart uart;
    bool ended; /* the guest has said its status, or a device the reason to stop */
    int status;
};

static const struct cpu_ops ops = {.fetch = state_fetch, .store = state_store, .run = exits_run};

static void guest_ends(void *core, struct cpu *cpu, int status) {
    (void)cpu;
    ((struct core *)core)->ended = true;
    ((struct core *)core)->status = status;
}

static void guest_stops(void *core, struct cpu *cpu, const char *why) {
    fprintf(stderr, "minikvm-core: %s\n", why);
    guest_ends(core, cpu, DIED);
}

static void print(void *core, const char *text, size_t length) {
    (void)core;
    fwrite(text, 1, length, stdout);
    fflush(stdout);
}

static void irq(void *core, unsigned line, bool level) {
    vcpu_irq_line(&((struct core *)core)->cpu, line, level);
}

/* Bytes that the guest reads are those of stdin; bus.h has what the devices ask. */
static int next_byte = INPUT_NONE;

int input_peek(struct input *in) {
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    uint8_t byte;
    (void)in;
    if (next_byte == INPUT_NONE && poll(&ready, 1, 0) > 0)
        next_byte = read(STDIN_FILENO, &byte, 1) == 1 ? byte : INPUT_END;
    return next_byte;
}

int input_take(struct input *in) {
    int byte = input_peek(in);
    if (byte >= 0)
        next_byte = INPUT_NONE;
    return byte;
}

static enum io_result port(void *core, uint16_t number, bool out, unsigned size, void *data) {
    struct core *c = core;
    struct access a = {.cpu = &c->cpu, .address = number, .write = out, .size = size, .data = data};
    return bus_access(&c->bus, &a);
}

/* The keyboard controller's status port: there is no keyboard, and a command is never busy. */
static enum io_result no_keyboard(void *device, const struct access *a) {
    (void)device;
    return a->write ? IO_DONE : access_reply(a, 0);
}

/* --- the image: an ELF file, or flat from 0x1000 on ------------------------------------- */

enum { FLAT = 0x1000, FIRST_MIB = 1 << 20 };

static size_t read_image(const char *path, void *to, size_t room) {
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(to, 1, room, file) : 0;
    if (file)
        fclose(file);
    return length;
}

/* NULL, or what is wrong with it. */
static const char *load_elf(struct memory *m, struct elf *e, const uint8_t *bytes, size_t length) {
    const char *problem = elf_open(e, bytes, length);
    struct elf_segment s;
    if (problem)
        return problem;
    if (e->entry >= FIRST_MIB)
        return "it does not begin in real mode; use minikvm";
    for (unsigned n = 0; elf_segment(e, n, &s); n++)
        if (s.size && !memory_load(m, s.loaded, bytes + s.offset, s.length, s.size))
            return "too large for 16 MiB of RAM; use minikvm";
    return NULL;
}

/* Loads it, and puts the CPU to its entry. NULL, or what is wrong with it. */
static const char *load_image(struct core *c, const char *path) {
    static uint8_t bytes[RAM];
    size_t length = read_image(path, bytes, sizeof bytes);
    struct elf e = {.entry = FLAT};
    const char *problem = NULL;
    if (!length)
        return "not a file to be read; name an image";
    if (elf_is(bytes, length))
        problem = load_elf(&c->memory, &e, bytes, length);
    else if (!memory_load(&c->memory, FLAT, bytes, length, length))
        problem = "too large for 16 MiB of RAM; use minikvm";
    if (!problem)
        boot_real(&c->memory, &c->cpu, e.entry, e.entry);
    return problem;
}

/* --- the machine ------------------------------------------------------------------------ */

static int refuse_start(const char *what, const char *why) {
    fprintf(stderr, "minikvm-core: %s: %s\n", what, why);
    return OWN_ERROR;
}

static int run_guest(struct core *c) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        struct cpu_exit exit = {0};
        c->cpu.ops->run(&c->cpu, &exit);
        if (c->ended || exit.kind == CPU_EXIT_HALTED)
            return c->status;
        if (exit.kind != CPU_EXIT_WAITING)
            return guest_stops(c, &c->cpu, exit.text), c->status;
        poll(&input, 1, -1);
    }
}

int main(int argc, char **argv) {
    static struct core c;
    bool irqchip = argc > 2 && !strcmp(argv[1], "--irqchip"); /* for a guest that programs them */
    struct board board = {
        .machine = &c, .put = print, .irq = irq, .end = guest_ends, .stop = guest_stops};
    if (argc != 2 + irqchip)
        return fprintf(stderr, "usage: minikvm-core [--irqchip] IMAGE\n"), USAGE;
    c.cpu = (struct cpu){.ops = &ops, .memory = &c.memory, .host = {.context = &c, .io = port}};
    hypercall_open(&c.hypercall, &c.bus, &board);
    uart_open(&c.uart, &c.bus, &board);
    bus_add(&c.bus, "keyboard", 0x60, 0x64, no_keyboard, NULL);
    int device = vcpu_open_device();
    int err = device < 0 ? device : memory_open(&c.memory, RAM);
    err = err ? err : vcpu_open(&c.cpu, &c.vcpu, device, irqchip);
    if (err)
        return refuse_start("KVM cannot make a machine", strerror(-err));
    const char *path = argv[1 + irqchip], *problem = load_image(&c, path);
    return problem ? refuse_start(path, problem) : run_guest(&c);
}

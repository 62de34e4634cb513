/* The core: the smallest hypervisor that is made of minikvm's own files. It runs one guest
 * that begins in real mode, on KVM, to its end: no debugger, no built-in CPU. docs/core.md
 * reads it from here.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/board/boot/image.h"
#include "vmm/devices/hypercall.h"
#include "vmm/devices/uart.h"
#include "vmm/engines/kvm/vcpu.h"

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

static void end(void *core, struct cpu *cpu, int status) {
    (void)cpu;
    ((struct core *)core)->ended = true;
    ((struct core *)core)->status = status;
}

static void stop(void *core, struct cpu *cpu, const char *why) {
    fprintf(stderr, "minikvm-core: %s\n", why);
    end(core, cpu, DIED);
}

static void put(void *core, const char *text, size_t length) {
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

static int open_vcpu(struct core *c, bool irqchip, char *error, size_t size) {
    int device = vcpu_open_device();
    int err = device < 0 ? device : vcpu_open(&c->cpu, &c->vcpu, device, irqchip);
    return err ? image_refuse(error, size, -err, "KVM cannot make a machine: %s", strerror(-err)) : 0;
}

static int load(struct core *c, const char *path, char *error, size_t size) {
    struct image im = {.path = (char *)path, .mode = START_REAL};
    struct image_options options = {0};
    struct stat st;
    int fd = open(path, O_RDONLY), err;
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return image_refuse(error, size, EINVAL, "%s: not a file to be read; name an image", path);
    err = image_read(&im, fd, st.st_size, error, size);
    err = err ? err : image_parse(&im, &options, error, size);
    if (!err && im.entry >= 1 << 20)
        err = image_refuse(error, size, ENOTSUP, "%s: it does not begin in real mode; use minikvm", path);
    err = err ? err : image_put(&im, &c->memory, error, size);
    if (!err)
        image_start_real(&im, &c->memory, &c->cpu);
    free(im.bytes);
    close(fd);
    return err;
}

static int run(struct core *c) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        struct cpu_exit exit = {0};
        c->cpu.ops->run(&c->cpu, &exit);
        if (c->ended || exit.kind == CPU_EXIT_HALTED)
            return c->status;
        if (exit.kind != CPU_EXIT_WAITING)
            return stop(c, &c->cpu, exit.text), c->status;
        poll(&input, 1, -1);
    }
}

int main(int argc, char **argv) {
    static struct core c;
    bool irqchip = argc > 2 && !strcmp(argv[1], "--irqchip"); /* for a guest that programs them */
    struct board board = {.machine = &c, .put = put, .irq = irq, .end = end, .stop = stop};
    char error[512] = "no memory";
    if (argc != 2 + irqchip)
        return fprintf(stderr, "usage: minikvm-core [--irqchip] IMAGE\n"), USAGE;
    c.cpu = (struct cpu){.ops = &ops, .memory = &c.memory, .host = {.context = &c, .io = port}};
    hypercall_open(&c.hypercall, &c.bus, &board);
    uart_open(&c.uart, &c.bus, &board);
    bus_add(&c.bus, "keyboard", 0x60, 0x64, no_keyboard, NULL);
    if (memory_open(&c.memory, RAM) < 0 ||
        open_vcpu(&c, irqchip, error, sizeof error) < 0 ||
        load(&c, argv[1 + irqchip], error, sizeof error) < 0)
        return fprintf(stderr, "minikvm-core: %s\n", error), OWN_ERROR;
    return run(&c);
}

/* The devices of a PC and what lies between them; see board.h. */
#include "vmm/board/board.h"

#include <stdio.h>
#include <string.h>

#include "vmm/base/invariant.h"

#include "vmm/cpu/engine.h"
#include "vmm/cpu/service.h"
#include "vmm/devices/bus_mmio.h"
#include "vmm/devices/pci.h"

/* --- what devices may ask ------------------------------------------------------------- */

static void board_put(void *board, const char *text, size_t length) {
    struct pc_board *b = board;
    b->hooks->put(b->machine, text, length);
}

static void board_end(void *board, struct cpu *cpu, int status) {
    struct pc_board *b = board;
    b->hooks->end(b->machine, cpu, status);
}

static void board_stop(void *board, struct cpu *cpu, const char *why) {
    struct pc_board *b = board;
    b->hooks->stop(b->machine, cpu, why);
}

static enum io_result board_uses_irqchip(void *board) {
    struct pc_board *b = board;
    return b->hooks->uses_irqchip(b->machine);
}

static uint64_t board_now(void *board) {
    struct pc_board *b = board;
    return b->hooks->now(b->machine);
}

static int64_t board_clock(void *board) {
    struct pc_board *b = board;
    return b->hooks->clock(b->machine);
}

static void board_alarm(void *board) {
    struct pc_board *b = board;
    b->hooks->alarm(b->machine);
}

static void board_tell(void *board, const char *text) {
    struct pc_board *b = board;
    if (b->hooks->disk_time(b->machine) != DISK_PAST)
        b->hooks->tell(b->machine, text);
}

/* Memory as a device reaches it; engines that keep code of it are told. */
static void board_dma(void *board, uint64_t phys, void *data, size_t length, bool to_memory) {
    struct pc_board *b = board;
    service_touch(b->cpu, phys, length, to_memory);
    if (!to_memory) {
        memory_read(b->memory, phys, data, length);
        return;
    }
    memory_write(b->memory, phys, data, length);
    if (b->cpu->engine->memory_changed)
        b->cpu->engine->memory_changed(b->cpu, memory_wrap(b->memory, phys), length);
}

static void board_unassigned(void *board, const struct access *a) {
    struct pc_board *b = board;
    b->hooks->unassigned(b->machine, a);
}

/* The chips are the kernel's, if the engine has them there; else our own. Without chips
 * the line leads nowhere. */
static void board_irq(void *board, unsigned irq, bool level) {
    struct pc_board *b = board;
    if (!b->options.irqchip)
        return;
    if (b->hooks->has_kernel_irqchip(b->machine))
        b->cpu->engine->irq_line(b->cpu, irq, level);
    else
        pic_line(&b->devices.pic, irq, level);
}

static void board_intr(void *board, bool level) {
    struct pc_board *b = board;
    b->cpu->intr = level;
}

static void board_moved(void *board) {
    struct pc_board *b = board;
    b->moved = true;
}

static enum io_result board_guest_reset(void *board, struct cpu *cpu, const char *by) {
    struct pc_board *b = board;
    char why[160];
    enum io_result result = b->hooks->restart ? b->hooks->restart(b->machine, by) : IO_NOBODY;
    if (result != IO_NOBODY)
        return result;
    snprintf(why, sizeof why,
             "the guest resets its machine by %s; minikvm does not start it anew by itself", by);
    board_stop(board, cpu, why);
    return IO_STOP;
}

/* Where memory is. 0 or -errno. */
static int tell_engine(struct pc_board *b) {
    const struct engine *engine = b->cpu->engine;
    if (engine->remap)
        return engine->remap(b->cpu);
    engine->flush(b->cpu);
    return 0;
}

static void shadow_as_devices(struct pc_board *b) {
    const struct engine *engine = b->cpu->engine;
    uint32_t shadow = pci_shadow(b->devices.pci);
    if (shadow == b->memory->shadow)
        return;
    memory_set_shadow(b->memory, shadow);
    if (engine && engine->memory_changed)
        engine->memory_changed(b->cpu, MEMORY_SHADOW, SHADOW_PAGES * SHADOW_SIZE);
}

void board_memory_as_devices(struct pc_board *b) {
    b->memory->a20_off = b->devices.ports.port92 & PORTS_A20 ? 0 : MEMORY_A20;
    shadow_as_devices(b);
}

static enum io_result board_remap(void *board, struct cpu *cpu) {
    struct pc_board *b = board;
    char why[160];
    board_memory_as_devices(b);
    int err = tell_engine(b);
    if (!err)
        return IO_DONE;
    snprintf(why, sizeof why, "KVM cannot change what memory is where: %s; use --cpu=soft, or less --mem",
             strerror(-err));
    board_stop(b, cpu, why);
    return IO_STOP;
}

/* Either gate opens and closes it; each shows what the other did. */
static enum io_result board_a20(void *board, struct cpu *cpu, bool open) {
    struct pc_board *b = board;
    uint8_t *gate[] = {&b->devices.ports.port92, &b->devices.keyboard.output_port};
    for (unsigned i = 0; i < 2; i++)
        *gate[i] = (*gate[i] & ~PORTS_A20) | (open ? PORTS_A20 : 0);
    if (open == !b->memory->a20_off)
        return IO_DONE;
    return board_remap(b, cpu);
}

/* Display memory has other bytes, too. */
enum io_result board_settle(struct pc_board *b) {
    enum { DISPLAY = MEMORY_SHADOW - MEMORY_VIDEO };
    const struct engine *engine = b->cpu->engine;
    if (!b->moved)
        return IO_DONE;
    b->moved = false;
    if (engine->memory_changed)
        engine->memory_changed(b->cpu, MEMORY_VIDEO, DISPLAY);
    return board_remap(b, b->cpu);
}

/* --- what CPUs access -------------------------------------------------------------------- */

enum io_result board_io(struct pc_board *b, const struct access *a) {
    lock_take(&b->lock);
    b->cpu->touched.any = false;
    enum io_result result = bus_access(&b->bus, a);
    if (result == IO_DONE && a->write && b->cpu->touched.any)
        result = IO_SERVICE; /* DMA has come to a watchpoint: service.h */
    uart_notice(&b->devices.uart); /* the keyboard may have taken what it would raise its line for */
    if (b->moved && board_settle(b) == IO_STOP)
        result = IO_STOP;
    lock_release(&b->lock);
    return result;
}

enum io_result board_mmio(struct pc_board *b, const struct access *a) {
    struct access wrapped = *a;
    wrapped.address = memory_wrap(b->memory, a->address);
    if (a->write && memory_write_shadow(b->memory, wrapped.address, a->data, a->size))
        return IO_DONE;
    lock_take(&b->lock);
    enum io_result result = bus_mmio(&b->bus, &wrapped);
    if (b->moved && board_settle(b) == IO_STOP)
        result = IO_STOP;
    lock_release(&b->lock);
    return result;
}

const char *board_mmio_name(const struct pc_board *b, uint64_t phys, unsigned size) {
    return bus_mmio_name(&b->bus, memory_wrap(b->memory, phys), size);
}

/* --- life ---------------------------------------------------------------------------------- */

void board_init(struct pc_board *b) {
    *b = (struct pc_board){0};
    lock_init(&b->lock, LOCK_BOARD);
    input_open(&b->input);
}

static const struct board services = {
    .put = board_put, .irq = board_irq, .end = board_end, .stop = board_stop,
    .reset = board_guest_reset, .a20 = board_a20, .remap = board_remap, .moved = board_moved, .intr = board_intr,
    .uses_irqchip = board_uses_irqchip, .now = board_now, .dma = board_dma, .clock = board_clock, .alarm = board_alarm, .tell = board_tell,
};

void board_connect_drives(struct pc_board *b) {
    drives_connect(&b->drives, &(struct disk_host){b->machine, b->hooks->tell, b->hooks->disk_time});
}

int board_open(struct pc_board *b, char *error, size_t size) {
    b->services = services;
    b->services.machine = b;
    b->services.input = &b->input;
    b->bus = (struct bus){.unassigned = board_unassigned, .machine = b};
    board_connect_drives(b);
    struct device_site site = {.devices = &b->devices, .bus = &b->bus, .board = &b->services,
                               .memory = b->memory, .drives = &b->drives,
                               .irqchip = b->options.irqchip, .firmware = b->options.firmware,
                               .verbose = b->options.verbose, .extra = b->options.devices};
    return devices_open(&b->devices, &site, error, size);
}

void board_close(struct pc_board *b) {
    devices_close(&b->devices);
    drives_close(&b->drives);
}

void board_reset_by_guest(struct pc_board *b) {
    struct cmos before = b->devices.cmos;
    board_reset(b);
    cmos_keep(&b->devices.cmos, &before);
}

void board_reset(struct pc_board *b) {
    INVARIANT(!*b->bus.error); /* with one it does not start */
    devices_reset(&b->devices);
    if (b->memory->a20_off || b->memory->shadow != b->memory->shadow_at_reset)
        board_remap(b, b->cpu);
}

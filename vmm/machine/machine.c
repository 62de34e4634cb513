/* A guest machine as its owner has it; see machine.h. */
#include "vmm/machine/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/invariant.h"
#include "vmm/board/boot/rom.h"
#include "vmm/cpu/engine.h"
#include "vmm/devices/display/dispi.h"
#include "vmm/machine/callbacks.h"
#include "vmm/machine/emulate_step.h"
#include "vmm/machine/engines.h"
#include "vmm/machine/firmware.h"
#include "vmm/machine/host_timer.h"
#include "vmm/machine/recorder.h"
#include "vmm/machine/vcpu_thread.h"
#include "vmm/memory/layout.h"

/* --- commands ------------------------------------------------------------------------------ */

static void give_command(struct machine *m, enum machine_command command) {
    lock_take(&m->run.lock);
    INVARIANT(!m->run.busy && m->run.command == COMMAND_NONE);
    m->run.command = command;
    m->run.busy = command != COMMAND_QUIT;
    m->run.in_past = command == COMMAND_BACK_STEP || command == COMMAND_BACK_RUN ||
                     command == COMMAND_DO;
    m->run.has_stop = false;
    pthread_cond_broadcast(&m->run.wake);
    lock_release(&m->run.lock);
}

void machine_do(struct machine *m, void (*task)(struct machine *, void *), void *context) {
    m->run.task = task;
    m->run.task_context = context;
    give_command(m, COMMAND_DO);
}

bool machine_take_done(struct machine *m) {
    lock_take(&m->run.lock);
    bool done = m->run.task_done;
    m->run.task_done = false;
    lock_release(&m->run.lock);
    return done;
}

void machine_resume(struct machine *m, enum machine_command command) { give_command(m, command); }

void machine_interrupt(struct machine *m) {
    struct cpu *cpu = &boot_vcpu(m)->cpu;
    lock_take(&m->run.lock);
    if (m->run.busy) {
        m->run.interrupt = true;
        input_hurry(&m->board.input, true);
        cpu->engine->kick(cpu);
        pthread_cond_broadcast(&m->run.wake);
    }
    lock_release(&m->run.lock);
}

bool machine_take_stop(struct machine *m, struct machine_stop *stop) {
    lock_take(&m->run.lock);
    bool has = m->run.has_stop;
    if (has)
        *stop = boot_vcpu(m)->stop;
    m->run.has_stop = false;
    lock_release(&m->run.lock);
    return has;
}

bool machine_busy(struct machine *m) {
    lock_take(&m->run.lock);
    bool busy = m->run.busy;
    lock_release(&m->run.lock);
    return busy;
}

bool machine_has_stop(struct machine *m) {
    lock_take(&m->run.lock);
    bool has = m->run.has_stop;
    lock_release(&m->run.lock);
    return has;
}

bool machine_interrupted(struct machine *m) {
    lock_take(&m->run.lock);
    bool is = m->run.interrupt;
    lock_release(&m->run.lock);
    return is;
}

void machine_wait(struct machine *m) {
    lock_take(&m->run.lock);
    while (m->run.busy)
        lock_wait(&m->run.lock, &m->run.wake);
    lock_release(&m->run.lock);
}

void machine_halt(struct machine *m) {
    struct machine_stop dropped;
    machine_interrupt(m);
    machine_wait(m);
    machine_take_stop(m, &dropped);
}

/* --- making one ---------------------------------------------------------------------------- */

/* A PC has its first MiB: with less conventional memory there is a hole below A0000. */
enum { PC_MEMORY = 1 << 20 };

/* By the user or by the image. */
static uint64_t memory_wanted(const struct machine *m, const struct image *im) {
    return m->options->memory ? m->options->memory : image_memory(im);
}

/* An image that lies where the BIOS has something brings its own. */
static bool has_bios(const struct machine *m, const struct image *im) {
    struct image_segment s;
    bool has = !m->options->no_bios && !m->options->rom;
    for (unsigned n = 0; has && !im->is_disk && image_extent(im, n, &s); n++)
        has = !bios_uses(memory_wanted(m, im), s.loaded, s.size);
    return has;
}

/* As much as the user or the image wants, with the image and the ROM in it. */
static int fill_memory(struct machine *m, struct image *im, struct memory *memory, char *error,
                       size_t size) {
    uint64_t bytes = memory_wanted(m, im);
    int err = memory_open(memory, bytes < PC_MEMORY ? PC_MEMORY : bytes);
    if (!err && bytes < MEMORY_VIDEO)
        memory_cut_low(memory, bytes);
    if (err)
        snprintf(error, size, "no memory for the guest (%llu MiB): %s; use less --mem",
                 (unsigned long long)(bytes >> 20), strerror(-err));
    if (!err && m->options->rom)
        err = rom_load(memory, m->options->rom, error, size);
    else if (!err && has_bios(m, im))
        err = memory_add_rom(memory, bios_rom, BIOS_ROM_SIZE);
    if (!err && m->vga_rom)
        err = memory_add_option_rom(memory, m->vga_rom, m->firmware.vga_rom_size);
    if (!err && im->bytes && !(m->options->rom && im->is_disk)) /* which firmware does itself */
        err = image_load(im, memory, error, size);
    if (err)
        memory_close(memory);
    return err;
}

/* Is it what the command line has as a drive, so that its file is open? */
static bool is_boot_drive(const struct machine *m, const struct image *im) {
    return m->options->boot_drive.path && m->initial_path && !strcmp(im->path, m->initial_path);
}

/* What the drive of a disk image is: enum disk_flags. */
static unsigned boot_disk_flags(const struct image *im) {
    static const unsigned flags[] = {[DRIVE_FLOPPY] = DISK_FLOPPY, [DRIVE_HARD] = 0, [DRIVE_CD] = DISK_CD};
    return im->is_either ? DISK_EITHER : flags[drives_kind_of_number(im->drive)];
}

/* The drive that a disk image is booted from; NULL for other images. It is the first of its kind. */
static int open_boot_disk(struct machine *m, const struct image *im, const struct image *instead,
                          struct disk **disk, char *error, size_t size) {
    enum drive_kind kind = drives_kind_of_number(im->drive);
    const struct disk *less = instead && instead->is_disk ? drives_bios(&m->board.drives, instead->drive) : NULL;
    *disk = NULL;
    if (!im->is_disk)
        return 0;
    if (!drives_have_room(&m->board.drives, kind, less)) {
        snprintf(error, size, "%s: there is no place for its drive: a PC has %d floppy drives, and %d places on IDE, at "
                 "most %d of them for CDs; leave out a %s", im->path, DRIVES_FLOPPY, DRIVES_IDE, DRIVES_CD,
                 kind == DRIVE_FLOPPY ? "--floppy" : "--disk or --cdrom");
        return -ENOSPC;
    }
    const struct drive_file *f = &m->options->boot_drive;
    if (is_boot_drive(m, im))
        return disk_open_fd(disk, f->fd, f->path, f->flags, error, size);
    return disk_open(disk, im->path, boot_disk_flags(im), error, size);
}

/* In the place of another image's, while the machine stands. */
static void change_boot_disk(struct machine *m, const struct image *instead, struct disk *disk) {
    if (instead->is_disk)
        disk_close(drives_take_first(&m->board.drives, drives_kind_of_number(instead->drive)));
    if (disk)
        drives_add_first(&m->board.drives, disk);
    board_connect_drives(&m->board);
    firmware_boot_from(m);
}

static int open_drives(struct machine *m, char *error, size_t size) {
    const struct machine_options *o = m->options;
    struct disk *disk;
    int err = drives_open(&m->board.drives, o->drives, o->drive_count, error, size);
    err = err ? err : open_boot_disk(m, &m->image, NULL, &disk, error, size);
    if (!err && disk)
        drives_add_first(&m->board.drives, disk);
    firmware_boot_from(m);
    return err;
}

/* A CPU before its first instruction, for the memory and the image that are there. */
static int make_cpu(struct machine *m, char *error, size_t size) {
    struct cpu *cpu = &boot_vcpu(m)->cpu;
    boot_vcpu(m)->dead = m->wants_irqchip = boot_vcpu(m)->touched = boot_vcpu(m)->ended = false;
    m->unassigned = (struct unassigned){0};
    m->runaways = (struct runaways){0};
    m->bios.on = has_bios(m, &m->image);
    m->bios.real = m->image.mode == START_REAL;
    m->bios.boots = m->bios.on && m->image.is_disk;
    m->moved_for_speed = false;
    m->irqchip = m->options->irqchip == IRQCHIP_ON ||
                 (m->options->irqchip == IRQCHIP_AUTO && m->bios.boots);
    cpu_set_engine(cpu, NULL);
    cpu->valid = cpu->dirty = cpu->missing = 0;
    cpu->ticks = cpu->slept = cpu->limit = 0;
    cpu->mid_rep = cpu->intr = cpu->host_features = false;
    cpu_arrives(cpu);
    int err = engines_open(m, m->options->engine, error, size);
    if (err)
        return err;
    image_start(&m->image, &m->memory, cpu);
    if (m->bios.boots)
        bios_boot_state(cpu_write(cpu, CPU_REGS | CPU_SREGS), m->image.entry, m->image.told_drive);
    if (cpu->missing) {
        snprintf(error, size, "KVM does not give the CPU's state; use --cpu=soft");
        err = -EIO;
    } else {
        err = recorder_offered(m)->check(m, error, size);
    }
    if (err)
        cpu->engine->close(cpu);
    return err;
}

/* As its loader would have set it. */
static void set_loaded_screen(struct machine *m) {
    const struct image_screen *s = &m->image.multiboot.screen;
    if (s->width)
        dispi_set_mode(m->board.devices.vga, s->width, s->height, s->bits);
    board_settle(&m->board);
}

static void power_on_devices(struct machine *m) {
    board_reset(&m->board);
    bios_load_font(&m->bios);
    bios_post(&m->bios, m->irqchip, m->image.drive);
    if (engines_has_irqchip(m))
        engines_give_chips(m);
    set_loaded_screen(m);
}

static int open_image(struct machine *m, const char *path, struct image *im, char *error, size_t size) {
    *im = (struct image){.mode = START_RESET, .entry = 0xfffffff0};
    int err = path ? image_open(im, path, &m->options->image, error, size) : 0;
    if (m->options->rom)
        im->mode = START_RESET;
    return err;
}

static void report_engine(struct machine *m) {
    char text[320];
    engines_print(m, text, sizeof text);
    if (m->options->verbose)
        m->owner.message(m->owner.context, m->number, text);
}

/* Without a BIOS the guest would silently jump to 0000:0000. */
static void warn_of_bios(struct machine *m) {
    char text[400];
    unsigned vector = m->options->rom || m->bios.on ? 0 : image_bios_call(&m->image);
    if (!vector)
        return;
    snprintf(text, sizeof text, "%.200s is a boot sector that calls the BIOS (int 0x%02x), and there "
             "is none: that leads to 0000:0000 until the guest sets the vector", m->image.path, vector);
    m->owner.message(m->owner.context, m->number, text);
}

/* Locks, queues and names: what cannot fail. */
static void begin_machine(struct machine *m, const struct machine_owner *owner) {
    pthread_condattr_t monotonic; /* virtual_clock.c waits until a point in time */
    lock_init(&m->run.lock, LOCK_RUN);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&m->run.wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    board_init(&m->board);
    m->board.input.drained = owner->notify;
    m->board.input.context = owner->context;
}

/* Image, memory and drives, from files. */
static int read_files(struct machine *m, const char *path, char *error, size_t size) {
    int err = open_image(m, path, &m->image, error, size);
    m->initial_path = m->image.path ? strdup(m->image.path) : NULL;
    m->spelled = m->initial_path;
    err = err ? err : firmware_open(m, error, size);
    if (!err)
        err = fill_memory(m, &m->image, &m->memory, error, size);
    return err ? err : open_drives(m, error, size);
}

/* Board, CPU and recorder, as at power-on. */
static int build_machine(struct machine *m, char *error, size_t size) {
    int err = machine_connect(m, error, size);
    if (!err)
        err = make_cpu(m, error, size);
    if (!err)
        power_on_devices(m);
    return err ? err : recorder_offered(m)->open(m, error, size);
}

static int start_thread(struct machine *m, char *error, size_t size) {
    int err = -pthread_create(&m->run.thread, NULL, vcpu_thread, boot_vcpu(m));
    if (err)
        snprintf(error, size, "cannot start a thread: %s", strerror(-err));
    m->run.has_thread = !err;
    return err;
}

int machine_open(struct machine *m, unsigned number, const char *path,
                 const struct machine_options *options, const struct machine_owner *owner,
                 char *error, size_t size) {
    INVARIANT(!options->replay || options->recorder);
    *m = (struct machine){.number = number, .options = options, .owner = *owner,
                          .recorder = &recorder_none, .timer_fd = -1};
    begin_machine(m, owner);
    int err = host_timer_open(m, error, size);
    if (!err)
        err = read_files(m, path, error, size);
    if (!err)
        err = build_machine(m, error, size);
    if (!err)
        err = start_thread(m, error, size);
    if (err)
        return err;
    warn_of_bios(m);
    firmware_warn(m);
    report_engine(m);
    return 0;
}

/* What a reset replaces. */
struct parts {
    struct image image;
    struct memory memory;
    struct vcpu vcpu[VCPUS_MAX];
    bool irqchip, wants_irqchip, steady;
};

static void keep_parts(const struct machine *m, struct parts *p) {
    *p = (struct parts){.image = m->image, .memory = m->memory, .irqchip = m->irqchip,
                        .wants_irqchip = m->wants_irqchip, .steady = m->board.input.steady};
    memcpy(p->vcpu, m->vcpu, sizeof p->vcpu);
}

static void put_back(struct machine *m, const struct parts *p) {
    m->image = p->image;
    m->memory = p->memory;
    memcpy(m->vcpu, p->vcpu, sizeof m->vcpu);
    m->irqchip = p->irqchip;
    m->wants_irqchip = p->wants_irqchip;
    m->board.input.steady = p->steady;
}

/* The machine is halted only here, where nothing but the engine can fail any more. */
static int replace(struct machine *m, const struct image *im, struct memory *memory, struct disk *disk,
                   char *error, size_t size) {
    bool ran = machine_busy(m);
    machine_halt(m);
    struct parts old;
    keep_parts(m, &old);
    m->image = *im;
    m->memory = *memory;
    int err = make_cpu(m, error, size);
    if (err) {
        put_back(m, &old);
        if (ran)
            machine_resume(m, COMMAND_RUN);
        return err;
    }
    emulator_close(boot_vcpu(m));
    m->recorder->forget(m);
    old.vcpu[0].cpu.engine->close(&old.vcpu[0].cpu);
    memory_close(&old.memory);
    if (old.image.bytes != im->bytes) {
        change_boot_disk(m, &old.image, disk);
        image_close(&old.image);
    }
    drives_reset(&m->board.drives);
    power_on_devices(m);
    return 0;
}

int machine_reset(struct machine *m, const char *path, char *error, size_t size) {
    struct image im = m->image;
    struct memory memory;
    struct disk *disk = NULL;
    int err = path ? open_image(m, path, &im, error, size) : 0;
    if (err)
        return err;
    err = path ? open_boot_disk(m, &im, &m->image, &disk, error, size) : 0;
    err = err ? err : fill_memory(m, &im, &memory, error, size);
    if (!err && (err = replace(m, &im, &memory, disk, error, size)))
        memory_close(&memory);
    if (err)
        disk_close(disk);
    if (err && path)
        image_close(&im);
    return err;
}

void machine_close(struct machine *m) {
    struct cpu *cpu = &boot_vcpu(m)->cpu;
    struct machine_stop stop;
    machine_interrupt(m);
    if (m->run.has_thread) {
        machine_wait(m);
        give_command(m, COMMAND_QUIT);
        pthread_join(m->run.thread, NULL);
    }
    machine_take_stop(m, &stop);
    emulator_close(boot_vcpu(m));
    m->recorder->forget(m);
    recorder_offered(m)->close(m);
    if (cpu->engine)
        cpu->engine->close(cpu);
    host_timer_close(m);
    board_close(&m->board);
    breakpoints_clear(&m->breakpoints);
    breakpoints_clear(&m->last_breakpoints);
    memory_close(&m->memory);
    image_close(&m->image);
    firmware_close(m);
    free(m->initial_path);
}

/* One guest machine: memory, CPUs, a board with devices, and the thread that runs it.
 *
 * The owner (main thread) gives commands: resume, interrupt, reset; the
 * machine's thread carries them out and leaves a stop to be taken, telling so
 * through `notify`. Between a stop and the next resume the owner may touch
 * everything; while the machine runs, only what is marked "any time".
 *
 * Rule: a machine is a value. It knows nothing of terminals, debuggers or other
 * machines, and can be made as often as one likes.
 */
#ifndef MINIKVM_MACHINE_H
#define MINIKVM_MACHINE_H

#include <pthread.h>

#include "vmm/base/lock.h"
#include "vmm/machine/addresses.h"
#include "vmm/cpu/engine.h"
#include "vmm/board/board.h"
#include "vmm/board/bios/bios.h"
#include "vmm/board/boot/image.h"
#include "vmm/board/boot/symbol_file.h"
#include "vmm/devices/fw_cfg.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/cpuid.h"
#include "vmm/cpu/breakpoints.h"
#include "vmm/machine/unassigned.h"
#include "vmm/machine/vcpu.h"

enum { MACHINES_MAX = 16 }; /* in one process */
enum { SYMBOL_FILES = 16 }; /* at most */

enum engine_choice { ENGINE_AUTO, ENGINE_KVM, ENGINE_SOFT };
enum irqchip_choice { IRQCHIP_AUTO, IRQCHIP_NONE, IRQCHIP_ON };

struct machine_options {
    struct image_options image;
    uint64_t memory; /* bytes; 0: what the image wants */
    const char *rom; /* path of firmware that the user brings (firmware.h), or NULL */
    const char *vga_rom; /* path of its VGA's ROM; NULL: what is beside it; empty: none */
    bool no_bios;    /* --bios=none */
    bool bios_text;  /* what a program prints by the BIOS is output of the machine */
    bool log_bios;   /* a line for each call of the BIOS, or for each that firmware writes */
    struct drive_file drives[DRIVES_MAX]; /* beside the image, if that is a disk */
    struct drive_file boot_drive; /* the image is this; its path is NULL for other images */
    unsigned drive_count;
    enum engine_choice engine;
    struct cpuid_choice cpuid;
    enum irqchip_choice irqchip;
    bool debugged; /* a debugger may attach */
    bool input_is_file; /* stdin is a file: a device that looks for input waits for it */
    uint64_t history;   /* bytes for the past of a machine on the built-in CPU; 0: none */
    bool records;       /* keep that past without a debugger, too */
    const char *replay; /* path of a recording to replay, or NULL */
    const struct symbol_file *symbols; /* for a debugger, beside the image's own */
    unsigned symbol_count;
    const struct symbol_file *bios_symbols; /* of the BIOS's ROM, or NULL */
    const struct recorder *recorder; /* what could record its past; NULL: nothing */
    bool unconfined;    /* --sandbox=off: a client may name any file */
    bool verbose;
    const char *log_input; /* where input comes from: it is logged (input_log.h); NULL: it is not */
    const struct device_class *const *devices; /* more than a PC's; ends with NULL, may be NULL */
};

/* What the machine asks of whoever owns it; called on the machine's thread. */
struct machine_owner {
    void *context;
    void (*output)(void *context, unsigned number, const char *text, size_t length);
    void (*notify)(void *context); /* some machine has a stop to take */
    void (*message)(void *context, unsigned number, const char *text);
};

enum machine_command {
    COMMAND_NONE, COMMAND_RUN, COMMAND_STEP, COMMAND_RANGE,
    COMMAND_BACK_STEP, COMMAND_BACK_RUN, /* through the machine's history */
    COMMAND_DO, /* machine_do() */
    COMMAND_QUIT
};

/* Commands of the owner on their way to the machine's thread, and back. */
struct run_control {
    pthread_t thread;
    bool has_thread;
    struct lock lock; /* all below; and which engine there is */
    pthread_cond_t wake;
    enum machine_command command;
    bool busy, interrupt, has_stop;
    void (*task)(struct machine *, void *context); /* COMMAND_DO */
    void *task_context;
    bool task_done;
    bool on_owner; /* it is done on the owner's thread, which brings the input: wait for none */
    bool noticed; /* input has come, for a CPU that sleeps */
    bool in_past; /* it goes through its history: what it shows is not the present */
};

/* Set by whoever puts things on breakpoints, before the machine runs; each may be NULL. */
struct debugger_hooks {
    /* Does this breakpoint stop? On the machine's thread. NULL: they all do. */
    bool (*stops_at)(struct vcpu *, const struct breakpoint *);
    /* While vcpu->follows is set: called after every instruction, for each tracepoint. */
    void (*stepped)(struct vcpu *, const struct breakpoint *);
    void *context;
};

/* What a machine's bus is to stop after (`monitor catch`). What a CPU sees is in cpu->catch. */
struct bus_catch {
    uint64_t ports[65536 / 64]; /* a bit for each */
    bool hypercall;
};

/* Where execution had lost its way. */
struct runaways {
    uint64_t told[16]; /* pages */
    unsigned count;
    uint64_t stopped; /* the page of the last stop + 1: a person who goes on from there may */
};

struct recorder;
struct history;
struct recording;

struct machine {
    unsigned number; /* from 1 */
    const struct machine_options *options;
    struct machine_owner owner;
    char *initial_path;  /* that it was made with, absolute, or NULL; owned */
    const char *spelled; /* what the user typed for that */

    struct image image;
    struct addresses addresses; /* what a debugger's addresses are */
    struct memory memory;
    struct breakpoints breakpoints;
    struct breakpoints last_breakpoints; /* as they were held when it ran last: gdb takes its
                                  points out at each stop */
    struct vcpu vcpu[VCPUS_MAX];
    unsigned shown; /* which of them a debugger has selected */
    struct pc_board board;
    struct bios bios;
    struct firmware firmware; /* with options->rom */
    uint8_t *vga_rom;         /* its bytes; owned */
    const char *reset_by;     /* the CPU's instruction has reset the machine, which has firmware */
    unsigned restarts;        /* so many were told */
    bool rom_is_stepped;  /* monitor step bios on: its ROM is stepped like other code */
    bool irqchip;         /* the guest uses the PIC and the PIT (or --irqchip=on) */
    bool wants_irqchip;   /* it has just begun to, on a KVM without them in the kernel */
    char engine_why[256]; /* why it is this engine that runs the guest */
    bool moved_for_speed; /* to the built-in CPU, which may lack what KVM has */

    struct run_control run;
    struct debugger_hooks hooks;
    struct bus_catch catch;
    const struct recorder *recorder; /* recorder.h: what records this machine now */
    struct history *history;         /* its own: the past, NULL when none is kept … */
    struct recording *recording;     /* … and options->replay as it was read */

    struct unassigned unassigned; /* what was told of accesses to where nothing is */
    struct runaways runaways;     /* runaway.h */
    struct input_log {
        uint64_t begun;     /* monotonic_ns() */
        const char *device; /* that a CPU accesses now, or accessed last */
    } input_log;
    int timer_fd;            /* host_timer.h; -1: none */
    uint64_t first_entry_ns; /* CLOCK_MONOTONIC at the first resume */
};

/* Which CPU is meant, where the caller has none at hand.
 *   boot_vcpu    that a reset starts; engine, board and clock are alike for all
 *   shown_vcpu   that a person looks at: a debugger has selected it */
static inline struct vcpu *boot_vcpu(const struct machine *m) { return (struct vcpu *)&m->vcpu[0]; }
static inline struct vcpu *shown_vcpu(const struct machine *m) {
    return (struct vcpu *)&m->vcpu[m->shown];
}

/* path: of the image, or NULL with a ROM. 0, or -errno with a sentence. */
int machine_open(struct machine *, unsigned number, const char *path,
                 const struct machine_options *, const struct machine_owner *, char *error,
                 size_t size);
void machine_close(struct machine *); /* stops it first */

/* Let the machine run. It must be stopped. */
void machine_resume(struct machine *, enum machine_command);
/* One step (COMMAND_STEP) on the caller's thread, if that is quicker than handing it over: the
 * engine allows it, and the instruction waits for nothing. true: the stop is there to be
 * taken, without notify(). false: nothing was done; use machine_resume(). */
bool machine_step_here(struct machine *);
/* Runs a task that may take long on the machine's thread. The task must end soon after
 * machine_interrupted() is true; it leaves no stop. The machine must be stopped. */
void machine_do(struct machine *, void (*task)(struct machine *, void *context), void *context);
bool machine_take_done(struct machine *); /* any time: true once, when that is done */
/* Any time: stop soon; the stop's kind is CPU_EXIT_KICKED unless something else
 * comes first. No effect on a machine that is stopped. */
void machine_interrupt(struct machine *);
/* Any time: true, and *stop, if it has stopped since the last resume. */
bool machine_take_stop(struct machine *, struct machine_stop *);
bool machine_has_stop(struct machine *); /* any time: is there one to take? */
bool machine_busy(struct machine *); /* any time */
bool machine_interrupted(struct machine *); /* any time: since it was resumed */
void machine_wait(struct machine *); /* until it is not busy; any time */
void machine_halt(struct machine *); /* stopped, and its stop taken and dropped; any time */
/* Back to before the first instruction; breakpoints are kept. A path other than NULL names the
 * image from now on, which is read anew, with as much RAM as it wants. 0, or -errno with a
 * sentence: then the machine is what it was, and runs if it ran. */
int machine_reset(struct machine *, const char *path, char *error, size_t size);

/* Any time: input for the keyboard and serial line. Returns how much was taken. */
size_t machine_input(struct machine *, const uint8_t *bytes, size_t length);
void machine_end_input(struct machine *);
/* Any time: might the keyboard hold back what was typed (keyboard.c)? Then it has looked whether it
 * still must, and wants to be asked again soon. */
bool machine_holds_keys(struct machine *);

#endif

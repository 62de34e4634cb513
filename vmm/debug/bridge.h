/* What the files of the bridge share: debug.c (running), bridge_registers.c
 * (descriptions and registers), bridge_monitor.c (monitor commands). */
#ifndef MINIKVM_BRIDGE_H
#define MINIKVM_BRIDGE_H

#include <limits.h>
#include <stdatomic.h>

#include "gdbstub/gdbstub.h"
#include "vmm/debug/debug.h"
#include "vmm/inspect/inspect.h"

enum { DESCRIPTION_16, DESCRIPTION_32, DESCRIPTION_64, DESCRIPTIONS };

struct debug {
    struct machine *machines;
    unsigned count;
    struct gdb_target target;
    struct gdb_server *server;
    struct gdb_description description[DESCRIPTIONS];
    bool over[MACHINES_MAX]; /* ended or killed */
    int status[MACHINES_MAX];
    bool physical; /* `monitor phys on` */
    bool quit;
    bool stepped_here; /* machine_step_here() has left a stop to report */
    struct told_addresses {
        unsigned kind, kinds; /* the latest, and a bit for each that was told */
        uint64_t base;
    } told_addresses[MACHINES_MAX];
    bool detached[MACHINES_MAX]; /* runs on its own; set while it stands still */
    struct lock text_lock;
    pthread_cond_t text_taken;
    char text[16384]; /* of commands of breakpoints, not yet with the client */
    size_t text_length;
    bool text_dropped;       /* nobody will take it: a machine is waited for */
    _Atomic unsigned client; /* how many have come and gone */
    unsigned commands;       /* monitor commands that go on on the thread of a machine */
    pthread_t main_thread;
    char error[512]; /* the last sentence given to the stub */
    char symbols[PATH_MAX];
};

struct machine *bridge_machine(struct debug *, int pid);
/* Machines are a client's processes, their CPUs the threads of those; NULL: there is none. */
struct vcpu *bridge_vcpu(struct debug *, struct gdb_thread);
struct gdb_thread bridge_thread(const struct vcpu *);
/* Commands and tables are about this CPU now. */
void bridge_show(struct debug *, struct gdb_thread);
/* What is to be added to a client's address to have a linear one, now. */
uint64_t bridge_shift(struct vcpu *);
size_t bridge_read_memory(void *target, struct gdb_thread, uint64_t address, void *to,
                          size_t length);
size_t bridge_write_memory(void *target, struct gdb_thread, uint64_t address, const void *from,
                           size_t length);
/* Are a client's addresses physical ones? `set`: from now on; < 0: as before. */
int bridge_physical_memory(void *target, int set);
/* 0 or -errno. */
int bridge_add_point(struct machine *, enum bp_kind, uint64_t address, uint64_t length);
/* Of a watchpoint that was hit at a linear address. */
uint64_t bridge_clients_address(struct machine *, uint64_t linear);
bool bridge_is_label(void *target, int pid, uint64_t address);
/* "linear" or "offsets in CS, whose base is 0x…", and what that means for a person. */
void bridge_say_addresses(struct machine *, char *out, size_t size);
/* The client has been told of it; true: it was news. */
bool bridge_note_addresses(struct debug *, struct machine *);
/* If it is news. */
void bridge_tell_addresses(struct debug *, unsigned pid);
/* The client has changed the ROM, which no snapshot holds: to be called after. */
void bridge_rom_changed(struct debug *, struct machine *);
/* The client changes a machine: to be called before. */
void bridge_change(struct debug *, struct machine *);

void bridge_make_descriptions(struct debug *);
void bridge_free_descriptions(struct debug *);
const struct gdb_description *bridge_describe(void *target, struct gdb_thread);
const struct gdb_description *bridge_description_of(void *target, const char *architecture);
const char *bridge_mode_name(void *target, struct gdb_thread);
const struct reg *bridge_row(struct debug *, const struct gdb_description *, unsigned number);
bool bridge_read_register(void *target, struct gdb_thread, const struct gdb_description *,
                          unsigned number, uint8_t *value);
const char *bridge_read_only(void *target, const struct gdb_description *, unsigned number);
bool bridge_write_register(void *target, struct gdb_thread, const struct gdb_description *,
                           unsigned number, const uint8_t *value);
bool bridge_table_type(void *target, unsigned number, const char **name, const char **description);
bool bridge_table(void *target, struct gdb_thread, const char *name, struct gdb_table *);
/* The program of a machine, for the client; which files it may read; further ones with symbols. */
const char *bridge_exec_file(void *target, int pid);
bool bridge_may_read(void *target, const char *path);
size_t bridge_libraries(void *target, int pid, struct gdb_library *list, size_t max);
void bridge_open_points(struct debug *);
void bridge_open_text(struct debug *);
void bridge_clear_points(struct machine *);
/* To gdb's console, in order; all of it, or as much as the client reads now. */
void bridge_take_text(struct debug *, bool all);
/* Text for gdb's console, from any thread. */
void bridge_put_text(void *debug, const char *text, size_t length);
/* The client has gone, and with it whoever wanted to read what a command of its own still prints. */
void bridge_forget_text(struct debug *);
/* No text is waited for while this is set. */
void bridge_drop_text(struct debug *, bool);
/* The monitor commands about time; `rest` is what follows the name. */
typedef void bridge_time_function(struct machine *, const char *rest, const struct text *);
/* The name as a new file will be called that a client wants, with the suffix. false: it may not
 * be called so, and BRIDGE_NEW_FILE (which takes the suffix) says how. */
bool bridge_file_name(const struct machine *, const char *wanted, const char *suffix, char *name,
                      size_t size);
#define BRIDGE_NEW_FILE                                                                            \
    " makes a new file NAME%s in the folder that minikvm was started in: give a name of letters "  \
    "and digits, without /, or start it with --sandbox=off"
/* Makes a picture of the screen. */
void bridge_screenshot(struct machine *, const char *name, const struct text *);

bridge_time_function bridge_icount, bridge_goto, bridge_history, bridge_when_mode, bridge_save;
void monitor_catch(struct machine *, const char *rest, const struct text *);
void bridge_when_written(struct machine *, const char *rest, bool physical, const struct text *);
/* A line of QEMU's monitor as one of ours, in out; else the line itself. */
const char *bridge_of_qemu(const char *line, char *out, size_t size);
/* QEMU's x and xp: "/4xw" or "", and where. NULL, or what is wrong with the format. */
enum { DUMP_MAX = 65536 };
const char *bridge_dump(struct machine *, bool physical, const char *format, uint64_t address,
                        const struct text *);
bool bridge_monitor(void *target, struct gdb_thread, const char *line, struct gdb_out *);

#endif

/* The BIOS of a PC, by high-level emulation: the ROM (rom.S) has a stub for each vector, whose
 * OUT comes here, and the service is done in C on the guest's registers, memory and ports.
 *
 * Rule: all that a service keeps between two calls is in the guest's memory (BIOS data area
 * at 400h, the last KiB of conventional memory), so that a snapshot has it. What is in
 * struct bios is for people: it changes nothing that a guest sees.
 */
#ifndef MINIKVM_BIOS_H
#define MINIKVM_BIOS_H

#include "vmm/board/board.h"

/* What it asks of its machine. */
struct bios_hooks {
    /* What a program prints by it: text, a byte at a time. May be NULL. */
    void (*text)(void *machine, uint8_t byte);
    /* One line for a person. */
    void (*message)(void *machine, const char *text);
    bool (*is_silent)(void *machine);     /* this was said before: a run of the past */
    bool (*input_is_over)(void *machine); /* no key can come any more, and nobody waits for one */
    /* The CPU stands before a call that is caught, and a stop text is set. */
    void (*caught)(void *machine, struct cpu *);
    void (*reset)(void *machine);      /* the machine's devices are reset */
    /* What a service does to the interrupt chips by their ports is between these two: chips in
     * the kernel have no ports here. The devices become what they are; they what the devices are. */
    void (*take_chips)(void *machine);
    void (*give_chips)(void *machine);
};

enum { BIOS_CALLS = 100, BIOS_TOLD = 32, BIOS_WORDS = 160 };

/* A call that is over. */
struct bios_call {
    uint64_t ticks;
    uint16_t cs, ip; /* where its INT is */
    uint16_t ax;
    uint8_t number;
    char text[BIOS_WORDS]; /* what it asked, and the answer */
};

struct drives;

struct bios {
    bool on; /* this machine has it */
    bool real; /* the guest begins in real mode, and finds the services' chips */
    bool boots; /* from a drive */
    bool logs;  /* a line for each call */
    struct pc_board *board;
    struct cpu *cpu; /* that calls; at power-on the first */
    const struct bios_hooks *hooks;
    void *machine; /* for them */
    struct drives *drives; /* may be NULL */
    unsigned restarts;    /* so many were told */
    const char *reset_by; /* a device has asked for it: the next service is that */
    struct bios_call calls[BIOS_CALLS]; /* a ring */
    unsigned call_count;                /* that ever came */
    unsigned text_row, text_column; /* where the text was printed last ... */
    bool text_used;    /* ... and the line is not empty */
    uint32_t told[BIOS_TOLD]; /* unknown functions: vector << 16 | AX */
    unsigned told_count;
    struct bios_catch { /* with cpu->catch.calls */
        int vector, function; /* AH; -1: any */
        bool passes;          /* the call at `place` (linear) was told, or a command began there */
        uint64_t place;
    } catch;
};

extern const uint8_t bios_rom[];
enum { BIOS_ROM_SIZE = 0x10000 };
/* Would it write to [from, from + length), or have its ROM there, in a machine of so much RAM? */
bool bios_uses(uint64_t ram, uint64_t from, uint64_t length);

/* Puts the private port on the bus. */
void bios_open(struct bios *, struct pc_board *, const struct bios_hooks *, void *machine);
/* At power-on the VGA has a font, by a ROM of its own. */
void bios_load_font(struct bios *);
/* At power-on: vectors, data area, and (if the machine has them from the start) the chips.
 * `drive` is booted from. */
void bios_post(struct bios *, bool chips, uint8_t drive);
/* The chips of a machine that has just got them, as POST leaves them. The board is locked. */
void bios_start_chips(struct bios *);
/* The registers with which a program begins that was loaded from a drive, at a linear address. */
void bios_boot_state(struct cpu_state *, uint64_t entry, uint8_t drive);
/* A reset starts the machine anew, from a drive or where CMOS 0Fh says. */
bool bios_can_restart(struct bios *);
/* The CPU in the caller of an INT whose frame is on top of the stack, at this place: as if the
 * INT had not been. */
void bios_unwind(struct cpu_state *, uint16_t cs, uint16_t ip, uint16_t flags);
/* The service called by the INT at this place has waited until now, and is going to be called again:
 * its time goes on, so that whoever looks often does not make a wait endless. */
void bios_wait_is_interrupted(struct bios *, uint16_t cs, uint16_t ip);
/* For struct board. */
uint64_t bios_holds_keys(void *bios);
/* For cpu_host.service. */
enum io_result bios_service(struct bios *, struct cpu *);

/* --- for a debugger --- */
/* The number that a drive has now for programs: while a CD's boot image is seen as one of its kind (and
 * that is drive *emulated), it is one more than usual. */
struct disk;
unsigned bios_drive_number(const struct bios *, unsigned number);
bool bios_emulates(const struct bios *, const struct disk *cd, unsigned *emulated);
/* The CPU executes in the ROM. */
bool bios_runs(const struct bios *, const struct cpu_state *);
/* What INT n, executed now, would ask of it, in words. false: the vector is not the BIOS's. */
bool bios_explain(struct bios *, unsigned vector, char *out, unsigned size);
/* For engine_host.stops_at_int: is the call caught that begins there? */
bool bios_stops_at_int(struct bios *, unsigned vector, uint64_t linear, char *text, size_t size);
/* A call at this linear address is not caught the next time; another one there was not seen. */
void bios_pass_call(struct bios *, uint64_t linear);
/* It is to be passed so. */
bool bios_is_told(const struct bios *, uint64_t linear);
/* Nothing was told where the CPU stands now. */
void bios_pass_no_call(struct bios *);
/* The n-th of the last calls, oldest first; NULL: no more. */
const struct bios_call *bios_call_at(const struct bios *, unsigned n);
const struct bios_call *bios_last_call(const struct bios *); /* NULL: there was none */

#endif

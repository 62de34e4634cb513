/* One call of a BIOS service, as the service sees it: the registers by their names, the
 * caller's flags, memory and ports.
 *
 * Rule: a service knows a guest's addresses only through what is here, so a hostile pointer
 * does what it would do on a PC: an offset wraps at 64 KiB, what is not there reads as ones.
 */
#ifndef MINIKVM_CALL_H
#define MINIKVM_CALL_H

#include "vmm/board/bios/bda.h"
#include "vmm/board/bios/bios.h"
#include "vmm/board/bios/rom.h"
#include "vmm/x86/x86.h"

#define CALL_REGISTER(X)                                                                           \
    union {                                                                                        \
        uint32_t e##X##x;                                                                          \
        uint16_t X##x;                                                                             \
        struct {                                                                                   \
            uint8_t X##l, X##h;                                                                    \
        };                                                                                         \
    }
#define CALL_INDEX(NAME)                                                                           \
    union {                                                                                        \
        uint32_t e##NAME;                                                                          \
        uint16_t NAME;                                                                             \
    }

struct call {
    struct bios *bios;
    unsigned number; /* the vector, or one of rom.h */
    bool again;      /* it has waited, and asks again */
    CALL_REGISTER(a);
    CALL_REGISTER(b);
    CALL_REGISTER(c);
    CALL_REGISTER(d);
    CALL_INDEX(si);
    CALL_INDEX(di);
    CALL_INDEX(bp);
    uint16_t ds, es;      /* es may be set */
    uint16_t ss, sp;      /* of the frame, with IP on top */
    uint16_t ip, cs, flags; /* of the caller; flags (CF, ZF) may be set */
    uint16_t pc;          /* in the ROM, where the service goes on; may be set */
    uint16_t raise;       /* flags of the CPU's own that are to be set */
    bool carry_in;        /* CF as the CPU has it, at ROM_KEY_HOOK */
    bool stop;            /* the CPU is to stop: the reason has been said */
    bool unknown;         /* there is no such function */
    bool elsewhere;       /* the service has set the CPU's state: registers are not put back */
    bool silent;          /* nobody asked by INT: it is in no log */
};

/* --- the answer --- */
static inline void set_carry(struct call *c, bool on) {
    c->flags = on ? c->flags | FLAG_CF : c->flags & ~FLAG_CF;
}
static inline void set_zero(struct call *c, bool on) {
    c->flags = on ? c->flags | FLAG_ZF : c->flags & ~FLAG_ZF;
}
/* Wait for an interrupt, then be called again. */
static inline void wait_here(struct call *c) {
    c->pc = (uint16_t)(c->number * ROM_STUB_SIZE + ROM_STUB_WAIT);
}
/* Where the caller's INT is; else where it goes on. */
uint16_t int_place(struct call *);
/* The service has begun before, and its deadline (EBDA_DEADLINE) stands. */
bool wait_goes_on(struct call *);

/* --- memory --- */
void far_read(struct call *, uint16_t segment, uint16_t offset, void *to, unsigned length);
void far_write(struct call *, uint16_t segment, uint16_t offset, const void *from, unsigned length);
uint8_t peek8(struct bios *, uint32_t linear);
uint16_t peek16(struct bios *, uint32_t linear);
uint32_t peek32(struct bios *, uint32_t linear);
uint64_t peek64(struct bios *, uint32_t linear);
void poke8(struct bios *, uint32_t linear, uint8_t);
void poke16(struct bios *, uint32_t linear, uint16_t);
void poke32(struct bios *, uint32_t linear, uint32_t);
void poke64(struct bios *, uint32_t linear, uint64_t);
uint32_t ebda(struct bios *, unsigned offset); /* linear address */
/* A vector is what POST has set it to. */
bool vector_is_ours(struct bios *, unsigned vector);
void set_vector(struct bios *, unsigned vector, uint16_t segment, uint16_t offset);

/* --- ports --- */
uint32_t port_read(struct bios *, uint16_t port, unsigned size);
void port_write(struct bios *, uint16_t port, unsigned size, uint32_t value);
uint8_t port_in(struct bios *, uint16_t port);
void port_out(struct bios *, uint16_t port, uint8_t value);
uint8_t cmos_in(struct bios *, uint8_t index);
void cmos_out(struct bios *, uint8_t index, uint8_t value);
uint64_t guest_time(struct bios *); /* ns */
/* The chips are there from now on. false: not yet, the CPU must stop first (c->stop), and asks
 * again; nothing of the call may have been done. */
bool need_chips(struct call *);
/* Text that a program prints by the BIOS. */
void put_text(struct bios *, uint8_t byte);
/* The CPU stops, and why. */
void stop_call(struct call *, const char *why);
/* One line for a person. */
void tell(struct bios *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- the table --------------------------------------------------------------------------- */

/* A piece of text in the making. */
struct words {
    char *out;
    unsigned size, length;
};
void words_add(struct words *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a caller may ask: a row. */
struct service {
    uint16_t number;   /* the vector, or one of rom.h */
    uint16_t function; /* AX, where `mask` has ones */
    uint16_t mask;
    const char *name;
    void (*run)(struct call *);
    /* For explain and the log: what the call asks for, in words, with its registers; what came
     * of it. Both may be NULL. */
    void (*asks)(struct call *, struct words *);
    void (*answers)(struct call *, struct words *);
};
#define BY_AH(N) ((N) << 8), 0xff00
#define BY_AX(N) (N), 0xffff
#define BY_ALL   0, 0
#define ROW(N, FUNCTION, NAME, RUN) {N, FUNCTION, NAME, RUN, NULL, NULL}
#define TOLD(N, FUNCTION, NAME, RUN, ASKS, ANSWERS) {N, FUNCTION, NAME, RUN, ASKS, ANSWERS}

struct services {
    const struct service *list;
    unsigned count;
};
extern const struct services services_video, services_disk, services_keyboard, services_time, services_system,
    services_serial, services_power, services_pci, services_mouse;

/* --- between the files --- */
/* The CPU back in the caller, at an offset in its CS, as if the call had not been. */
void go_back(struct call *, uint16_t ip);
/* What is booted from the drive in memory, and the CPU there. false: there is nothing to boot. */
bool bios_boot(struct call *);
/* The CPU as if nothing had been executed yet; to be written. */
struct cpu_state *bios_cpu_anew(struct bios *);
void bios_real_mode(struct cpu_state *, uint16_t cs, uint16_t ip);
/* Of the CD with this number what is booted (eltorito.h); its sectors into memory; and the drive that it
 * is seen as from now on. */
struct eltorito;
bool cd_find_boot(struct bios *, uint8_t number, struct eltorito *, char *error, size_t size);
bool cd_load(struct bios *, uint8_t number, const struct eltorito *);
void cd_note_boot(struct bios *, uint8_t number, const struct eltorito *);
/* After a reset of the whole machine: power-on, and the boot. */
void bios_restart(struct call *);
void video_post(struct bios *);
void keyboard_post(struct bios *);
void disk_post(struct bios *);
/* How many drives there are, where programs look for it: in the BIOS data area. */
void disk_count_drives(struct bios *);
void time_post(struct bios *);

#endif

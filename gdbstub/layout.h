/* The layout of the registers that a client believes in, and values in it; see layout.c. */
#ifndef GDBSTUB_LAYOUT_H
#define GDBSTUB_LAYOUT_H

#include "gdbstub/session.h"

/* --- registers of a layout --- */
/* One register as hex, "xx" for what is unavailable. */
void register_write_hex(struct session *, struct buffer *, struct gdb_thread,
                        const struct gdb_description *, unsigned number);
size_t register_size(const struct gdb_register *); /* bytes */
size_t registers_size(const struct gdb_description *);
/* The program counter's number; the description's count for none. */
unsigned register_pc_number(const struct gdb_description *);
bool register_pc(struct session *, struct gdb_thread, uint64_t *pc);
/* NULL: unavailable. */
void register_write_value(struct buffer *, const uint8_t *value, size_t size);
/* In registers.c, since a trace frame cannot be written. */
bool register_set_pc(struct session *, struct gdb_thread, uint64_t pc);

/* --- which layout it is --- */
/* The one of the CPU's present mode. */
const struct gdb_description *layout_current(struct session *, struct gdb_thread);
/* The layout that the client believes in. */
const struct gdb_description *layout_believed(struct session *, struct gdb_thread);
/* The client is about to get this description: will it accept it? */
void layout_doubt(struct process *, const struct gdb_description *next);
/* Is this `g` to be answered with unavailable registers only? In any case, with no more
 * bytes than there is room. */
bool layout_probes(struct session *, struct gdb_thread, size_t *room);
/* Has the client been found out to believe in gdb's own layout, not in the one described? */
bool layout_rejected(struct session *, struct gdb_thread);
void layout_register_asked(struct session *, struct gdb_thread, uint64_t number);
/* Must an exec be reported before the process may run? */
bool layout_needs_exec(const struct session *, const struct process *);
/* The client reads registers; memory. */
void layout_registers_read(struct session *, struct gdb_thread);
void layout_memory_read(struct session *, struct gdb_thread, uint64_t address, uint64_t length);

#endif

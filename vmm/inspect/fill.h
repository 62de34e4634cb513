/* What fills the tables of tables.c. */
#ifndef MINIKVM_FILL_H
#define MINIKVM_FILL_H

#include "vmm/inspect/tables.h"

typedef void fill_function(struct machine *, const struct table_sink *);

fill_function fill_gdt, fill_ldt, fill_idt, fill_tss, fill_segments; /* descriptors.c */
fill_function fill_pages;                                             /* pages.c */
fill_function fill_cpus, fill_devices, fill_exits;                    /* devices.c */
fill_function fill_bios;                                              /* bios_calls.c */
fill_function fill_disks;                                             /* disks.c */

/* One row, its cells separated by '\t' in the formatted text. */
void fill_row(const struct table_sink *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "code32", "data", "tss32 busy", "call gate", …, by a descriptor's type bits. */
const char *descriptor_type(const struct kvm_segment *, bool wide);
/* "RX", "RW accessed", … of code and data; "" else. Static storage. */
const char *descriptor_access(const struct kvm_segment *);
const char *vector_name(unsigned vector); /* "#PF page fault", or "" */

#endif

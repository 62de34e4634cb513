/* Descriptors, and the handlers that gates lead to. Pure functions.
 *
 *  63      56 55 54 53 52 51   48 47 46 45 44 43  40 39     32
 *  base 31:24  G D/B L AVL lim19:16 P  DPL  S  type   base 23:16
 *  31                          16 15                         0
 *  base 15:0                      limit 15:0                         (3.4.5)
 */
#ifndef MINIKVM_DESCRIPTOR_H
#define MINIKVM_DESCRIPTOR_H

#include "vmm/x86/x86.h"

struct memory;

/* What a segment register holds when `selector` with this descriptor was loaded into it. */
struct kvm_segment x86_descriptor(uint16_t selector, uint64_t raw);

/* Linear address of the handler of a vector, by the IVT or the IDT's gate; false when the
 * entry is absent or no interrupt, trap or task gate. */
bool x86_handler(const struct memory *, const struct kvm_sregs *, unsigned vector,
                 uint64_t *linear);

#endif

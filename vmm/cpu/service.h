/* Guest memory in a service (cpu_host.service): as if the instruction accessed it that asked
 * for the service. So watchpoints see it, and the engine is told what was written.
 *
 * Rule: an address is linear, and goes through the page tables; what is not mapped or not
 * there reads as ones and swallows writes, and no right is checked: a service is no
 * program of the guest's.
 */
#ifndef MINIKVM_SERVICE_H
#define MINIKVM_SERVICE_H

#include "vmm/cpu/cpu.h"

/* Returns how many bytes were there. */
size_t service_read(struct cpu *, uint64_t linear, void *to, size_t length);
size_t service_write(struct cpu *, uint64_t linear, const void *from, size_t length);

/* A device accesses physical memory by DMA, amid an OUT: for watchpoints. The OUT is then to be
 * answered with IO_SERVICE, as board.c does, so that the engine looks at its end. */
void service_touch(struct cpu *, uint64_t phys, size_t length, bool write);

/* For engines: calls host.service(). Then what was touched by it or by the OUT before, once. */
enum io_result service_run(struct cpu *);
struct cpu_touched service_touched(struct cpu *);

#endif

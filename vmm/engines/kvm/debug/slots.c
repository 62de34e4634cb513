/* Memory slots when what is where has changed: A20, shadow RAM, display memory.
 *
 * Rule: a slot whose memory is where it was is not touched. */
#include "vmm/engines/kvm/debug/debug.h"

#include <errno.h>
#include <sys/ioctl.h>

/* Pieces as A20 has them, by the number of their slot. */
static unsigned list_pieces(const struct memory *m, struct memory_piece list[MEMORY_SLOTS]) {
    struct memory_piece p;
    unsigned count = 0;
    for (uint64_t from = 0; count < MEMORY_SLOTS && memory_next(m, from, &p);
         from = p.phys + p.length)
        list[count++] = p;
    return count;
}

void slots_note(struct debugged_vcpu *d, const struct memory *m) { list_pieces(m, d->slots); }

static bool same_piece(const struct memory_piece *a, const struct memory_piece *b) {
    return a->phys == b->phys && a->length == b->length && a->at == b->at && a->rom == b->rom;
}

/* Its index; `count`: it is not there. */
static unsigned find_piece(const struct memory_piece *list, unsigned count,
                           const struct memory_piece *p) {
    unsigned i = 0;
    while (i < count && !same_piece(&list[i], p))
        i++;
    return i;
}

/* A piece of no length: the slot is deleted. */
static int set_slot(struct debugged_vcpu *d, unsigned slot, const struct memory_piece *p) {
    struct kvm_userspace_memory_region region = {.slot = slot,
                                                 .flags = p->rom ? KVM_MEM_READONLY : 0,
                                                 .guest_phys_addr = p->phys,
                                                 .memory_size = p->length,
                                                 .userspace_addr = (uintptr_t)p->at};
    if (ioctl(d->vcpu.vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return -errno;
    d->slots[slot] = *p;
    return 0;
}

static int delete_old(struct debugged_vcpu *d, const struct memory_piece *wanted, unsigned count) {
    int err = 0;
    for (unsigned i = 0; !err && i < MEMORY_SLOTS; i++)
        if (d->slots[i].length && find_piece(wanted, count, &d->slots[i]) == count)
            err = set_slot(d, i, &(struct memory_piece){0});
    return err;
}

static int add_new(struct debugged_vcpu *d, const struct memory_piece *p) {
    unsigned slot = 0;
    if (find_piece(d->slots, MEMORY_SLOTS, p) < MEMORY_SLOTS)
        return 0;
    while (slot < MEMORY_SLOTS && d->slots[slot].length)
        slot++;
    return slot < MEMORY_SLOTS ? set_slot(d, slot, p) : -ENOSPC;
}

int slots_remap(struct cpu *cpu) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct memory_piece wanted[MEMORY_SLOTS];
    unsigned count = list_pieces(cpu->memory, wanted);
    int err = delete_old(d, wanted, count);
    for (unsigned i = 0; !err && i < count; i++)
        err = add_new(d, &wanted[i]);
    return err;
}

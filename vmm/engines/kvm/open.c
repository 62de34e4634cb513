/* Making the VM, its memory slots and its vCPU. */
#include "vmm/engines/kvm/vcpu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/memory/memory.h"

int vcpu_open_device(void) {
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
}

static int add_slot(int vm, unsigned slot, uint64_t phys, void *host, uint64_t size, bool rom) {
    if (size == 0)
        return 0;
    struct kvm_userspace_memory_region region = {
        .slot = slot,
        .flags = rom ? KVM_MEM_READONLY : 0,
        .guest_phys_addr = phys,
        .memory_size = size,
        .userspace_addr = (uintptr_t)host,
    };
    return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? -errno : 0;
}

int vcpu_add_memory(struct kvm_vcpu *v, const struct memory *m) {
    struct memory_piece p;
    int err = 0;
    for (uint64_t from = 0; !err && memory_next(m, from, &p); from = p.phys + p.length)
        err = add_slot(v->vm, v->slots++, p.phys, p.at, p.length, p.rom);
    return err;
}

static int create_chips(int vm) {
    struct kvm_pit_config config = {.flags = KVM_PIT_SPEAKER_DUMMY}; /* port 0x61, too */
    struct kvm_reinject_control control = {.pit_reinject = 0};       /* no backlog of ticks */
    if (ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0 || ioctl(vm, KVM_CREATE_PIT2, &config) < 0)
        return -errno;
    ioctl(vm, KVM_REINJECT_CONTROL, &control);
    return 0;
}

static int add_cpuid(int device, int vcpu) {
    enum { ENTRIES = 256 };
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + ENTRIES * sizeof(struct kvm_cpuid_entry2));
    if (!cpuid)
        return -ENOMEM;
    cpuid->nent = ENTRIES;
    int err = ioctl(device, KVM_GET_SUPPORTED_CPUID, cpuid) < 0 ? -errno : 0;
    /* KVM does not say its name: its own MSRs are not there for the built-in CPU, if that goes on. */
    for (unsigned i = 0; i < cpuid->nent; i++)
        cpuid->entries[i].ebx *= cpuid->entries[i].function >> 28 != 4;
    if (!err && ioctl(vcpu, KVM_SET_CPUID2, cpuid) < 0)
        err = -errno;
    free(cpuid);
    return err;
}

static int add_vcpu(struct kvm_vcpu *v, int device) {
    v->fd = ioctl(v->vm, KVM_CREATE_VCPU, 0);
    if (v->fd < 0)
        return -errno;
    int size = ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(struct kvm_run))
        return -EINVAL;
    void *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
    if (run == MAP_FAILED)
        return -errno;
    v->run = run;
    v->run_size = size;
    return add_cpuid(device, v->fd);
}

static int build(struct kvm_vcpu *v, int device, const struct memory *m) {
    while ((v->vm = ioctl(device, KVM_CREATE_VM, 0)) < 0)
        if (errno != EINTR) /* a signal that comes meanwhile ends it, too */
            return -errno;
    /* Three pages that kvm-intel needs for real mode; free below the ROM. */
    uint64_t identity = 0xfffbc000;
    ioctl(v->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
    ioctl(v->vm, KVM_SET_TSS_ADDR, 0xfffbd000);
    int err = v->irqchip ? create_chips(v->vm) : 0;
    if (!err)
        err = vcpu_add_memory(v, m);
    return err ? err : add_vcpu(v, device);
}

void vcpu_close(struct kvm_vcpu *v) {
    if (v->run)
        munmap(v->run, v->run_size);
    if (v->fd >= 0)
        close(v->fd);
    if (v->vm >= 0)
        close(v->vm);
}

int vcpu_open(struct cpu *cpu, struct kvm_vcpu *v, int device, bool irqchip) {
    *v = (struct kvm_vcpu){.vm = -1, .fd = -1, .irqchip = irqchip};
    int err = build(v, device, cpu->memory);
    close(device);
    if (err)
        vcpu_close(v);
    cpu->priv = v;
    cpu->valid = cpu->missing = cpu->dirty = 0;
    return err;
}

void vcpu_irq_line(struct cpu *cpu, unsigned irq, bool level) {
    struct kvm_irq_level line = {.irq = irq, .level = level};
    if (kvm_vcpu_of(cpu)->irqchip)
        ioctl(kvm_vcpu_of(cpu)->vm, KVM_IRQ_LINE, &line);
}

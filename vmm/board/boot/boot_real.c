/* The CPU as an image that begins in real mode expects it; see boot_state.h. */
#include "vmm/board/boot/boot_state.h"

#include <string.h>

#include "vmm/memory/memory.h"
#include "vmm/x86/x86.h"

void boot_data_segments(struct kvm_sregs *s, struct kvm_segment data) {
    s->ds = s->es = s->fs = s->gs = s->ss = data;
}

/* A PC's BIOS has its entry here, and a jump to it starts the machine anew. Without a ROM
 * there is just that: mov $0xfe,%al; out %al,$0x64; hlt. */
static void put_reset_vector(struct memory *m) {
    enum { RESET_VECTOR = 0xffff0 };
    static const uint8_t reset[] = {0xb0, 0xfe, 0xe6, 0x64, 0xf4, 0xeb, 0xfd};
    static const uint8_t zeros[sizeof reset];
    uint8_t there[sizeof reset];
    if (!m->rom && memory_read(m, RESET_VECTOR, there, sizeof there) == sizeof there &&
        !memcmp(there, zeros, sizeof there))
        memory_write(m, RESET_VECTOR, reset, sizeof reset);
}

struct cpu_state *boot_blank(struct memory *m, struct cpu *cpu) {
    struct cpu_state *s = cpu_write(cpu, CPU_REGS | CPU_SREGS | CPU_DEBUGREGS);
    uint64_t apic_base = s->sregs.apic_base; /* the engine's affair */
    s->regs = (struct kvm_regs){.rflags = 2};
    s->sregs = (struct kvm_sregs){.apic_base = apic_base};
    s->debugregs = (struct kvm_debugregs){.dr6 = 0xffff0ff0, .dr7 = 0x400};
    s->sregs.tr = (struct kvm_segment){.type = 11, .present = 1, .limit = 0xffff};
    s->sregs.ldt = (struct kvm_segment){.type = 2, .present = 1, .limit = 0xffff};
    put_reset_vector(m);
    return s;
}

/* Vectors are at 0; all other registers are 0. */
struct cpu_state *boot_real(struct memory *m, struct cpu *cpu, uint32_t entry, uint64_t low) {
    struct cpu_state *s = boot_blank(m, cpu);
    s->sregs.cr0 = CR0_ET;
    s->sregs.cs = x86_real_segment(entry >> 4 & 0xf000, true);
    boot_data_segments(&s->sregs, x86_real_segment(0, false));
    s->sregs.idt = (struct kvm_dtable){.base = 0, .limit = 0x3ff};
    s->sregs.gdt = (struct kvm_dtable){.base = 0, .limit = 0xffff};
    s->regs.rip = entry & 0xffff;
    s->regs.rsp = low && low < 0x10000 ? low : 0x1000;
    return s;
}

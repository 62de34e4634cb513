/* The CPU as an image expects it before its first instruction (image.h).
 *
 * Beyond real mode the guest finds a small set-up of ours at the top of RAM:
 *
 *   top - 4 KiB   the GDT: null, code32, data, code64, data
 *   top - 8 KiB   Multiboot information
 *   top - 32 KiB  page tables: PML4, PDPT, four PDs of 2 MiB pages = 4 GiB
 */
#include "vmm/board/boot/image.h"

#include <string.h>

#include "vmm/x86/x86.h"

enum { GDT_BELOW = 4 << 10, INFO_BELOW = 8 << 10, TABLES_BELOW = IMAGE_RESERVED };
enum { SELECTOR_CODE32 = 0x08, SELECTOR_DATA = 0x10, SELECTOR_CODE64 = 0x18 };

static const uint64_t gdt[] = {
    0,
    0x00cf9b000000ffff, /* 08: code, 32-bit, 4 GiB, ring 0 */
    0x00cf93000000ffff, /* 10: data, 32-bit, 4 GiB, ring 0 */
    0x00af9b000000ffff, /* 18: code, 64-bit, ring 0 */
};

static void data_segments(struct kvm_sregs *s, struct kvm_segment data) {
    s->ds = s->es = s->fs = s->gs = s->ss = data;
}

/* No BIOS: vectors are at 0, all registers are 0, SP is below the image. */
static void start_real(const struct image *im, struct cpu_state *s) {
    uint16_t segment = im->entry >> 4 & 0xf000;
    s->sregs.cr0 = CR0_ET;
    s->sregs.cs = x86_real_segment(segment, true);
    data_segments(&s->sregs, x86_real_segment(0, false));
    s->sregs.idt = (struct kvm_dtable){.base = 0, .limit = 0x3ff};
    s->sregs.gdt = (struct kvm_dtable){.base = 0, .limit = 0xffff};
    s->regs.rip = im->entry & 0xffff;
    uint64_t low = im->is_elf ? im->entry : im->load;
    s->regs.rsp = low && low < 0x10000 ? low : 0x1000;
}

static void start_protected(const struct image *im, struct memory *m, struct cpu_state *s) {
    uint64_t table = m->ram_size - GDT_BELOW;
    memory_write(m, table, gdt, sizeof gdt);
    s->sregs.gdt = (struct kvm_dtable){.base = table, .limit = sizeof gdt - 1};
    s->sregs.idt = (struct kvm_dtable){.base = 0, .limit = 0};
    s->sregs.cr0 = CR0_PE | CR0_ET;
    s->sregs.cs = x86_descriptor(SELECTOR_CODE32, gdt[1]);
    data_segments(&s->sregs, x86_descriptor(SELECTOR_DATA, gdt[2]));
    s->regs.rip = im->entry;
    s->regs.rsp = m->ram_size - TABLES_BELOW;
}

/* 3.2, 3.3: EAX is the magic, EBX the address of the information. */
static void start_multiboot(const struct image *im, struct memory *m, struct cpu_state *s) {
    static const char loader[] = "minikvm";
    uint64_t info = m->ram_size - INFO_BELOW, name = info + 128;
    uint32_t words[30] = {0};
    words[0] = 1 << 0 | 1 << 9;                     /* memory sizes, loader's name */
    words[1] = 640;                                 /* KiB below 640 KiB */
    words[2] = m->ram_size > (1 << 20) ? (m->ram_size >> 10) - 1024 : 0;
    words[16] = name;
    memory_write(m, info, words, sizeof words);
    memory_write(m, name, loader, sizeof loader);
    start_protected(im, m, s);
    s->regs.rax = 0x2badb002;
    s->regs.rbx = info;
}

/* 4-level tables with 2 MiB pages: linear = physical for the first 4 GiB. */
static void identity_map(struct memory *m, uint64_t tables) {
    enum { PRESENT_WRITE_USER = 7, LARGE = 0x80 };
    uint64_t entry = (tables + PAGE_SIZE) | PRESENT_WRITE_USER;
    memory_write(m, tables, &entry, sizeof entry);
    for (uint64_t i = 0; i < 4; i++) {
        uint64_t directory = tables + (2 + i) * PAGE_SIZE;
        entry = directory | PRESENT_WRITE_USER;
        memory_write(m, tables + PAGE_SIZE + i * 8, &entry, sizeof entry);
        for (uint64_t j = 0; j < 512; j++) {
            entry = (i << 30 | j << 21) | PRESENT_WRITE_USER | LARGE;
            memory_write(m, directory + j * 8, &entry, sizeof entry);
        }
    }
}

static void start_long(const struct image *im, struct memory *m, struct cpu_state *s) {
    uint64_t tables = m->ram_size - TABLES_BELOW;
    start_protected(im, m, s);
    identity_map(m, tables);
    s->sregs.cr3 = tables;
    s->sregs.cr4 = CR4_PAE;
    s->sregs.cr0 |= CR0_PG;
    s->sregs.efer = EFER_LME | EFER_LMA;
    s->sregs.cs = x86_descriptor(SELECTOR_CODE64, gdt[3]);
    s->sregs.cs.limit = 0xffffffff;
}

/* 9.1.1, table 9-1 */
static void start_reset(struct cpu_state *s) {
    s->sregs.cr0 = CR0_ET | CR0_CD | CR0_NW;
    s->sregs.cs = x86_real_segment(0xf000, true);
    s->sregs.cs.base = 0xffff0000;
    data_segments(&s->sregs, x86_real_segment(0, false));
    s->sregs.idt = (struct kvm_dtable){.base = 0, .limit = 0xffff};
    s->sregs.gdt = (struct kvm_dtable){.base = 0, .limit = 0xffff};
    s->regs.rip = 0xfff0;
    s->regs.rdx = 0x600; /* family 6 */
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

void image_start(const struct image *im, struct memory *m, struct cpu *cpu) {
    struct cpu_state *s = cpu_write(cpu, CPU_REGS | CPU_SREGS | CPU_DEBUGREGS);
    uint64_t apic_base = s->sregs.apic_base; /* the engine's affair */
    s->regs = (struct kvm_regs){.rflags = 2};
    s->sregs = (struct kvm_sregs){.apic_base = apic_base};
    s->debugregs = (struct kvm_debugregs){.dr6 = 0xffff0ff0, .dr7 = 0x400};
    s->sregs.tr = (struct kvm_segment){.type = 11, .present = 1, .limit = 0xffff};
    put_reset_vector(m);
    s->sregs.ldt = (struct kvm_segment){.type = 2, .present = 1, .limit = 0xffff};
    switch (im->mode) {
    case START_RESET: start_reset(s); break;
    case START_PROTECTED: start_protected(im, m, s); break;
    case START_MULTIBOOT: start_multiboot(im, m, s); break;
    case START_LONG: start_long(im, m, s); break;
    default: start_real(im, s); break;
    }
}

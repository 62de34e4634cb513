/* Services of the BIOS, asked for with any registers, any stack and any memory: nothing of a
 * guest's makes it crash, or keeps it in a call.
 */
#include "fuzz.h"
#include "guest.h"

#include "vmm/board/bios/rom.h"
#include "vmm/x86/descriptor.h"

enum { CALLS_MAX = 60, SECTORS = 70 };

/* Segments and pointers where something can go wrong. */
static uint16_t odd_word(struct feed *in) {
    static const uint16_t odd[] = {0, 1, 2, 0xffff, 0xfffe, 0xf000, 0x9fc0, 0xa000, 0xb800, 0x40};
    unsigned which = (unsigned)feed_number(in, 1);
    return which < sizeof odd / sizeof *odd ? odd[which] : (uint16_t)feed_number(in, 2);
}

static void poke_memory(struct machine *m, struct feed *in) {
    uint8_t bytes[16];
    uint32_t at = (uint32_t)feed_number(in, 2) << (feed_number(in, 1) % 5);
    feed_bytes(in, bytes, sizeof bytes);
    memory_write(&m->memory, at, bytes, sizeof bytes);
}

/* The CPU stands behind a stub's OUT, as after an INT. */
static void call_service(struct machine *m, struct feed *in) {
    struct vcpu *v = &m->vcpu[0];
    struct cpu_state *s = cpu_write(&v->cpu, CPU_REGS | CPU_SREGS);
    __u64 *const r[] = {&s->regs.rax, &s->regs.rbx, &s->regs.rcx, &s->regs.rdx,
                           &s->regs.rsi, &s->regs.rdi, &s->regs.rbp};
    unsigned number = (unsigned)feed_number(in, 1), odd = (unsigned)feed_number(in, 1);
    for (unsigned i = 0; i < sizeof r / sizeof *r; i++)
        *r[i] = odd >> i & 1 ? odd_word(in) : feed_number(in, 4);
    s->sregs.cr0 &= ~1ull;
    s->sregs.cs = x86_real_segment(ROM_SEGMENT, true);
    s->sregs.ds = x86_real_segment(odd_word(in), false);
    s->sregs.es = x86_real_segment(odd_word(in), false);
    s->sregs.ss = x86_real_segment(odd_word(in), false);
    s->regs.rsp = odd_word(in);
    s->regs.rip = number * ROM_STUB_SIZE + (odd & 0x80 ? ROM_STUB_AGAIN : ROM_STUB_OUT);
    v->cpu.host.service(v);
    v->cpu.ticks += 1000;
}

static void look_at_calls(struct machine *m) {
    char words[BIOS_WORDS];
    const struct bios_call *k;
    for (unsigned n = 0; (k = bios_call_at(&m->bios, n)); n++)
        must(strlen(k->text) < sizeof k->text, "a call's words end");
    for (unsigned vector = 0; vector < 256; vector++)
        bios_explain(&m->bios, vector, words, sizeof words);
}

/* A CD of 40 blocks, that is booted without emulation, as a floppy or as a hard disk. */
static uint8_t *make_cd(unsigned media, size_t *size) {
    enum { BLOCK = 2048, CATALOG = 18, IMAGE = 20, CD_BLOCKS = 40 };
    static uint8_t cd[CD_BLOCKS * BLOCK];
    uint8_t *record = cd + 17 * BLOCK, *catalog = cd + CATALOG * BLOCK, *program = cd + IMAGE * BLOCK;
    const uint8_t entry[12] = {0x88, (uint8_t)media, 0, 0, 0, 0, 1, 0, IMAGE};
    *size = sizeof cd;
    memcpy(cd + 16 * BLOCK, "\1CD001\1", 7);
    memcpy(record, "\0CD001\1EL TORITO SPECIFICATION", 30);
    record[0x47] = CATALOG;
    catalog[0] = 1;
    catalog[30] = 0x55;
    catalog[31] = 0xaa;
    memcpy(catalog + 32, entry, sizeof entry);
    memcpy(program, "\xfa\xf4", 2);
    return cd;
}

static bool open_machine(struct machine *m, struct machine_options *options, unsigned how) {
    static uint8_t image[SECTORS * DISK_SECTOR] = {0xfa, 0xf4, [510] = 0x55, [511] = 0xaa};
    static const uint8_t media[] = {0, 0, 2, 4};
    unsigned cd = how >> 1 & 3;
    size_t length = sizeof image;
    uint8_t *bytes = cd ? make_cd(media[cd], &length) : image;
    options->image.boot = cd ? BOOT_CDROM : how & 1 ? BOOT_FLOPPY : BOOT_DISK;
    return guest_open(m, 1, guest_file(GUEST_KERNEL, bytes, length), options);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static struct machine_options options = {.engine = ENGINE_SOFT, .memory = 2 << 20};
    struct machine m;
    struct feed in = {bytes, size};
    must(open_machine(&m, &options, (unsigned)feed_number(&in, 1)), "a machine");
    for (unsigned n = 0; in.left && n < CALLS_MAX; n++) {
        if (feed_number(&in, 1) % 4 == 0)
            poke_memory(&m, &in);
        call_service(&m, &in);
    }
    look_at_calls(&m);
    machine_close(&m);
    return 0;
}

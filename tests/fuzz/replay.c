/* Any file as a recording, for a small guest with interrupts that reads the keyboard, the
 * serial line and the clock; what can be replayed is, back and forth.
 *
 * The way back and forward again must lead to the same memory.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "guest.h"
#include "vmm/replay/replay.h"
#include "vmm/memory/layout.h"
#include "vmm/replay/recorder.h"

/* At 0: the vectors, all to HANDLER, and this. */
enum { HANDLER = 0x400, START = 0x440, IMAGE_SIZE = 0x500 };
static const uint8_t handler[] = {
    0x50, 0xE4, 0x60, 0xE4, 0x64,       /* push ax; in al, 60; in al, 64 */
    0xB0, 0x20, 0xE6, 0x20, 0x58, 0xCF, /* mov al, 20; out 20, al; pop ax; iret */
};
static const uint8_t start[] = {
    0xB0, 0x11, 0xE6, 0x20, 0xB0, 0x08, 0xE6, 0x21, /* the PIC: ICW1, ICW2 8 */
    0xB0, 0x04, 0xE6, 0x21, 0xB0, 0x01, 0xE6, 0x21, /* ICW3, ICW4 */
    0x31, 0xC0, 0xE6, 0x21,                         /* no interrupt masked */
    0xB0, 0x40, 0xE6, 0x40, 0xB0, 0x00, 0xE6, 0x40, /* ticks come often */
    0xFB, 0xBA, 0xF8, 0x03, 0xEC, 0xAA,             /* sti; serial in; stosb */
    0xE6, 0x70, 0xE4, 0x71, 0xAA,                   /* the clock; stosb */
    0x83, 0xE7, 0x7F, 0x83, 0xC7, 0x00, 0x90,       /* di in 0..7F */
    0xF4, 0xEB, 0xEC,                               /* hlt; again */
};

static const char *guest_image(void) {
    static uint8_t image[IMAGE_SIZE];
    for (unsigned n = 0; n < 256; n++)
        image[4 * n + 1] = HANDLER >> 8;
    memcpy(image + HANDLER, handler, sizeof handler);
    memcpy(image + START, start, sizeof start);
    return guest_file(GUEST_KERNEL, image, sizeof image);
}

static bool open_guest(struct machine *m, struct machine_options *options,
                       const char *recording) {
    *options = (struct machine_options){
        .engine = ENGINE_SOFT, .irqchip = IRQCHIP_ON, .memory = 64 << 10, .debugged = true,
        .recorder = &replay_recorder, .history = 1 << 20, .replay = recording,
        .image = {.has_load = true, .has_entry = true, .entry = START}};
    return guest_open(m, 1, guest_image(), options);
}

static void there_and_back(struct machine *m) {
    guest_do(m, COMMAND_RUN);
    uint64_t count = m->vcpu[0].cpu.ticks, hash = memory_hash(&m->memory);
    guest_do(m, COMMAND_BACK_STEP);
    guest_do(m, COMMAND_BACK_RUN);
    guest_do(m, COMMAND_RUN);
    must(m->vcpu[0].cpu.ticks != count || memory_hash(&m->memory) == hash,
         "there and back: the same memory");
    guest_do(m, COMMAND_STEP);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct machine m;
    struct machine_options options;
    if (!open_guest(&m, &options, guest_file(GUEST_RECORDING, bytes, size)))
        return 0;
    there_and_back(&m);
    machine_close(&m);
    return 0;
}

/* --- a mutation that leaves it a recording ------------------------------------------------ */

enum { HEADER = 104, EVENT = 24, LOGS = 3, AT_END = 48, AT_SLEPT = 56, AT_COUNTS = 72, AT_SUM = 96 };

/* The header that this guest has, from a recording of nothing. */
static bool read_header(uint8_t header[HEADER]) {
    static uint8_t known[HEADER];
    struct machine m;
    struct machine_options options;
    char error[256];
    const char *path = guest_no_file(GUEST_RECORDING);
    if (!known[0] && open_guest(&m, &options, NULL)) {
        guest_do(&m, COMMAND_STEP);
        FILE *f = replay_save(&m, path, error, sizeof error) ? fopen(path, "rbe") : NULL;
        must(f && fread(known, 1, HEADER, f) == HEADER, "a run can be saved");
        fclose(f);
        machine_close(&m);
    }
    memcpy(header, known, HEADER);
    return known[0];
}

static uint64_t get(const uint8_t *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static void put(uint8_t *at, uint64_t value) { memcpy(at, &value, sizeof value); }

/* Possible kinds and values, in order of time. */
static void right_events(uint8_t *events, const uint64_t counts[LOGS], uint64_t end) {
    static const uint64_t kinds[LOGS] = {4, 1, 2}, values[LOGS] = {256, UINT64_MAX, 1};
    for (int log = 0; log < LOGS; log++) {
        uint64_t last = 0;
        for (uint64_t n = 0; n < counts[log]; n++, events += EVENT) {
            uint64_t ticks = get(events) % (end + 1);
            last = ticks > last ? ticks : last;
            put(events, last);
            put(events + 8, get(events + 8) % values[log]);
            put(events + 16, get(events + 16) % kinds[log]);
        }
    }
}

/* As vmm/replay/replay.c has it. */
static uint64_t sum_of(const uint8_t *events, size_t size) {
    uint64_t sum = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < size; i += 8)
        sum = (sum ^ get(events + i)) * 0x100000001b3ull;
    return sum;
}

static size_t right(uint8_t *bytes, size_t size) {
    uint8_t header[HEADER];
    uint64_t counts[LOGS], left = (size - HEADER) / EVENT, end = 1 + get(bytes + AT_END) % 2500;
    size = HEADER + left * EVENT;
    for (int log = 0; log < LOGS; log++) {
        uint64_t wanted = get(bytes + AT_COUNTS + 8 * log);
        counts[log] = log == LOGS - 1 || wanted > left ? left : wanted;
        left -= counts[log];
    }
    if (!read_header(header))
        return size;
    put(header + AT_END, end);
    put(header + AT_SLEPT, get(bytes + AT_SLEPT) % (end + 1));
    memcpy(header + AT_COUNTS, counts, sizeof counts);
    right_events(bytes + HEADER, counts, end);
    put(header + AT_SUM, sum_of(bytes + HEADER, size - HEADER));
    memcpy(bytes, header, HEADER);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max, unsigned seed) {
    size = LLVMFuzzerMutate(bytes, size, max);
    if (seed % 16 == 0)
        return size;
    if (size < HEADER && max >= HEADER) {
        memset(bytes + size, 0, HEADER - size);
        size = HEADER;
    }
    return size < HEADER ? size : right(bytes, size);
}

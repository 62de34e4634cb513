/* How often native_fpu.h has executed each row of the tables of the x87, MMX and SSE. */
#ifndef MINIKVM_NATIVE_FPU_ROWS_H
#define MINIKVM_NATIVE_FPU_ROWS_H

#include "vmm/engines/soft/opcodes.h"
#include "vmm/engines/soft/x87.h"

enum { MAP_0F, MAP_0F38, MAP_0F3A, MAP_X87, MAPS };
static unsigned executed[MAPS][256][64];

static void count_row(const uint8_t *code, unsigned length) {
    unsigned at = 0, map = MAP_0F, prefix = PREFIX_NONE;
    for (; at < length; at++) {
        uint8_t byte = code[at];
        if (byte == 0xF2 || byte == 0xF3)
            prefix = byte == 0xF2 ? PREFIX_F2 : PREFIX_F3;
        else if (byte == 0x66)
            prefix = prefix ? prefix : PREFIX_66;
        else if (!IN_64BIT || (byte & 0xF0) != 0x40)
            break;
    }
    if (code[at] >= 0xD8 && code[at] <= 0xDF) {
        uint8_t modrm = code[at + 1];
        executed[MAP_X87][code[at] - 0xD8 + (modrm < 0xC0 ? 8 : 0)]
                [modrm < 0xC0 ? modrm >> 3 & 7 : modrm & 63]++;
    } else if (code[at] == 0x0F) {
        uint8_t next = code[++at];
        map = next == 0x38 ? MAP_0F38 : next == 0x3A ? MAP_0F3A : MAP_0F;
        executed[map][code[at + (map != MAP_0F)]][prefix]++;
    }
}

static void least(unsigned times, unsigned *least_of_all, const char *what, unsigned a, unsigned b) {
    if (times < 1000)
        printf("%s %02x %u: %u times\n", what, a, b, times);
    if (times < *least_of_all)
        *least_of_all = times;
}

static void print_coverage(void) {
    static const struct {
        const char *name;
        const struct sse_opcode (*rows)[4];
    } maps[] = {{"0f", opcodes_sse}, {"0f 38", opcodes_0f38}, {"0f 3a", opcodes_0f3a}};
    unsigned sse = ~0u, x87 = ~0u;
    for (unsigned map = 0; map < 3; map++)
        for (unsigned n = 0; n < 256; n++)
            for (unsigned prefix = 0; prefix < 4; prefix++)
                if (maps[map].rows[n][prefix].run)
                    least(executed[map][n][prefix], &sse, maps[map].name, n, prefix);
    for (unsigned n = 0; n < 8; n++) {
        for (unsigned modrm = 0; modrm < 64; modrm++)
            if (*x87_register_rows[n][modrm].name)
                least(executed[MAP_X87][n][modrm], &x87, "x87", 0xD8 + n, 0xC0 + modrm);
        for (unsigned reg = 0; reg < 8; reg++)
            if (*x87_memory_rows[n][reg].name)
                least(executed[MAP_X87][n + 8][reg], &x87, "x87", 0xD8 + n, reg);
    }
    printf("each row of SSE was executed %u times or more, each of the x87 %u\n", sse, x87);
}

#endif

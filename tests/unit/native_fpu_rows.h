/* Which rows of the tables of the x87, MMX and SSE native_fpu.h is to execute, and how often it
 * has: each of them as often as `goal` says.
 */
#ifndef MINIKVM_NATIVE_FPU_ROWS_H
#define MINIKVM_NATIVE_FPU_ROWS_H

#include "vmm/engines/soft/opcodes.h"
#include "vmm/engines/soft/x87.h"

enum { MAP_0F, MAP_0F38, MAP_0F3A, MAP_X87, MAPS, FPU_ROWS = 1200 };
static const uint8_t prefix_bytes[] = {[PREFIX_66] = 0x66, [PREFIX_F3] = 0xF3, [PREFIX_F2] = 0xF2};

struct fpu_row {
    uint8_t map, opcode;
    uint8_t prefix; /* of SSE */
    uint8_t modrm;  /* of the x87: of a register's, or its reg field with memory; of a shift's */
    uint16_t flags;
    bool immediate;
    unsigned executed;
};
static struct fpu_row fpu_rows[FPU_ROWS];
static unsigned fpu_row_count, goal;

/* --- the rows --- */

static void list_row(struct fpu_row row) {
    if (fpu_row_count < FPU_ROWS)
        fpu_rows[fpu_row_count++] = row;
}

/* The shifts by an immediate, 0F 71 to 73: one row for several instructions, by ModRM's reg
 * field (Vol. 2D, table A-6, groups 12 to 14). */
static bool is_shift(unsigned map, unsigned opcode) {
    return map == MAP_0F && opcode >= 0x71 && opcode <= 0x73;
}
static void list_shifts(struct fpu_row row) {
    unsigned regs = row.opcode < 0x73 ? 0x54 : row.prefix == PREFIX_66 ? 0xCC : 0x44;
    for (unsigned reg = 0; reg < 8; reg++) {
        row.modrm = (uint8_t)(0xC0 | reg << 3);
        if (regs >> reg & 1)
            list_row(row);
    }
}

static void list_sse(unsigned map, const struct sse_opcode rows[256][4], uint64_t missing) {
    for (unsigned n = 0; n < 256; n++)
        for (unsigned prefix = 0; prefix < 4; prefix++) {
            const struct sse_opcode *from = &rows[n][prefix];
            struct fpu_row row = {.map = (uint8_t)map, .opcode = (uint8_t)n,
                                  .prefix = (uint8_t)prefix, .flags = from->flags,
                                  .immediate = from->immediate};
            if (from->run && !(from->needs & missing))
                (is_shift(map, n) ? list_shifts : list_row)(row);
        }
}

static void list_x87(uint64_t missing) {
    for (unsigned n = 0; n < 8; n++)
        for (unsigned modrm = 0; modrm < 72; modrm++) {
            bool memory = modrm < 8;
            const struct x87_row *from =
                memory ? &x87_memory_rows[n][modrm] : &x87_register_rows[n][modrm - 8];
            if (*from->name && !(missing >> from->feature & 1))
                list_row((struct fpu_row){.map = MAP_X87, .opcode = (uint8_t)(0xD8 + n),
                                          .flags = memory ? MEM : ONLY_REG,
                                          .modrm = (uint8_t)(memory ? modrm : 0xC0 + modrm - 8)});
        }
}

/* All that the host can do: `missing` are the features that it has not. */
static void list_rows(bool x87, bool sse, uint64_t missing) {
    if (sse) {
        list_sse(MAP_0F, opcodes_sse, missing);
        list_sse(MAP_0F38, opcodes_0f38, missing);
        list_sse(MAP_0F3A, opcodes_0f3a, missing);
    }
    if (x87)
        list_x87(missing);
}

/* In turn, of those that were not executed often enough; NULL: all were. */
static const struct fpu_row *next_row(void) {
    static unsigned turn;
    for (unsigned n = 0; n < fpu_row_count; n++) {
        const struct fpu_row *row = &fpu_rows[turn++ % fpu_row_count];
        if (row->executed < goal)
            return row;
    }
    return NULL;
}

/* --- counting --- */

static struct fpu_row read_row(const uint8_t *code, unsigned length) {
    struct fpu_row row = {.map = MAP_X87, .prefix = PREFIX_NONE};
    unsigned at = 0;
    for (; at < length; at++) {
        uint8_t byte = code[at];
        if (byte == 0xF2 || byte == 0xF3)
            row.prefix = byte == 0xF2 ? PREFIX_F2 : PREFIX_F3;
        else if (byte == 0x66)
            row.prefix = row.prefix ? row.prefix : PREFIX_66;
        else if (!IN_64BIT || (byte & 0xF0) != 0x40)
            break;
    }
    if (code[at] == 0x0F) {
        uint8_t next = code[++at];
        row.map = next == 0x38 ? MAP_0F38 : next == 0x3A ? MAP_0F3A : MAP_0F;
        at += row.map != MAP_0F;
    }
    row.opcode = code[at];
    row.modrm = code[at + 1];
    return row;
}

static bool is_row(const struct fpu_row *row, const struct fpu_row *seen) {
    if (row->map != seen->map || row->opcode != seen->opcode)
        return false;
    if (row->map == MAP_X87)
        return row->flags & MEM ? seen->modrm < 0xC0 && (seen->modrm >> 3 & 7) == row->modrm
                                : seen->modrm == row->modrm;
    return row->prefix == seen->prefix &&
           (!is_shift(row->map, row->opcode) || (seen->modrm & 0x38) == (row->modrm & 0x38));
}

static void count_row(const uint8_t *code, unsigned length) {
    struct fpu_row seen = read_row(code, length);
    for (unsigned n = 0; n < fpu_row_count; n++)
        if (is_row(&fpu_rows[n], &seen)) {
            fpu_rows[n].executed++;
            return;
        }
}

/* Each was, goal times? Returns how often the rarest was. */
static unsigned check_rows(void) {
    unsigned least = ~0u;
    CHECK(fpu_row_count < FPU_ROWS);
    for (unsigned n = 0; n < fpu_row_count; n++) {
        const struct fpu_row *row = &fpu_rows[n];
        CHECK(row->executed >= goal);
        if (row->executed < goal)
            fprintf(stderr, "map %u, opcode %02x, prefix %02x, ModRM %02x: %u of %u times\n", row->map,
                    row->opcode, prefix_bytes[row->prefix], row->modrm, row->executed, goal);
        least = row->executed < least ? row->executed : least;
    }
    return least;
}

#endif

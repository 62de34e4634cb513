/* Checking and evaluating agent expressions; see agent.h. */
#include "gdbstub/agent/agent.h"

#include <string.h>

/* "Bytecode Descriptions"; the numbers are the protocol's. */
// clang-format off
enum {
    OP_ADD = 0x02, OP_SUB, OP_MUL, OP_DIV_SIGNED, OP_DIV_UNSIGNED, OP_REM_SIGNED, OP_REM_UNSIGNED,
    OP_LSH, OP_RSH_SIGNED, OP_RSH_UNSIGNED, OP_TRACE, OP_TRACE_QUICK, OP_LOG_NOT, OP_AND, OP_OR,
    OP_XOR, OP_NOT, OP_EQUAL, OP_LESS_SIGNED, OP_LESS_UNSIGNED, OP_EXT, OP_REF8, OP_REF16, OP_REF32,
    OP_REF64,
    OP_IF_GOTO = 0x20, OP_GOTO, OP_CONST8, OP_CONST16, OP_CONST32, OP_CONST64, OP_REG, OP_END,
    OP_DUP, OP_POP, OP_ZERO_EXT, OP_SWAP, OP_GETV, OP_SETV, OP_TRACEV, OP_TRACENZ, OP_TRACE16,
    OP_PICK = 0x32, OP_ROT, OP_PRINTF,
    OPCODES,
};
// clang-format on

/* How long an instruction is, with its operand, and what it takes and leaves. A
 * length of 0: no such opcode. Floating point has opcodes too, but gdb never
 * makes them. */
// clang-format off
static const struct shape {
    uint8_t length, takes, leaves;
} shapes[OPCODES] = {
    [OP_ADD] = {1, 2, 1},           [OP_SUB] = {1, 2, 1},
    [OP_MUL] = {1, 2, 1},           [OP_DIV_SIGNED] = {1, 2, 1},
    [OP_DIV_UNSIGNED] = {1, 2, 1},  [OP_REM_SIGNED] = {1, 2, 1},
    [OP_REM_UNSIGNED] = {1, 2, 1},  [OP_LSH] = {1, 2, 1},
    [OP_RSH_SIGNED] = {1, 2, 1},    [OP_RSH_UNSIGNED] = {1, 2, 1},
    [OP_TRACE] = {1, 2, 0},         [OP_TRACE_QUICK] = {2, 1, 1},
    [OP_LOG_NOT] = {1, 1, 1},       [OP_AND] = {1, 2, 1},
    [OP_OR] = {1, 2, 1},            [OP_XOR] = {1, 2, 1},
    [OP_NOT] = {1, 1, 1},           [OP_EQUAL] = {1, 2, 1},
    [OP_LESS_SIGNED] = {1, 2, 1},   [OP_LESS_UNSIGNED] = {1, 2, 1},
    [OP_EXT] = {2, 1, 1},           [OP_REF8] = {1, 1, 1},
    [OP_REF16] = {1, 1, 1},         [OP_REF32] = {1, 1, 1},
    [OP_REF64] = {1, 1, 1},         [OP_IF_GOTO] = {3, 1, 0},
    [OP_GOTO] = {3, 0, 0},          [OP_CONST8] = {2, 0, 1},
    [OP_CONST16] = {3, 0, 1},       [OP_CONST32] = {5, 0, 1},
    [OP_CONST64] = {9, 0, 1},       [OP_REG] = {3, 0, 1},
    [OP_END] = {1, 0, 0},           [OP_DUP] = {1, 1, 2},
    [OP_POP] = {1, 1, 0},           [OP_ZERO_EXT] = {2, 1, 1},
    [OP_SWAP] = {1, 2, 2},          [OP_GETV] = {3, 0, 1},
    [OP_SETV] = {3, 1, 1},          [OP_TRACEV] = {3, 0, 0},
    [OP_TRACENZ] = {1, 2, 0},       [OP_TRACE16] = {3, 1, 1},
    [OP_PICK] = {2, 1, 2},          [OP_ROT] = {1, 3, 3},
    [OP_PRINTF] = {4, 2, 0},
};
// clang-format on

/* Operands are big-endian. */
static uint64_t operand(const uint8_t *at, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

/* --- checking --------------------------------------------------------------------- */

struct check {
    const uint8_t *code;
    size_t length;
    int8_t depth[AGENT_LENGTH_MAX]; /* of the stack before it; -1: not reached yet */
    uint16_t todo[AGENT_LENGTH_MAX];
    size_t waiting;
};

static const char *agent_reach(struct check *c, size_t at, int depth) {
    if (at >= c->length)
        return "an expression runs past its end";
    if (c->depth[at] == depth)
        return NULL;
    if (c->depth[at] >= 0)
        return "an expression's stack depends on the way through it";
    c->depth[at] = (int8_t)depth;
    c->todo[c->waiting++] = (uint16_t)at;
    return NULL;
}

/* The operands that must hold something certain; `shape` grows with a printf. */
static const char *check_operand(const struct check *c, size_t at, struct shape *shape,
                                 size_t *length) {
    const uint8_t *code = c->code + at;
    *length = shape->length;
    if (*length > c->length - at)
        return "an expression ends within an instruction";
    switch (*code) {
    case OP_EXT:
    case OP_ZERO_EXT:
        return code[1] >= 1 && code[1] <= 64 ? NULL : "an expression extends from no such width";
    case OP_PICK:
        shape->takes = (uint8_t)(code[1] < AGENT_STACK_MAX ? code[1] + 1 : AGENT_STACK_MAX + 1);
        shape->leaves = (uint8_t)(shape->takes + 1);
        return NULL;
    case OP_PRINTF:
        if (operand(code + 2, 2) > c->length - at - *length || code[1] > AGENT_STACK_MAX - 2)
            return "an expression ends within a format";
        shape->takes = (uint8_t)(code[1] + 2);
        *length += operand(code + 2, 2);
        return agent_print_check((const char *)code + 4, *length - 4, code[1]);
    default: return NULL;
    }
}

static const char *check_one(struct check *c, size_t at) {
    uint8_t op = c->code[at];
    struct shape shape = op < OPCODES ? shapes[op] : (struct shape){0};
    size_t length;
    if (!shape.length)
        return "an expression has an unknown instruction";
    const char *error = check_operand(c, at, &shape, &length);
    int depth = c->depth[at] - shape.takes;
    if (!error && depth < 0)
        error = "an expression takes more from its stack than is there";
    depth += shape.leaves;
    if (!error && depth > AGENT_STACK_MAX)
        error = "an expression's stack grows too large";
    if (error || op == OP_END)
        return error;
    if (op == OP_GOTO || op == OP_IF_GOTO)
        error = agent_reach(c, operand(c->code + at + 1, 2), depth);
    return error || op == OP_GOTO ? error : agent_reach(c, at + length, depth);
}

const char *gdb_agent_check(const uint8_t *code, size_t length) {
    struct check c = {.code = code, .length = length};
    if (length > AGENT_LENGTH_MAX)
        return "an expression is too long";
    memset(c.depth, -1, sizeof c.depth);
    const char *error = agent_reach(&c, 0, 0);
    while (!error && c.waiting)
        error = check_one(&c, c.todo[--c.waiting]);
    return error;
}

/* --- doubtful code ------------------------------------------------------------------ */

static bool is_reference(uint8_t op) {
    return op == OP_REF8 || op == OP_REF16 || op == OP_REF32 || op == OP_REF64;
}

static bool is_extension(uint8_t op) { return op == OP_EXT || op == OP_ZERO_EXT; }

static unsigned constant_size(uint8_t op) {
    return op == OP_CONST8    ? 1
           : op == OP_CONST16 ? 2
           : op == OP_CONST32 ? 4
           : op == OP_CONST64 ? 8
                              : 0;
}

/* Of the instruction there, which may be one that nothing leads to: then 0, too. */
static size_t length_at(const uint8_t *code, size_t left) {
    size_t length = *code < OPCODES ? shapes[*code].length : 0;
    if (*code == OP_PRINTF && left >= length)
        length += operand(code + 2, 2);
    return length <= left ? length : 0;
}

/* A label's address is read, but no integer from there: a pointer is not extended. */
static bool reads_pointer(const uint8_t *next, size_t left) {
    return left >= 2 && is_reference(next[0]) && !is_extension(next[1]);
}

bool gdb_agent_doubtful(const uint8_t *code, size_t length,
                        bool (*is_label)(void *context, uint64_t address), void *context) {
    size_t size;
    for (size_t at = 0; at < length && (size = length_at(code + at, length - at)); at += size) {
        bool label = constant_size(code[at]) &&
                     is_label(context, operand(code + at + 1, constant_size(code[at])));
        if (label && reads_pointer(code + at + size, length - at - size))
            return true;
    }
    return false;
}

/* --- evaluating ----------------------------------------------------------------------- */

struct evaluation {
    const struct gdb_agent_host *host;
    uint64_t stack[AGENT_STACK_MAX + 2]; /* two below the first, to be read in vain */
    uint64_t *top;                       /* the topmost item */
};

/* Two items to one. false: a division by zero. */
static bool binary(unsigned op, uint64_t a, uint64_t b, uint64_t *result) {
    int64_t sa = (int64_t)a, sb = (int64_t)b;
    bool divides = op >= OP_DIV_SIGNED && op <= OP_REM_UNSIGNED;
    if (divides && !b)
        return false;
    switch (op) {
    case OP_ADD: *result = a + b; break;
    case OP_SUB: *result = a - b; break;
    case OP_MUL: *result = a * b; break;
    case OP_DIV_SIGNED: *result = sb == -1 ? 0 - a : (uint64_t)(sa / sb); break; /* no overflow */
    case OP_DIV_UNSIGNED: *result = a / b; break;
    case OP_REM_SIGNED: *result = sb == -1 ? 0 : (uint64_t)(sa % sb); break;
    case OP_REM_UNSIGNED: *result = a % b; break;
    case OP_LSH: *result = b < 64 ? a << b : 0; break;
    case OP_RSH_SIGNED: *result = (uint64_t)(sa >> (b < 64 ? b : 63)); break;
    case OP_RSH_UNSIGNED: *result = b < 64 ? a >> b : 0; break;
    case OP_AND: *result = a & b; break;
    case OP_OR: *result = a | b; break;
    case OP_XOR: *result = a ^ b; break;
    case OP_EQUAL: *result = a == b; break;
    case OP_LESS_SIGNED: *result = sa < sb; break;
    default: *result = a < b; break; /* OP_LESS_UNSIGNED */
    }
    return true;
}

/* What the top item becomes. */
static uint64_t unary(unsigned op, uint64_t a, unsigned width) {
    unsigned spare = 64 - width;
    switch (op) {
    case OP_LOG_NOT: return !a;
    case OP_NOT: return ~a;
    case OP_EXT: return (uint64_t)((int64_t)(a << spare) >> spare);
    default: return a << spare >> spare; /* OP_ZERO_EXT */
    }
}

static bool reference(struct evaluation *e, unsigned size) {
    uint8_t bytes[8];
    if (!e->host->read_memory || !e->host->read_memory(e->host->context, *e->top, bytes, size))
        return false;
    *e->top = 0;
    for (unsigned i = 0; i < size; i++)
        *e->top |= (uint64_t)bytes[i] << 8 * i;
    return true;
}

static bool push_register(struct evaluation *e, unsigned number) {
    uint64_t value = 0;
    if (!e->host->read_register || !e->host->read_register(e->host->context, number, &value))
        return false;
    *++e->top = value;
    return true;
}

/* getv leaves the value, setv leaves the stack as it is. */
static bool agent_variable(struct evaluation *e, unsigned op, unsigned number) {
    enum agent_variable how = op == OP_GETV ? AGENT_GET : op == OP_SETV ? AGENT_SET : AGENT_COLLECT;
    int64_t value = op == OP_SETV ? (int64_t)*e->top : 0;
    if (!e->host->variable || !e->host->variable(e->host->context, number, &value, how))
        return op == OP_TRACEV;
    if (op == OP_GETV)
        *++e->top = (uint64_t)value;
    return true;
}

/* Up to its first zero byte, or `length` bytes. */
static uint64_t string_length(struct evaluation *e, uint64_t address, uint64_t length) {
    uint8_t byte = 1;
    uint64_t n = 0;
    while (n < length && n < AGENT_LENGTH_MAX && byte && e->host->read_memory &&
           e->host->read_memory(e->host->context, address + n, &byte, 1))
        n++;
    return n;
}

static bool agent_collect(struct evaluation *e, unsigned op, const uint8_t *code) {
    uint64_t address = *e->top, length = operand(code + 1, op == OP_TRACE16 ? 2 : 1);
    if (op == OP_TRACE || op == OP_TRACENZ) {
        length = *e->top;
        address = e->top[-1];
        e->top -= 2;
    }
    if (!e->host->collect)
        return true;
    if (op == OP_TRACENZ)
        length = string_length(e, address, length);
    return e->host->collect(e->host->context, address, length);
}

/* The function and the channel are for debuggees with a C library. Below them lie
 * the arguments, the first on top. */
static bool do_printf(struct evaluation *e, const uint8_t *code) {
    uint64_t arguments[AGENT_STACK_MAX];
    unsigned count = code[1];
    e->top -= 2;
    for (unsigned i = 0; i < count; i++)
        arguments[i] = *e->top--;
    return agent_print((const char *)code + 4, arguments, count, e->host);
}

static void shuffle(struct evaluation *e, unsigned op, unsigned n) {
    uint64_t *top = e->top, last = *top;
    switch (op) {
    case OP_DUP: *++e->top = last; break;
    case OP_POP: e->top--; break;
    case OP_PICK: *++e->top = top[-(int)n]; break;
    case OP_SWAP: *top = top[-1], top[-1] = last; break;
    default: *top = top[-1], top[-1] = top[-2], top[-2] = last; break; /* OP_ROT */
    }
}

/* Everything but jumps and the end. */
static bool perform(struct evaluation *e, const uint8_t *code) {
    switch (*code) {
    case OP_REG: return push_register(e, (unsigned)operand(code + 1, 2));
    case OP_CONST8:
    case OP_CONST16:
    case OP_CONST32:
    case OP_CONST64: *++e->top = operand(code + 1, 1u << (*code - OP_CONST8)); return true;
    case OP_REF8:
    case OP_REF16:
    case OP_REF32:
    case OP_REF64: return reference(e, 1u << (*code - OP_REF8));
    case OP_LOG_NOT:
    case OP_NOT: *e->top = unary(*code, *e->top, 64); return true;
    case OP_EXT:
    case OP_ZERO_EXT: *e->top = unary(*code, *e->top, code[1]); return true;
    case OP_DUP:
    case OP_POP:
    case OP_SWAP:
    case OP_ROT: shuffle(e, *code, 0); return true;
    case OP_PICK: shuffle(e, *code, code[1]); return true;
    case OP_GETV:
    case OP_SETV:
    case OP_TRACEV: return agent_variable(e, *code, (unsigned)operand(code + 1, 2));
    case OP_TRACE:
    case OP_TRACE_QUICK:
    case OP_TRACE16:
    case OP_TRACENZ: return agent_collect(e, *code, code);
    case OP_PRINTF: return do_printf(e, code);
    default: e->top--; return binary(*code, e->top[0], e->top[1], e->top);
    }
}

/* Looked at now and then, and before what takes long. */
static bool is_interrupted(const struct gdb_agent_host *host, unsigned op, unsigned steps) {
    return (op == OP_PRINTF || steps % 1024 == 1023) && host->interrupted &&
           host->interrupted(host->context);
}

bool gdb_agent_eval(const uint8_t *code, const struct gdb_agent_host *host, int64_t *value) {
    struct evaluation e = {.host = host};
    size_t at = 0;
    e.top = e.stack + 1;
    for (unsigned steps = 0; steps < AGENT_STEPS_MAX; steps++) {
        unsigned op = code[at];
        if (op == OP_END) {
            *value = (int64_t)(e.top > e.stack + 1 ? *e.top : 0);
            return true;
        }
        if (is_interrupted(host, op, steps))
            return false;
        if (op == OP_GOTO || (op == OP_IF_GOTO && *e.top--)) {
            at = operand(code + at + 1, 2);
            continue;
        }
        if (op != OP_IF_GOTO && !perform(&e, code + at))
            return false;
        at += shapes[op].length + (op == OP_PRINTF ? operand(code + at + 2, 2) : 0);
    }
    return false;
}

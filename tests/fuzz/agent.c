/* Any bytes as an agent expression, or as a format with arguments: what the check lets
 * pass is evaluated.
 *
 *     byte 0: even: an expression follows, odd: a format
 */
#include "fuzz.h"
#include "gdbstub/agent/agent.h"
#include "gdbstub/gdbstub.h"

enum { VARIABLES = 4, ARGUMENTS_MAX = 8, PRINTED_MAX = 1 << 22 };

static size_t printed;

static bool read_register(void *context, unsigned number, uint64_t *value) {
    (void)context;
    *value = number * 0x0123456789ABCDEFull;
    return number < 64;
}

static bool read_whole(void *context, unsigned number, uint8_t *value) {
    (void)context;
    memset(value, (int)number, GDB_REGISTER_MAX);
    return number < 64;
}

/* A page of text without an end, and one of small numbers. */
static bool read_memory(void *context, uint64_t address, void *to, size_t length) {
    uint8_t *bytes = to;
    (void)context;
    for (size_t i = 0; i < length; i++) {
        uint64_t at = address + i;
        if (at >= 0x3000)
            return false;
        bytes[i] = at < 0x1000 ? 'a' + at % 26 : at % 5;
    }
    return true;
}

static void print(void *context, const char *text, size_t length) {
    static volatile char last;
    (void)context;
    printed += length;
    if (length)
        last = text[length - 1];
    (void)last;
    must(printed <= PRINTED_MAX, "what is printed has a bound");
}

static bool variable(void *context, unsigned number, int64_t *value, enum agent_variable what) {
    int64_t *variables = context;
    if (number >= VARIABLES)
        return false;
    if (what == AGENT_SET)
        variables[number] = *value;
    else if (what == AGENT_GET)
        *value = variables[number];
    return true;
}

static bool collect(void *context, uint64_t address, uint64_t length) {
    (void)context;
    return address < 0x3000 && length < 0x1000;
}

static void try_format(struct feed *in, const struct gdb_agent_host *host) {
    uint64_t arguments[ARGUMENTS_MAX];
    unsigned count = feed_number(in, 1) % (ARGUMENTS_MAX + 1);
    for (unsigned i = 0; i < ARGUMENTS_MAX; i++)
        arguments[i] = feed_number(in, 2);
    /* The format as it stands in a packet: with the NUL that counts. */
    char *format = malloc(in->left + 1);
    size_t length = in->left;
    feed_bytes(in, format, length);
    format[length] = 0;
    if (!agent_print_check(format, length + 1, count))
        agent_print(format, arguments, count, host);
    free(format);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    int64_t variables[VARIABLES] = {0}, value;
    struct gdb_agent_host host = {.context = variables, .read_register = read_register,
                                  .read_memory = read_memory, .read_whole = read_whole,
                                  .print = print, .variable = variable, .collect = collect};
    struct feed in = {bytes, size};
    printed = 0;
    if (feed_number(&in, 1) % 2)
        try_format(&in, &host);
    else if (!gdb_agent_check(in.at, in.left))
        gdb_agent_eval(in.at, &host, &value);
    return 0;
}

/* printf for agent expressions (dprintf in agent style); see agent.h.
 *
 * Rule: the format is a client's and the values are a guest's, so C's own printf
 * sees neither: each conversion is taken apart and put together anew, with a
 * width and a precision that are bounded.
 */
#include "gdbstub/agent/agent.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH_MAX = 256, STRING_MAX = 512, OUT_MAX = 2048 };

struct conversion {
    char flags[6];
    unsigned width;
    int precision;  /* -1: none */
    unsigned bytes; /* of an integer */
    char letter;
};

struct reader {
    const char *at, *end;
};

static bool next_is(struct reader *r, const char *set) {
    return r->at < r->end && *r->at && strchr(set, *r->at);
}

static bool read_number(struct reader *r, unsigned *number) {
    for (*number = 0; next_is(r, "0123456789"); r->at++)
        if ((*number = *number * 10 + (unsigned)(*r->at - '0')) > WIDTH_MAX)
            return false;
    return true;
}

/* What stands before the letter: int is 4 bytes, long whatever gdb has pushed. */
static unsigned read_size(struct reader *r) {
    unsigned bytes = 4;
    for (; next_is(r, "hlqjzt"); r->at++)
        bytes = *r->at != 'h' ? 8 : bytes == 4 ? 2 : 1;
    return bytes;
}

/* r is behind the '%'. false: not one that we know. */
static bool read_conversion(struct reader *r, struct conversion *c) {
    size_t flags = 0;
    unsigned precision;
    *c = (struct conversion){.precision = -1};
    for (; next_is(r, "-+ #0"); r->at++)
        if (flags < sizeof c->flags - 1)
            c->flags[flags++] = *r->at;
    if (!read_number(r, &c->width))
        return false;
    if (next_is(r, ".")) {
        r->at++;
        if (!read_number(r, &precision))
            return false;
        c->precision = (int)precision;
    }
    c->bytes = read_size(r);
    if (!next_is(r, "diouxXcsp%"))
        return false;
    c->letter = *r->at++;
    return true;
}

/* gdb sends the format as it was typed, with its backslashes. */
static char print_unescape(struct reader *r) {
    static const char letters[] = "abefnrtv\\\"'", meanings[] = "\a\b\033\f\n\r\t\v\\\"'";
    char c = r->at < r->end ? *r->at++ : '\\';
    const char *known = c ? strchr(letters, c) : NULL;
    if (known)
        return meanings[known - letters];
    if (c < '0' || c > '7')
        return c;
    unsigned value = (unsigned)(c - '0');
    for (int i = 0; i < 2 && next_is(r, "01234567"); i++)
        value = value * 8 + (unsigned)(*r->at++ - '0');
    return (char)value;
}

const char *agent_print_check(const char *format, size_t length, unsigned arguments) {
    struct reader r = {format, format + length};
    struct conversion c;
    unsigned needed = 0;
    if (!length || format[length - 1])
        return "a format has no end";
    while (r.at < r.end && *r.at) {
        char letter = *r.at++;
        if (letter == '\\')
            print_unescape(&r);
        if (letter != '%')
            continue;
        if (!read_conversion(&r, &c))
            return "a format has a conversion other than d i o u x X c s p, or a width over 256";
        needed += c.letter != '%';
    }
    return needed <= arguments ? NULL : "a format has more conversions than arguments";
}

/* --- writing ------------------------------------------------------------------------- */

struct out {
    char text[OUT_MAX];
    size_t length;
};

static void print_put(struct out *out, const char *text, size_t length) {
    size_t room = sizeof out->text - out->length;
    size_t part = length < room ? length : room;
    memcpy(out->text + out->length, text, part);
    out->length += part;
}

static int64_t print_cut(uint64_t value, unsigned bytes, bool is_signed) {
    unsigned spare = 64 - 8 * bytes;
    return is_signed ? (int64_t)(value << spare) >> spare : (int64_t)(value << spare >> spare);
}

/* The specification is ours from here on: flags, bounded numbers, one letter. */
static void put_integer(struct out *out, const struct conversion *c, uint64_t value) {
    char specification[64], text[2 * WIDTH_MAX];
    bool is_signed = c->letter == 'd' || c->letter == 'i', pointer = c->letter == 'p';
    int n = snprintf(specification, sizeof specification, "%%%s%s%u", c->flags, pointer ? "#" : "",
                     c->width);
    if (!c->width)
        n--;
    if (c->precision >= 0)
        n += snprintf(specification + n, sizeof specification - (size_t)n, ".%d", c->precision);
    char letter = pointer ? 'x' : c->letter;
    snprintf(specification + n, sizeof specification - (size_t)n, "ll%c", letter);
    long long number = print_cut(value, pointer ? 8 : c->bytes, is_signed);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int length = snprintf(text, sizeof text, specification, number);
#pragma GCC diagnostic pop
    print_put(out, text, (size_t)length);
}

static void put_padded(struct out *out, const struct conversion *c, const char *text,
                       size_t length) {
    char spaces[WIDTH_MAX];
    size_t pad = c->width > length ? c->width - length : 0;
    bool left = strchr(c->flags, '-');
    memset(spaces, ' ', sizeof spaces);
    if (!left)
        print_put(out, spaces, pad);
    print_put(out, text, length);
    if (left)
        print_put(out, spaces, pad);
}

static void put_string(struct out *out, const struct conversion *c, uint64_t address,
                       const struct gdb_agent_host *host) {
    char text[STRING_MAX];
    size_t limit =
        c->precision >= 0 && c->precision < STRING_MAX ? (size_t)c->precision : sizeof text;
    size_t n = 0;
    while (n < limit) {
        if (!host->read_memory || !host->read_memory(host->context, address + n, &text[n], 1)) {
            n += (size_t)snprintf(text + n, sizeof text - n, "<no memory at 0x%llx>",
                                  (unsigned long long)(address + n));
            n = n < sizeof text ? n : sizeof text - 1;
            break;
        }
        if (!text[n])
            break;
        n++;
    }
    put_padded(out, c, text, n);
}

static void put_conversion(struct out *out, const struct conversion *c, uint64_t value,
                           const struct gdb_agent_host *host) {
    char character = (char)value;
    if (c->letter == 's')
        put_string(out, c, value, host);
    else if (c->letter == 'c')
        put_padded(out, c, &character, 1);
    else
        put_integer(out, c, value);
}

bool agent_print(const char *format, const uint64_t *arguments, unsigned count,
                 const struct gdb_agent_host *host) {
    struct out out = {.length = 0};
    struct reader r = {format, format + strlen(format)};
    struct conversion c;
    unsigned used = 0;
    while (r.at < r.end) {
        char letter = *r.at++;
        if (letter == '\\')
            letter = print_unescape(&r);
        else if (letter == '%' && read_conversion(&r, &c) && c.letter != '%') {
            put_conversion(&out, &c, used < count ? arguments[used] : 0, host);
            used++;
            continue;
        }
        print_put(&out, &letter, 1);
    }
    if (host->print)
        host->print(host->context, out.text, out.length);
    return host->print;
}

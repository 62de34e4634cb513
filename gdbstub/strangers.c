/* Connections that are not the client's; see strangers.h. */
#include "gdbstub/strangers.h"

#include "gdbstub/hex.h"

#include <string.h>

void strangers_init(struct strangers *s) {
    for (unsigned i = 0; i < STRANGERS_MAX; i++)
        s->list[i].connection = (struct connection){.in = -1, .out = -1};
}

void strangers_close(struct strangers *s) {
    for (unsigned i = 0; i < STRANGERS_MAX; i++)
        connection_close(&s->list[i].connection);
}

void strangers_add(struct strangers *s, struct connection connection, const char *refusal) {
    struct stranger *slot = &s->list[s->next];
    s->next = (s->next + 1) % STRANGERS_MAX;
    connection_close(&slot->connection);
    slot->connection = connection;
    slot->refusal = refusal;
    slot->refused = false;
    slot->length = 0;
}

enum verdict {
    UNKNOWN, /* more bytes are needed */
    FOREIGN, /* another protocol, or none */
    GARBLED, /* a packet with a wrong checksum: it is to be sent again */
    PACKET,
};

/* What all the bytes so far are; *used: how many of them a GARBLED packet takes. */
static enum verdict judge(const char *bytes, size_t length, size_t *used) {
    const char *end = bytes + length, *at = bytes;
    uint8_t sum = 0, expected;
    while (at < end && framing_is_between_packets(*at))
        at++;
    if (at < end && *at != '$')
        return FOREIGN;
    const char *hash = at < end ? memchr(at, '#', (size_t)(end - at)) : NULL;
    if (!hash || end - hash < 3)
        return length == FRAMING_ROOM ? FOREIGN : UNKNOWN;
    for (at = (const char *)memrchr(at, '$', (size_t)(hash - at)) + 1; at < hash; at++)
        sum = (uint8_t)(sum + (uint8_t)*at);
    *used = (size_t)(hash + 3 - bytes);
    return hex_decode(&expected, hash + 1, 1) && expected == sum ? PACKET : GARBLED;
}

void stranger_refuse(struct stranger *s, const char *sentence) {
    struct buffer text;
    uint8_t sum = 'E' + '.';
    for (const char *c = sentence; *c; c++)
        sum = (uint8_t)(sum + (uint8_t)*c);
    buffer_init(&text, strlen(sentence) + 16);
    buffer_printf(&text, "+$E.%s#%02x", sentence, sum);
    connection_write(&s->connection, text.data, text.length);
    connection_finish(&s->connection);
    buffer_free(&text);
    s->refused = true;
    s->length = 0;
}

/* false: it is a packet with a wrong checksum, and that is told and forgotten. */
static bool ask_again(struct stranger *s, size_t used) {
    memmove(s->bytes, s->bytes + used, s->length - used);
    s->length -= used;
    return connection_write(&s->connection, "-", 1) >= 0;
}

static bool is_packet(struct stranger *s) {
    size_t used;
    enum verdict verdict;
    while ((verdict = judge(s->bytes, s->length, &used)) == GARBLED)
        if (!ask_again(s, used))
            break;
    if (verdict == FOREIGN || verdict == GARBLED)
        connection_close(&s->connection);
    return verdict == PACKET;
}

/* After the answer its side is read on until it closes: closing first could destroy
 * the answer on its way. What it sends then is not kept. */
bool stranger_read(struct stranger *s) {
    if (s->connection.in < 0)
        return false;
    ssize_t got =
        connection_read(&s->connection, s->bytes + s->length, sizeof s->bytes - s->length);
    if (got < 0)
        connection_close(&s->connection);
    if (got <= 0 || s->refused)
        return false;
    s->length += (size_t)got;
    if (!is_packet(s))
        return false;
    if (s->refusal)
        stranger_refuse(s, s->refusal);
    return !s->refused;
}

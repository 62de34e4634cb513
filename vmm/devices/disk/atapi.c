/* The commands that a CD drive takes in packets: MMC-3 and SPC-2, as far as systems use them to
 * read a disc. There is one session with one track of data. */
#include "vmm/devices/disk/ide.h"

#include <string.h>

enum { MODEL_CD = 0x0008, MODEL_DVD = 0x0010, FRAMES_OF_CD = 80 * 60 * 75, SECONDS_BEFORE = 2 };

static const struct atapi_sense no_medium = {0x02, 0x3a, 0x00}, unreadable = {0x03, 0x11, 0x00},
                                bad_command = {0x05, 0x20, 0x00}, beyond = {0x05, 0x21, 0x00},
                                bad_field = {0x05, 0x24, 0x00}, not_saved = {0x05, 0x39, 0x00},
                                is_locked = {0x05, 0x53, 0x02}, medium_changed = {0x06, 0x28, 0x00};

struct atapi_call {
    struct ide_channel *channel;
    struct ide_drive *drive;
    const uint8_t *packet;
    uint8_t *reply; /* the drive's buffer, all zeros */
};

static unsigned big16(const uint8_t *at) { return (unsigned)(at[0] << 8 | at[1]); }

static uint32_t big32(const uint8_t *at) { return (uint32_t)big16(at) << 16 | big16(at + 2); }

static void put_big(uint8_t *to, unsigned bytes, uint32_t value) {
    for (unsigned i = bytes; i-- > 0; value >>= 8)
        to[i] = (uint8_t)value;
}

static uint32_t blocks_of(const struct atapi_call *c) {
    return (uint32_t)(disk_sectors(c->drive->disk) / DISK_CD_SECTORS);
}

static bool is_open(const struct atapi_call *c) { return disk_tray(c->drive->disk).open; }

static void atapi_done(const struct atapi_call *c) { ide_packet_done(c->drive); }

static void atapi_fail(const struct atapi_call *c, struct atapi_sense sense) { ide_packet_fail(c->drive, sense); }

static void atapi_reply(const struct atapi_call *c, unsigned length, unsigned allocation) {
    ide_packet_reply(c->drive, length, allocation);
}

struct atapi_sense atapi_sense_of(enum disk_result result) {
    return result == DISK_NO_MEDIUM ? no_medium : result == DISK_BEYOND ? beyond : unreadable;
}

/* --- who it is, and what went wrong ------------------------------------------------------------ */

/* Vital product data (EVPD) there is none of. */
static void do_inquiry(const struct atapi_call *c) {
    enum { LENGTH = 36, CD_ROM = 5, REMOVABLE = 0x80, ATAPI = 0x21 };
    uint8_t *r = c->reply;
    if (c->packet[1] & 3 || c->packet[2]) {
        atapi_fail(c, bad_field);
        return;
    }
    r[0] = CD_ROM;
    r[1] = REMOVABLE;
    r[3] = ATAPI;
    r[4] = LENGTH - 5;
    memcpy(r + 8, "MINIKVM CD-ROM          1.0 ", 28);
    atapi_reply(c, LENGTH, big16(c->packet + 3));
}

/* It is told once. */
static void do_request_sense(const struct atapi_call *c) {
    enum { LENGTH = 18, CURRENT = 0x70 };
    struct ide_packet *p = &c->drive->r.packet;
    struct atapi_sense s = {p->sense, p->code, p->qualifier};
    if (!s.key && p->changed) {
        s = medium_changed;
        p->changed = 0;
    }
    c->reply[0] = CURRENT;
    c->reply[2] = s.key;
    c->reply[7] = LENGTH - 8;
    c->reply[12] = s.code;
    c->reply[13] = s.qualifier;
    p->sense = p->code = p->qualifier = 0;
    atapi_reply(c, LENGTH, c->packet[4]);
}

/* --- the tray ----------------------------------------------------------------------------------- */

static void move_tray(const struct atapi_call *c, bool open) {
    struct disk_tray tray = disk_tray(c->drive->disk);
    if (open && tray.locks) {
        atapi_fail(c, is_locked);
        return;
    }
    c->drive->r.packet.changed |= tray.open && !open;
    tray.open = open;
    disk_set_tray(c->drive->disk, tray);
    atapi_done(c);
}

/* LoEj: the tray moves; without it, and for power conditions, there is nothing that turns. */
static void do_start_stop(const struct atapi_call *c) {
    enum { START = 1, LOAD_EJECT = 2 };
    uint8_t how = c->packet[4];
    if (how >> 4 || !(how & LOAD_EJECT))
        atapi_done(c);
    else
        move_tray(c, !(how & START));
}

static void do_prevent(const struct atapi_call *c) {
    struct disk_tray tray = disk_tray(c->drive->disk);
    tray.locks = c->packet[4] & 1;
    disk_set_tray(c->drive->disk, tray);
    atapi_done(c);
}

/* --- reading ------------------------------------------------------------------------------------ */

static void do_nothing_packet(const struct atapi_call *c) { atapi_done(c); }

static void read_blocks(const struct atapi_call *c, uint32_t lba, uint32_t count) {
    uint32_t blocks = blocks_of(c);
    if (lba > blocks || count > blocks - lba) {
        atapi_fail(c, beyond);
        return;
    }
    c->drive->r.lba = lba;
    ide_packet_read(c->drive, count);
}

static void do_read_10(const struct atapi_call *c) {
    read_blocks(c, big32(c->packet + 2), big16(c->packet + 7));
}

static void do_read_12(const struct atapi_call *c) {
    read_blocks(c, big32(c->packet + 2), big32(c->packet + 6));
}

/* Of a block's parts there are the user data; none of them is no data at all. */
static void do_read_cd(const struct atapi_call *c) {
    enum { PARTS = 0xf8, USER_DATA = 0x10 };
    uint8_t parts = c->packet[9] & PARTS;
    if (c->packet[10] & 7 || (parts && parts != USER_DATA))
        atapi_fail(c, bad_field);
    else if (!parts)
        atapi_done(c);
    else
        read_blocks(c, big32(c->packet + 2), (uint32_t)c->packet[6] << 16 | big16(c->packet + 7));
}

static void do_seek_10(const struct atapi_call *c) {
    if (big32(c->packet + 2) >= blocks_of(c))
        atapi_fail(c, beyond);
    else
        atapi_done(c);
}

static void do_read_capacity(const struct atapi_call *c) {
    put_big(c->reply, 4, blocks_of(c) - 1);
    put_big(c->reply + 4, 4, DISK_CD_BLOCK);
    atapi_reply(c, 8, 8);
}

/* --- the table of contents ------------------------------------------------------------------------ */

enum { DATA_TRACK = 0x14, LEAD_OUT = 0xaa };

/* Minutes, seconds and frames, which begin two seconds before block 0. */
static void put_frames(uint8_t *to, uint32_t block) {
    uint32_t frames = block + SECONDS_BEFORE * 75;
    to[0] = (uint8_t)(frames / 75 / 60);
    to[1] = (uint8_t)(frames / 75 % 60);
    to[2] = (uint8_t)(frames % 75);
}

static uint8_t *put_track(uint8_t *to, uint8_t number, uint32_t block, bool frames) {
    to[1] = DATA_TRACK;
    to[2] = number;
    if (frames)
        put_frames(to + 5, block);
    else
        put_big(to + 4, 4, block);
    return to + 8;
}

/* The length of the list behind itself, the first and the last track or session; the reply's length. */
static unsigned end_list(const struct atapi_call *c, const uint8_t *end) {
    unsigned length = (unsigned)(end - c->reply);
    put_big(c->reply, 2, length - 2);
    c->reply[2] = c->reply[3] = 1;
    return length;
}

static unsigned list_tracks(const struct atapi_call *c, bool frames) {
    uint8_t first = c->packet[6], *to = c->reply + 4;
    if (first > 1 && first != LEAD_OUT)
        return 0;
    if (first <= 1)
        to = put_track(to, 1, 0, frames);
    return end_list(c, put_track(to, LEAD_OUT, blocks_of(c), frames));
}

static unsigned list_sessions(const struct atapi_call *c, bool frames) {
    return end_list(c, put_track(c->reply + 4, 1, 0, frames));
}

/* Points A0 and A1 name the first and the last track, A2 where the lead-out is. */
static unsigned list_raw(const struct atapi_call *c) {
    static const uint8_t points[] = {0xa0, 0xa1, 0xa2, 1};
    uint8_t *to = c->reply + 4;
    for (unsigned i = 0; i < sizeof points; i++, to += 11) {
        to[0] = 1;
        to[1] = DATA_TRACK;
        to[3] = points[i];
        if (i < 2)
            to[8] = 1;
        else
            put_frames(to + 8, i == 2 ? blocks_of(c) : 0);
    }
    return end_list(c, to);
}

/* MMC-3 has the format in byte 2; SFF-8020, where that is 0, in the last one. */
static void do_read_toc(const struct atapi_call *c) {
    bool frames = c->packet[1] & 2;
    unsigned format = c->packet[2] & 15 ? c->packet[2] & 15 : c->packet[9] >> 6, length = 0;
    switch (format) {
    case 0: length = list_tracks(c, frames); break;
    case 1: length = list_sessions(c, frames); break;
    case 2: length = list_raw(c); break;
    }
    if (length)
        atapi_reply(c, length, big16(c->packet + 7));
    else
        atapi_fail(c, bad_field);
}

/* Complete, one session, CD-ROM. */
static void do_disc_information(const struct atapi_call *c) {
    enum { LENGTH = 34, COMPLETE = 0x0e, UNRESTRICTED = 0x20 };
    uint8_t *r = c->reply;
    if (c->packet[1] & 7) {
        atapi_fail(c, bad_field);
        return;
    }
    put_big(r, 2, LENGTH - 2);
    r[2] = COMPLETE;
    r[3] = r[4] = r[5] = r[6] = 1;
    r[7] = UNRESTRICTED;
    memset(r + 16, 0xff, 8); /* there is no further session */
    atapi_reply(c, LENGTH, big16(c->packet + 7));
}

/* --- what it can ------------------------------------------------------------------------------------ */

static void put_mode_pages(const struct atapi_call *c, unsigned page, uint8_t **end) {
    static const uint8_t errors[] = {0x01, 0x06, 0, 5};
    /* CD-R, CD-RW and DVD-ROM; lock and eject by a tray; reading at 706 KB/s, with 128 KiB. */
    static const uint8_t able[] = {0x2a, 0x12, 0x0b, 0, 0, 0, 0x29, 0, 2, 0xc2, 0, 0, 0, 128, 2, 0xc2};
    if (page == 0x01 || page == 0x3f) {
        memcpy(*end, errors, sizeof errors);
        *end += 2 + errors[1];
    }
    if (page == 0x2a || page == 0x3f) {
        memcpy(*end, able, sizeof able);
        if (disk_tray(c->drive->disk).locks)
            (*end)[6] |= 2;
        *end += 2 + able[1];
    }
}

static void do_mode_sense(const struct atapi_call *c) {
    enum { HEADER = 8, CURRENT = 0, DEFAULTS = 2, SAVED = 3, DATA_DISC = 0x01, DOOR_OPEN = 0x71 };
    unsigned control = c->packet[2] >> 6;
    uint8_t *end = c->reply + HEADER;
    if (control == CURRENT || control == DEFAULTS)
        put_mode_pages(c, c->packet[2] & 0x3f, &end);
    if (control == SAVED || end == c->reply + HEADER) {
        atapi_fail(c, control == SAVED ? not_saved : bad_field);
        return;
    }
    unsigned length = (unsigned)(end - c->reply);
    put_big(c->reply, 2, length - 2);
    c->reply[2] = is_open(c) ? DOOR_OPEN : DATA_DISC;
    atapi_reply(c, length, big16(c->packet + 7));
}

static void do_mechanism_status(const struct atapi_call *c) {
    enum { DOOR_OPEN = 0x10 };
    c->reply[1] = is_open(c) ? DOOR_OPEN : 0;
    c->reply[5] = 1;
    atapi_reply(c, 8, big16(c->packet + 8));
}

static unsigned profile_of(const struct atapi_call *c) {
    return is_open(c) ? 0 : blocks_of(c) > FRAMES_OF_CD ? MODEL_DVD : MODEL_CD;
}

/* MMC-3 5.3: profiles, core (ATAPI), removable medium (tray, lock, eject), random readable, CD read,
 * DVD read. Byte 2 has bit 0: current. */
static const uint8_t features[][12] = {
    {0x00, 0x00, 0x03, 8, 0x00, 0x10, 0, 0, 0x00, 0x08, 0, 0},
    {0x00, 0x01, 0x03, 4, 0, 0, 0, 2},
    {0x00, 0x03, 0x03, 4, 0x29, 0, 0, 0},
    {0x00, 0x10, 0x00, 8, 0, 0, DISK_CD_BLOCK >> 8, 0, 0, 1, 0, 0},
    {0x00, 0x1e, 0x00, 4, 0, 0, 0, 0},
    {0x00, 0x1f, 0x00, 0},
};

static bool is_current(unsigned feature, unsigned profile) {
    enum { RANDOM_READABLE = 0x10, CD_READ = 0x1e, DVD_READ = 0x1f };
    return (feature == RANDOM_READABLE && profile) || (feature == CD_READ && profile == MODEL_CD) ||
           (feature == DVD_READ && profile == MODEL_DVD);
}

static uint8_t *put_feature(uint8_t *to, const uint8_t *feature, unsigned profile) {
    unsigned length = 4u + feature[3];
    memcpy(to, feature, length);
    to[2] |= is_current(big16(feature), profile);
    if (!big16(feature))
        for (unsigned at = 4; at < length; at += 4)
            to[at + 2] = big16(to + at) == profile;
    return to + length;
}

/* RT: 0 all from the one that is named on, 1 of those the current ones, 2 that one. */
static void do_get_configuration(const struct atapi_call *c) {
    enum { HEADER = 8, ALL = 0, CURRENT_ONES = 1, ONE = 2 };
    unsigned how = c->packet[1] & 3, first = big16(c->packet + 2), profile = profile_of(c);
    uint8_t *end = c->reply + HEADER;
    if (how > ONE) {
        atapi_fail(c, bad_field);
        return;
    }
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        unsigned number = big16(features[i]);
        bool wanted = how == ONE ? number == first : number >= first;
        if (wanted && (how != CURRENT_ONES || features[i][2] & 1 || is_current(number, profile)))
            end = put_feature(end, features[i], profile);
    }
    put_big(c->reply, 4, (uint32_t)(end - c->reply - 4));
    put_big(c->reply + 6, 2, profile);
    atapi_reply(c, (unsigned)(end - c->reply), big16(c->packet + 7));
}

/* Polled alone. Of the classes of events there is that of the medium: 2 is a new one. */
static void do_get_event(const struct atapi_call *c) {
    enum { POLLED = 1, MEDIUM_CLASS = 4, NO_EVENT = 0x80, PRESENT = 2, OPEN = 1, NEW_MEDIUM = 2 };
    bool medium = c->packet[4] & 1 << MEDIUM_CLASS;
    if (!(c->packet[1] & POLLED)) {
        atapi_fail(c, bad_field);
        return;
    }
    c->reply[1] = medium ? 6 : 2;
    c->reply[2] = medium ? MEDIUM_CLASS : NO_EVENT;
    c->reply[3] = 1 << MEDIUM_CLASS;
    c->reply[4] = c->drive->r.packet.changed ? NEW_MEDIUM : 0;
    c->reply[5] = is_open(c) ? OPEN : PRESENT;
    atapi_reply(c, medium ? 8 : 4, big16(c->packet + 7));
}

/* --- the table ---------------------------------------------------------------------------------------- */

enum { ANY_TIME = 1, NEEDS_MEDIUM = 2 };

static const struct packet_row {
    uint8_t code;
    uint8_t when; /* ANY_TIME: even if the guest has not been told of another medium */
    void (*run)(const struct atapi_call *);
} packet_rows[] = {
    {0x00, NEEDS_MEDIUM, do_nothing_packet}, /* TEST UNIT READY */
    {0x03, ANY_TIME, do_request_sense},
    {0x12, ANY_TIME, do_inquiry},
    {0x1b, 0, do_start_stop},
    {0x1e, 0, do_prevent},
    {0x25, NEEDS_MEDIUM, do_read_capacity},
    {0x28, NEEDS_MEDIUM, do_read_10},
    {0x2b, NEEDS_MEDIUM, do_seek_10},
    {0x43, NEEDS_MEDIUM, do_read_toc},
    {0x46, ANY_TIME, do_get_configuration},
    {0x4a, ANY_TIME, do_get_event},
    {0x51, NEEDS_MEDIUM, do_disc_information},
    {0x5a, 0, do_mode_sense},
    {0xa8, NEEDS_MEDIUM, do_read_12},
    {0xbb, 0, do_nothing_packet}, /* SET CD SPEED */
    {0xbd, 0, do_mechanism_status},
    {0xbe, NEEDS_MEDIUM, do_read_cd},
};

static const struct packet_row *find_packet(uint8_t code) {
    for (size_t i = 0; i < sizeof packet_rows / sizeof *packet_rows; i++)
        if (packet_rows[i].code == code)
            return &packet_rows[i];
    return NULL;
}

static void tell_unknown_packet(const struct atapi_call *c) {
    uint8_t code = c->packet[0], bit = 1 << (code & 7), *byte = &c->channel->told_packets[code >> 3];
    if (!(*byte & bit))
        ide_tell(c->channel, c->drive, "packet 0x%02x fails (illegal request, 20h): a CD drive of ours reads, and has "
                 "no such command", code);
    *byte |= bit;
}

void atapi_command(struct ide_channel *channel, struct ide_drive *d, const uint8_t packet[ATAPI_PACKET]) {
    enum { REQUEST_SENSE = 0x03 };
    const struct packet_row *row = find_packet(packet[0]);
    struct atapi_call c = {channel, d, packet, d->buffer};
    memset(d->buffer, 0, sizeof d->buffer);
    if (packet[0] != REQUEST_SENSE)
        d->r.packet.sense = d->r.packet.code = d->r.packet.qualifier = 0;
    if (!row) {
        tell_unknown_packet(&c);
        atapi_fail(&c, bad_command);
    } else if (d->r.packet.changed && !(row->when & ANY_TIME)) {
        d->r.packet.changed = 0;
        atapi_fail(&c, medium_changed);
    } else if (row->when & NEEDS_MEDIUM && is_open(&c)) {
        atapi_fail(&c, no_medium);
    } else {
        row->run(&c);
    }
}

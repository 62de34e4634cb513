/* Files that a client reads (vFile), and tables (qXfer:osdata). */
#include "tests/unit/test_stub_client.h"

#include <sys/stat.h>

/* --- tables ------------------------------------------------------------------------- */

static void test_tables(struct client *c) {
    static char whole[4 << 20];
    size_t length = 0, rows = 0;
    char request[64];
    CHECK(strstr(ask(c, "qXfer:osdata:read::0,1000"),
                 "<item><column name=\"Type\">gdt</column><column name=\"Description\">"
                 "&lt;segments&gt; &amp; &quot;gates&quot;</column></item>"));
    CHECK(
        strstr(ask(c, "qXfer:osdata:read:gdt:0,1000"), "code &amp; &lt;data&gt;</column></item>"));
    CHECK_STR(ask(c, "qXfer:osdata:read:none:0,1000"), "E01");
    CHECK_STR(ask(c, "qXfer:osdata:read:gdt:1000,1000"), "E01");
    CHECK_STR(ask(c, "qXfer:osdata:read:gdt"), "E01");
    do {
        snprintf(request, sizeof request, "qXfer:osdata:read:big:%zx,ff00", length);
        strcpy(whole + length, ask(c, request) + 1);
        length += strlen(whole + length);
    } while (c->text[0] == 'm' && length < sizeof whole / 2);
    CHECK(c->text[0] == 'l' && strstr(whole + length - 12, "</osdata>\n"));
    for (char *at = whole; (at = strstr(at, "<item>")); at++)
        rows++;
    CHECK(rows == 20000);
}

/* --- files ------------------------------------------------------------------------ */

static const char *open_file(struct client *c, const char *path, const char *flags) {
    char packet[1024] = "vFile:open:";
    for (const char *p = path; *p; p++)
        snprintf(packet + strlen(packet), 3, "%02x", (unsigned char)*p);
    strcat(packet, flags);
    return ask(c, packet);
}

enum { LABEL_SIZE_SEEN = 4096 };

static size_t payload(const struct client *c) {
    const char *semicolon = strchr(c->text, ';');
    return semicolon ? strlen(semicolon + 1) : 0;
}

/* S-records, and then so many blank lines that gdb's read-ahead never meets the end. */
static void test_label(struct client *c) {
    char packet[32];
    CHECK_STR(ask(c, "vFile:setfs:0"), "F0");
    CHECK_STR(open_file(c, "/cpu/16-bit real mode", ",0,0"), "F80");
    CHECK(!strncmp(ask(c, "vFile:pread:80,20000,0"), "F1000;S00600004844521B\r\nS9030000FC\r\n\n",
                   37));
    CHECK(payload(c) == LABEL_SIZE_SEEN);
    CHECK_STR(ask(c, "vFile:pread:80,4,1a"), "F4;FC\r\n");
    CHECK_STR(ask(c, "vFile:pread:80,4,1e"), "F4;\n\n\n\n");
    snprintf(packet, sizeof packet, "vFile:pread:80,1000,%x", LABEL_SIZE_SEEN - 1);
    CHECK_STR(ask(c, packet), "F1;\n");
    snprintf(packet, sizeof packet, "vFile:pread:80,1000,%x", LABEL_SIZE_SEEN);
    CHECK_STR(ask(c, packet), "F0;");
    CHECK_STR(ask(c, "vFile:pread:80,1000,7fffffffffffffff"), "F0;");
    CHECK(!strncmp(ask(c, "vFile:fstat:80"), "F40;", 4));
    CHECK_STR(ask(c, "vFile:close:80"), "F0");
    CHECK_STR(ask(c, "vFile:pread:82,1,0"), "F-1,9");
    CHECK_STR(ask(c, "vFile:close:0"), "F-1,9");
    CHECK_STR(ask(c, "vFile:close:zz"), "F-1,9");
    CHECK_STR(ask(c, "vFile:pread:0,1,0"), "F-1,9");
    CHECK_STR(ask(c, "vFile:fstat:ffffffffffffffff"), "F-1,9");
    CHECK_STR(ask(c, "vFile:pread:80,1,ffffffffffffffff"), "F-1,16");
    CHECK_STR(ask(c, "vFile:pread:80,1"), "F-1,16");
    CHECK_STR(ask(c, "vFile:open:2f6,0,0"), "F-1,16");
    CHECK_STR(ask(c, "vFile:open:2f0061,0,0"), "F-1,16");
    CHECK_STR(ask(c, "vFile:readlink:2f61"), "F-1,16");
    CHECK_STR(ask(c, "vFile:unlink:2f61"), "F-1,1e");
    CHECK_STR(ask(c, "vFile:pwrite:0,0,a"), "F-1,1e");
    CHECK_STR(open_file(c, "/cpu/", ",0,0"), "F-1,2");
    CHECK_STR(open_file(c, "/cpu/../etc/passwd", ",0,0"), "F-1,2");
}

static const char *readable(struct client *c, const char *path) {
    snprintf(c->fake->readable, sizeof c->fake->readable, "%s", path);
    return open_file(c, path, ",0,1c0");
}

/* Even what the target allows is no link, directory or device. */
static void test_paths(struct client *c) {
    char folder[] = "/tmp/test-stub-XXXXXX", file[64], link[64], pipe[64], path[160];
    CHECK(mkdtemp(folder) != NULL);
    snprintf(file, sizeof file, "%s/image", folder);
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(pipe, sizeof pipe, "%s/pipe", folder);
    FILE *out = fopen(file, "w");
    fputs("ELF}#$*", out);
    fclose(out);
    CHECK(!symlink(file, link) && !mkfifo(pipe, 0600));
    CHECK_STR(open_file(c, file, ",0,0"), "F-1,2");
    CHECK_STR(readable(c, file), "F0");
    CHECK_STR(ask(c, "vFile:pread:0,100,0"), "F7;ELF}]}\x03}\x04}\x0a");
    CHECK_STR(open_file(c, file, ",1,0"), "F-1,1e");
    CHECK_STR(open_file(c, file, ",601,1c0"), "F-1,1e");
    CHECK_STR(readable(c, link), "F-1,2");
    CHECK_STR(readable(c, pipe), "F-1,2");
    CHECK_STR(readable(c, folder), "F-1,2");
    CHECK_STR(readable(c, "/dev/zero"), "F-1,2");
    CHECK_STR(readable(c, "image"), "F-1,2");
    snprintf(path, sizeof path, "%s/../%s", folder, file + 5);
    CHECK_STR(readable(c, path), "F-1,2");
    unlink(file), unlink(link), unlink(pipe), rmdir(folder);
}

/* gdb up to 16 leaves the label open at each change of mode. */
static void test_many_files(struct client *c) {
    for (unsigned i = 0; i < 1000; i++)
        open_file(c, "/cpu/x", ",0,0");
    CHECK_STR(c->text, "F80");
    strcpy(c->fake->readable, "/proc/self/status");
    for (unsigned i = 0; i < 1000; i++)
        open_file(c, "/proc/self/status", ",0,0");
    CHECK_STR(c->text, "F-1,18");
    CHECK_STR(ask(c, "vFile:close:3f"), "F0");
    CHECK_STR(open_file(c, "/proc/self/status", ",0,0"), "F3f");
}

/* Clients come, open files and tables, and go: nothing of them stays. */
static void test_rounds(struct fake *f) {
    int first = dup(0), last;
    close(first);
    for (unsigned i = 0; i < unit_tries(500); i++) {
        struct client *c = client_gdb(f);
        open_file(c, "/cpu/x", ",0,0");
        ask(c, "?");
        ask(c, "qXfer:features:read:target.xml:0,20");
        ask(c, "qXfer:osdata:read:big:0,10");
        client_free(c);
        for (int pid = 1; pid <= FAKE_PROCESSES; pid++)
            fake_halt(f, pid);
    }
    last = dup(0);
    close(last);
    CHECK(first == last);
}

int main(void) {
    struct gdb_target target;
    struct fake *f = world_open(&target);
    struct client *c = client_gdb(f);
    test_tables(c);
    test_label(c);
    test_paths(c);
    test_many_files(c);
    client_free(c);
    world_close(f);
    f = world_open(&target);
    test_rounds(f);
    world_close(f);
    return unit_end();
}

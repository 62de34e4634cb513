/* Agent expressions: every opcode, hostile code, printf, and conditions on points. */
#include "gdbstub/agent/agent.h"
#include "tests/unit/test_stub_client.h"

#include "gdbstub/hex.h"

#include <time.h>

static char printed[8192];
static int64_t variables[4];
static uint64_t collected_from, collected_length;

static bool read_register(void *context, unsigned number, uint64_t *value) {
    (void)context;
    *value = 0x1000 + number;
    return number < 16;
}
static bool read_memory(void *context, uint64_t address, void *to, size_t length) {
    static const char text[] = "\x01\x82\x03\x84\x05\x86\x07\x88hello\0";
    (void)context;
    if (address < 0x100 || address - 0x100 > sizeof text || length > 0x100 + sizeof text - address)
        return false;
    memcpy(to, text + (address - 0x100), length);
    return true;
}
static void print(void *context, const char *text, size_t length) {
    (void)context;
    strncat(printed, text, length);
}
static bool variable(void *context, unsigned number, int64_t *value, enum agent_variable how) {
    (void)context;
    if (number < 4 && how == AGENT_SET)
        variables[number] = *value;
    else if (number < 4)
        *value = variables[number];
    return number < 4;
}
static bool collect(void *context, uint64_t address, uint64_t length) {
    (void)context;
    collected_from = address;
    collected_length = length;
    return true;
}
static const struct gdb_agent_host host = {
    .read_register = read_register, .read_memory = read_memory, .print = print,
    .variable = variable, .collect = collect};

static size_t decode(const char *hex, uint8_t *code) {
    size_t length = strlen(hex) / 2;
    for (size_t i = 0; i < length; i++)
        sscanf(hex + 2 * i, "%2hhx", &code[i]);
    return length;
}

enum { FAILS = 0x7ffffff0, REFUSED }; /* evaluation; check */

static int64_t value_of(const char *hex) {
    uint8_t *code = malloc(strlen(hex) / 2 + 1); /* exactly: the sanitizer sees more */
    int64_t value = FAILS;
    size_t length = decode(hex, code);
    if (gdb_agent_check(code, length))
        value = REFUSED;
    else if (!gdb_agent_eval(code, &host, &value))
        value = FAILS;
    free(code);
    return value;
}

static const struct {
    const char *hex;
    int64_t value;
} cases[] = {
    {"27", 0},
    {"220527", 5},
    {"2212342327", REFUSED},
    {"23123427", 0x1234},
    {"241234567827", 0x12345678},
    {"25fedcba987654321027", (int64_t)0xfedcba9876543210},
    {"220722030227", 10},
    {"220722030327", 4},
    {"220722030427", 21},
    {"220722030527", 2},
    {"22f922160827", 0xf9 % 0x16},
    {"22f91608220305" "27", -2}, /* -7 / 3 */
    {"22f91608220307" "27", -1},
    {"22f91608220306" "27", 0x5555555555555553},
    {"220122000527", FAILS},
    {"220122000627", FAILS},
    {"220122000727", FAILS},
    {"220122000827", FAILS},
    {"25800000000000000022ff160805" "27", INT64_MIN},
    {"25800000000000000022ff160807" "27", 0},
    {"22012204" "0927", 16},
    {"22012240" "0927", 0},
    {"22801608" "22ff0a27", -1},
    {"22f016082204" "0a27", -1},
    {"22f02204" "0b27", 15},
    {"22f02280" "0b27", 0},
    {"22000e27", 1},
    {"220c220a0f27", 8},
    {"220c220a1027", 14},
    {"220c220a1127", 6},
    {"22001227", -1},
    {"220522051327", 1},
    {"22ff160822011427", 1},
    {"22ff160822011527", 0},
    {"22ff160827", -1},
    {"22ff2a0427", 15},
    {"22ff164027", 255},
    {"22ff160027", REFUSED},
    {"22ff164127", REFUSED},
    {"2301001727", 0x01},
    {"2301011827", 0x0382},
    {"2301001927", (int64_t)0x84038201},
    {"2301001a27", (int64_t)0x8807860584038201},
    {"22001927", FAILS},
    {"26000327", 0x1003},
    {"26ffff27", FAILS},
    {"220528" "0227", 10},
    {"220522062927", 5},
    {"220722032b0327", -4},
    {"2201220232010327", 1}, /* 1 2 1 -: 2 - 1 */
    {"22012202320227", REFUSED},
    {"22012202220333030327", 4}, /* 3 1 2: 3 - (1 - 2) */
    {"2201200006220727", REFUSED},
    {"22012000082208272209" "27", 9},
    {"2109", REFUSED},
    {"210000", FAILS},        /* for ever */
    {"220521000027", REFUSED}, /* for ever, and growing */
    {"2200200000220727", 7},
    {"2201200000", REFUSED},
    {"02", REFUSED},
    {"220102", REFUSED},
    {"2901", REFUSED},
    {"00", REFUSED},
    {"01", REFUSED},
    {"1b", REFUSED},
    {"3127", REFUSED},
    {"ff", REFUSED},
    {"", REFUSED},
    {"22", REFUSED},
    {"25010203", REFUSED},
    {"20", REFUSED},
    {"34", REFUSED},
    {"3400ffff27", REFUSED},
    {"3400000027", REFUSED},
    {"22092d00022c000202" "27", 18},
    {"2c000427", FAILS},
    {"2e000427", 0},
};

static void test_opcodes(void) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = value_of(cases[i].hex);
        if (value != cases[i].value)
            fprintf(stderr, "%s: %lld\n", cases[i].hex, (long long)value);
        CHECK(value == cases[i].value);
    }
    CHECK(value_of("23010022050c27") == 0 && collected_from == 0x100 && collected_length == 5);
    CHECK(value_of("2301000d0727") == 0x100 && collected_length == 7);
    CHECK(value_of("23010030010227") == 0x100 && collected_length == 0x102);
    CHECK(value_of("23010822ff2f27") == 0 && collected_length == 6);
}

/* As deep as it may be, and one deeper. */
static void test_depth(void) {
    char hex[8 * AGENT_STACK_MAX] = "";
    for (unsigned i = 0; i < AGENT_STACK_MAX; i++)
        strcat(hex, "2201");
    strcat(hex, "27");
    CHECK(value_of(hex) == 1);
    strcpy(hex + strlen(hex) - 2, "2827");
    CHECK(value_of(hex) == REFUSED);
    uint8_t long_code[AGENT_LENGTH_MAX + 1];
    memset(long_code, 0x27, sizeof long_code);
    CHECK(!gdb_agent_check(long_code, AGENT_LENGTH_MAX));
    CHECK(gdb_agent_check(long_code, AGENT_LENGTH_MAX + 1) != NULL);
}

/* Whatever passes the check must run without a fault. */
static void test_noise(void) {
    uint64_t seed = 1;
    unsigned sound = 0;
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t code[24];
        for (size_t i = 0; i < sizeof code; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            code[i] = (uint8_t)((seed >> 40) % 0x36);
        }
        code[sizeof code - 1] = 0x27;
        int64_t value;
        if (gdb_agent_check(code, sizeof code))
            continue;
        sound++;
        printed[0] = 0;
        gdb_agent_eval(code, &host, &value);
    }
    CHECK(sound > 100);
}

/* --- printf ------------------------------------------------------------------------ */

static const char *format(const char *text, uint64_t a, uint64_t b) {
    uint64_t arguments[] = {a, b};
    printed[0] = 0;
    if (agent_print_check(text, strlen(text) + 1, 2))
        return "refused";
    agent_print(text, arguments, 2, &host);
    return printed;
}

static void test_printf(void) {
    CHECK_STR(format("i=%d p=%p\\n", 5, 0x1234), "i=5 p=0x1234\n");
    CHECK_STR(format("%d %u", 0xffffffff, 0xffffffff), "-1 4294967295");
    CHECK_STR(format("%ld %lx", (uint64_t)-1, (uint64_t)-1), "-1 ffffffffffffffff");
    CHECK_STR(format("%hhd %hd", 0x1ff, 0x18000), "-1 -32768");
    CHECK_STR(format("[%5s] [%-7s]", 0x108, 0x108), "[hello] [hello  ]");
    CHECK_STR(format("[%.2s] %s", 0x108, 0), "[he] <no memory at 0x0>");
    CHECK_STR(format("%08x|%-4c|", 0xbeef, 'x'), "0000beef|x   |");
    CHECK_STR(format("%%\\t\\\\\\101\\q", 0, 0), "%\t\\Aq");
    CHECK_STR(format("%n", 0, 0), "refused");
    CHECK_STR(format("%*d", 0, 0), "refused");
    CHECK_STR(format("%f", 0, 0), "refused");
    CHECK_STR(format("%", 0, 0), "refused");
    CHECK_STR(format("%999999999999d", 0, 0), "refused");
    CHECK_STR(format("%d%d%d", 0, 0), "refused");
    CHECK(strlen(format("%256d%.256d", 1, 1)) == 512);
    CHECK(agent_print_check("x", 1, 0) && agent_print_check("", 0, 0));
}

/* --- on points ----------------------------------------------------------------------- */

static struct gdb_program *inserted(struct client *c, const char *options) {
    char packet[512];
    snprintf(packet, sizeof packet, "Z0,1100,1%s", options);
    CHECK_STR(ask(c, packet), "OK");
    for (unsigned i = 0; i < FAKE_POINTS; i++)
        if (c->fake->process[0].breakpoints[i].used)
            return c->fake->process[0].breakpoints[i].program;
    return NULL;
}

static void test_programs(struct client *c) {
    CHECK(!inserted(c, ""));
    CHECK(gdb_program_stops(inserted(c, ";X3,220127"), &host));
    CHECK(!gdb_program_stops(inserted(c, ";X3,220027"), &host));
    CHECK(gdb_program_stops(inserted(c, ";X3,220027X3,220127"), &host));
    CHECK(gdb_program_stops(inserted(c, ";X6,220122000527"), &host)); /* in doubt */
    CHECK(gdb_program_stops(inserted(c, ";X3,210000"), &host));
    printed[0] = 0;
    static const char say[] = "cmds:1,Xb,22002200340000026800" "27"; /* h */
    char options[128];
    snprintf(options, sizeof options, ";%s", say);
    struct gdb_program *program = inserted(c, options);
    CHECK(!gdb_program_stops(program, &host) && gdb_program_persists(program));
    CHECK_STR(printed, "h");
    CHECK(gdb_program_layout(program) == &fake_i386);
    snprintf(options, sizeof options, ";X3,220027;%s", say);
    CHECK(!gdb_program_stops(inserted(c, options), &host));
    CHECK_STR(printed, "h");
}

/* As many as a hostile client likes; the target has its bound. */
static void test_million(struct client *c) {
    static char packets[1000 * 32];
    for (unsigned i = 0; i < 1000; i++)
        strcpy(packets + strlen(packets), i % 2 ? "$Z0,1100,1;X1,27#00" : "$Z0,1200,1#00");
    size_t length = strlen(packets);
    for (unsigned i = 0; i < 1000; i++)
        client_raw(c, packets, length);
    CHECK_STR(ask(c, "qC"), "QCp1.1");
}

static void measure(void) {
    uint8_t code[64];
    struct timespec from, to;
    int64_t value, sum = 0;
    decode("26000522080222040219162022071327", code);
    CHECK(!gdb_agent_check(code, 16));
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned i = 0; i < 1000000; i++)
        sum += gdb_agent_eval(code, &host, &value);
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("%.1f million evaluations a second\n", 1 / seconds + 0 * (double)sum);
}

static bool at_100e(void *context, uint64_t address) {
    (void)context;
    return address == 0x100e;
}

static bool is_doubtful(const char *hex) {
    uint8_t code[64];
    size_t length = strlen(hex) / 2;
    CHECK(hex_decode(code, hex, length) && !gdb_agent_check(code, length));
    return gdb_agent_doubtful(code, length, at_100e, NULL);
}

/* As gdb 13.1, 16.3 and 18.1 compile them, with a label at 0x100e. */
static void test_doubtful(void) {
    CHECK(is_doubtful("23100e1919162022031327"));         /* *(int *)&label == 3 */
    CHECK(is_doubtful("23100e1918161022021327"));         /* *(short *)&label == 2 */
    CHECK(is_doubtful("2600082a2023100e191327"));         /* $eip == &label */
    CHECK(!is_doubtful("23100e19162022031327"));          /* {int}&label == 3 */
    CHECK(!is_doubtful("2600082a2023100e1327"));          /* $eip == label */
    CHECK(!is_doubtful("2310001919162022031327"));        /* **(int **)0x1000 == 3 */
    CHECK(!is_doubtful("23100e192a2022031327"));          /* {unsigned}&label == 3 */
    CHECK(!is_doubtful("22032723100e"));                  /* behind the end, cut off */
}

int main(void) {
    struct gdb_target target;
    test_opcodes();
    test_doubtful();
    test_depth();
    test_noise();
    test_printf();
    struct fake *f = world_open(&target);
    struct client *c = client_gdb(f);
    test_programs(c);
    test_million(c);
    client_free(c);
    world_close(f);
    measure();
    return unit_end();
}

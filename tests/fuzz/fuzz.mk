# The fuzzers: with clang's libFuzzer under build/fuzz, and with corpus.c as unit tests.
# A new one is a file here, its name in FUZZERS, and what it links with.

FUZZERS := packets bridge agent images replay cpu devices vga ide atapi eltorito floppy disk pci bios
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 0

FUZZ    := $(BUILD)/tests/fuzz
CORPORA := $(FUZZERS:%=$(BUILD)/tests/unit/corpus_%)
FUZZER_PROGRAMS := $(FUZZERS:%=$(FUZZ)/fuzz_%)

CLIENT := $(addprefix $(FUZZ)/,client.o frames.o loopback.o)
GUEST  := $(FUZZ)/guest.o
WRAP_GUEST := -Wl,--wrap=engine_soft,--wrap=pthread_cond_timedwait

# Objects come before the library, which has what they do not define themselves.
PARTS_packets := $(CLIENT)
PARTS_bridge  := $(CLIENT) $(GUEST)
PARTS_images  := $(GUEST)
PARTS_replay  := $(GUEST)
PARTS_devices := $(GUEST)
PARTS_bios    := $(GUEST)
WRAP_images   := $(WRAP_GUEST)
WRAP_replay   := $(WRAP_GUEST)
WRAP_devices  := $(WRAP_GUEST)
WRAP_bios     := $(WRAP_GUEST)
WRAP_bridge   := $(WRAP_GUEST),--wrap=replay_save

.SECONDEXPANSION:
$(CORPORA): $(BUILD)/tests/unit/corpus_%: $(FUZZ)/%.o $(FUZZ)/corpus.o \
    $$(PARTS_$$*) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $(WRAP_$*) -o $@ $^

$(FUZZER_PROGRAMS): $(FUZZ)/fuzz_%: $(FUZZ)/%.o $$(PARTS_$$*) $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer $(WRAP_$*) -o $@ $^

units: $(CORPORA)

# libFuzzer looks at every comparison, to guess magic numbers: the built-in CPU has none,
# and would be four times slower.
ifneq ($(findstring fuzzer,$(SANITIZE)),)
$(BUILD)/vmm/engines/soft/%.o: ALL_CFLAGS += -fno-sanitize-coverage=trace-cmp
endif

.PHONY: fuzz fuzzers
fuzzers: $(FUZZER_PROGRAMS) ## the fuzzers, not run; needs clang
fuzz: all ## every fuzzer for FUZZ_SECONDS (60), two at a time; needs clang
	tests/fuzz/run --program=$(PROGRAM) --seconds=$(FUZZ_SECONDS) --seed=$(FUZZ_SEED)

-include $(wildcard $(FUZZ)/*.d)

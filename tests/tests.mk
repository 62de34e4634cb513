# The tests: programs under build/tests, guests under build/tests/guests, and the
# targets that run them. tests/run is the runner.

TEST_GUESTS := $(patsubst tests/guests/%.S,$(BUILD)/tests/guests/%.elf,$(wildcard tests/guests/*.S))

$(BUILD)/tests/guests/%.elf: tests/guests/%.S guests/guest.ld
	@mkdir -p $(@D)
	$(CC) -m32 -g -c -o $(@:.elf=.o) $<
	$(LD) -m elf_i386 $(GUEST_LDFLAGS) -T guests/guest.ld -o $@ $(@:.elf=.o)

.PHONY: units test-guests
units: $(UNITS)
test-guests: $(TEST_GUESTS)

.PHONY: bench bench-reverse demo
bench: all test-guests
	scripts/bench --program=$(PROGRAM) --build=$(BUILD)

bench-reverse: all ## going back in time, beside QEMU's record/replay (minutes)
	scripts/bench-reverse --program=$(PROGRAM)

demo:
	scripts/demo

# What the environment of a run does wrong on purpose (tests/faults).
FAULTS := $(BUILD)/tests/faults.so
$(FAULTS): tests/faults/faults.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -O1 -Wall -Wextra -shared -fPIC -o $@ $<
units: $(FAULTS)

# Engine against engine (tests/lockstep), and how fast the built-in one is.
LOCKSTEP := $(addprefix $(BUILD)/tests/lockstep/,lockstep_guests lockstep_streams)
$(LOCKSTEP): $(BUILD)/tests/lockstep/lockstep.o
$(BUILD)/tests/lockstep/lockstep_streams: $(patsubst %.c,$(BUILD)/%.o,\
    $(wildcard tests/lockstep/streams_*.c))
$(BUILD)/tests/lockstep/%: $(BUILD)/tests/lockstep/%.o $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) -o $@ $^

units: $(LOCKSTEP)

.PHONY: bench-soft
bench-soft: $(BUILD)/tests/lockstep/bench_soft ## the built-in CPU's speed
	$<

# What the partial KVM of a machine cannot show: the same tests on a complete one.
.PHONY: test-nested test-nested-intel
test-nested: all units test-guests ## sessions, guests, lockstep on a complete KVM (AMD's, minutes)
	tests/nested amd

test-nested-intel: all units test-guests ## the same on Intel's, which lacks nothing (longer)
	tests/nested intel

# The tests: programs under build/tests, guests under build/tests/guests, and the
# targets that run them. tests/run is the runner.

TEST_GUESTS := $(patsubst tests/guests/%.S,$(BUILD)/tests/guests/%.elf,$(wildcard tests/guests/*.S))

# A guest is linked as those of guests/ are, or by a script of its own beside it.
$(BUILD)/tests/guests/%.elf: tests/guests/%.S guests/guest.ld $(wildcard tests/guests/*.ld)
	@mkdir -p $(@D)
	$(GUEST_CC) -m32 -g -c -o $(@:.elf=.o) $<
	$(LD) -m elf_i386 $(GUEST_LDFLAGS) -T $(firstword $(wildcard $(<:.S=.ld)) guests/guest.ld) \
	  -o $@ $(@:.elf=.o)

# 64-bit code: as guests/long64.S.
$(BUILD)/tests/guests/%64.elf: tests/guests/%64.S guests/guest.ld
	@mkdir -p $(@D)
	$(GUEST_CC) -mx32 -I. -g -c -o $(@:.elf=.o) $<
	$(LD) -m elf32_x86_64 $(GUEST_LDFLAGS) -T guests/guest.ld -o $@.x32 $(@:.elf=.o)
	$(OBJCOPY) -I elf32-x86-64 -O elf32-i386 $@.x32 $@
	@rm -f $@.x32

TEST_GUESTS += $(BUILD)/tests/guests/rom.bin
$(BUILD)/tests/guests/rom.bin: $(BUILD)/tests/guests/rom.elf
	objcopy -O binary -j .text $< $@

# A disk of 2 MiB. Each sector begins with its number.
DISK_IMAGE := $(BUILD)/tests/guests/disk.img
TEST_GUESTS += $(DISK_IMAGE)
$(DISK_IMAGE): tests/tests.mk
	@mkdir -p $(@D)
	python3 -c 'import sys; sys.stdout.buffer.write(b"".join(n.to_bytes(4, "little").ljust(512, b"-") for n in range(4096)))' > $@

# Boot sectors with what they load, on diskettes of 1.44M.
BOOT_GUESTS := $(patsubst tests/boot/%.S,$(BUILD)/tests/boot/%.img,$(wildcard tests/boot/*.S))
TEST_GUESTS += $(BOOT_GUESTS)
$(BUILD)/tests/boot/%.img: tests/boot/%.S tests/boot/check.h
	@mkdir -p $(@D)
	$(GUEST_CC) -m32 -g -Itests/boot -c -o $(@:.img=.o) $<
	$(LD) -m elf_i386 -nostdlib --build-id=none --no-warn-rwx-segments -Ttext=0x7c00 -o $(@:.img=.elf) $(@:.img=.o)
	objcopy -O binary -j .text $(@:.img=.elf) $@
	truncate -s 1440K $@

# A CD that is booted as a hard disk.
TEST_GUESTS += $(BUILD)/tests/boot/cd-disk.iso
$(BUILD)/tests/boot/cd-disk.iso: tests/boot/cd.py $(BUILD)/tests/boot/cd.img
	PYTHONDONTWRITEBYTECODE=1 python3 tests/boot/cd.py $@ $(BUILD)/tests/boot/cd.img disk

# Time that no test waits for.
$(BUILD)/tests/unit/test_time: WRAP = -Wl,--wrap=pthread_cond_wait,--wrap=pthread_cond_timedwait,--wrap=time

# A client that reads at a certain moment.
$(BUILD)/tests/unit/test_bridge_text: WRAP = -Wl,--wrap=gdb_server_handle

# A KVM that can do what the test says, and a guest that is looked at.
$(BUILD)/tests/unit/test_step_holds: WRAP = -Wl,--wrap=probe_traits,--wrap=debug_enter

# A mouse that moves at a certain moment.
$(BUILD)/tests/unit/test_bios_keyboard: WRAP = -Wl,--wrap=keys_next

# Memory and files that fail when the test says so.
$(BUILD)/tests/unit/test_disk: WRAP = -Wl,--wrap=calloc,--wrap=pread

# What is about the built-in CPU alone (but what takes minutes if it is not optimised).
SOFT_UNITS := $(filter-out %/test_soft_paths,$(filter $(addprefix $(BUILD)/tests/unit/test_,soft_% fpu_handover),$(UNITS))) \
              $(BUILD)/tests/unit/corpus_cpu
.PHONY: _soft-units
_soft-units: $(SOFT_UNITS)

.PHONY: units test-guests
units: $(UNITS) ## the programs of tests/unit and tests/lockstep, not run
test-guests: $(TEST_GUESTS) ## the guests of tests/guests

# Said before a compiler or the runner is missed.
.PHONY: _needed
_needed:
	@scripts/needs 'make test' $(firstword $(CC)) python3 gdb

.PHONY: bench bench-reverse bench-transport demo
bench: all test-guests ## speed and start-up times, beside other programs
	scripts/bench --program=$(PROGRAM) --build=$(BUILD)

bench-reverse: all ## going back in time, beside QEMU's record/replay (minutes)
	scripts/bench-reverse --program=$(PROGRAM)

bench-transport: all ## gdb over a pipe, TCP and a Unix socket
	scripts/bench-transport --program=$(PROGRAM)

demo: ## a short gdb session; says what it needs, installs it when it may
	scripts/demo

# What the environment of a run does wrong on purpose (tests/faults).
FAULTS := $(BUILD)/tests/faults.so
$(FAULTS): tests/faults/faults.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -O1 -Wall -Wextra -shared -fPIC -o $@ $<
units: $(FAULTS)

# A system call in another process (tests/cli/sandbox.sh).
INJECT := $(BUILD)/tests/inject
$(INJECT): tests/sandbox/inject.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -o $@ $<
units: $(INJECT)

# Engine against engine (tests/lockstep), and how fast the built-in one is.
LOCKSTEP := $(addprefix $(BUILD)/tests/lockstep/,lockstep_guests lockstep_streams lockstep_steps lockstep_cpuid lockstep_handover lockstep_signals)
$(LOCKSTEP): $(BUILD)/tests/lockstep/lockstep.o
$(BUILD)/tests/lockstep/lockstep_streams: $(patsubst %.c,$(BUILD)/%.o,\
    $(wildcard tests/lockstep/streams_*.c))
$(BUILD)/tests/lockstep/%: $(BUILD)/tests/lockstep/%.o $(LIBRARY)
	$(CC) $(ALL_LDFLAGS) -o $@ $^

$(BUILD)/tests/lockstep/bench_soft: $(BUILD)/tests/lockstep/bench_loops.o
$(BUILD)/tests/lockstep/bench_loops.o: $(addprefix tests/lockstep/,bench_loops.S bench_fp.inc)
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<

units: $(LOCKSTEP)
-include $(wildcard $(BUILD)/tests/lockstep/*.d)

.PHONY: bench-soft
bench-soft: $(BUILD)/tests/lockstep/bench_soft ## the built-in CPU's speed
	$<

# Sixteen machines and a client that does what comes to its mind.
MINUTES ?= 60
SOAK     = tests/soak --program=$(PROGRAM) --build=$(BUILD) $(SOAK_SEED:%=--seed=%)
.PHONY: soak
soak: all ## sixteen machines under a random client, memory watched (MINUTES=60, SOAK_SEED=N)
	$(SOAK) --minutes=$(MINUTES)

# What has several threads at work, under ThreadSanitizer; each report ends the program.
THREADED_UNITS := test_machine test_stub_nonstop
THREADED := two-machines many-machines non-stop nonstop gdb-sessions gdb-flood parallel \
            signals idle input take-over change-engine cli/screen $(THREADED_UNITS)
.PHONY: tsan _tsan-tests
tsan: ## the tests with several machines or threads under ThreadSanitizer
	$(MAKE) BUILD=build/tsan PROGRAM=build/tsan/minikvm CFLAGS='-O1 -g' \
	  SANITIZE=-fsanitize=thread _tsan-tests
_tsan-tests: export TSAN_OPTIONS = halt_on_error=1 exitcode=66
_tsan-tests: all test-guests $(THREADED_UNITS:%=$(BUILD)/tests/unit/%)
	tests/run --build=$(BUILD) --program=$(PROGRAM) $(THREADED)
	$(SOAK) --minutes=0.5

# What the partial KVM of a machine cannot show: the same tests on a complete one.
.PHONY: test-clients
test-clients: all test-guests ## sessions and scripts with the clients of other Debian releases (root, network)
	BUILD=$(BUILD) PROGRAM=$(PROGRAM) tests/clients/run

.PHONY: test-nested test-nested-intel
test-nested: all units test-guests ## sessions, guests, lockstep on a complete KVM (AMD's, minutes)
	tests/nested amd

test-nested-intel: all units test-guests ## the same on Intel's, which lacks nothing (longer)
	tests/nested intel

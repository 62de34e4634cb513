/* How the CPU sees a VGA's display memory; see vga.h.
 *
 * Rule: a byte of a plane is in one place only: in RAM while the view has it there, else in
 * the adapter's memory.
 */
#include "vmm/devices/display/vga.h"

#include "vmm/memory/layout.h"

enum { CHAIN_4 = 8, SEQUENTIAL = 4, WINDOW_SHIFT = 2, WINDOW_MASK = 3 };
enum { MODE_BITS = 0x0b, MODE_ODD_EVEN = 0x10, MISC_CHAIN = 2 }; /* MODE_BITS: write and read mode */

/* Graphics register 6, bits 3 and 2. */
static const struct {
    uint32_t base, size;
} windows[] = {{0xa0000, 0x20000}, {0xa0000, 0x10000}, {0xb0000, 0x8000}, {0xb8000, 0x8000}};
enum { WINDOW_VGA = 1, WINDOW_CGA = 3 };

/* --- which view ----------------------------------------------------------------------- */

/* Bytes come and go as they are. */
static bool bytes_pass_unchanged(const struct vga *v) {
    const uint8_t *g = v->graphics;
    return !g[GRAPHICS_ENABLE_SET_RESET] && !g[GRAPHICS_ROTATE] && !(g[GRAPHICS_MODE] & MODE_BITS) &&
           g[GRAPHICS_BIT_MASK] == 0xff;
}

static bool is_odd_even(const struct vga *v) {
    const uint8_t *g = v->graphics;
    return !(v->sequencer[SEQUENCER_MEMORY_MODE] & SEQUENTIAL) && g[GRAPHICS_MODE] & MODE_ODD_EVEN &&
           g[GRAPHICS_MISCELLANEOUS] & MISC_CHAIN && !(g[GRAPHICS_READ_MAP] & 2);
}

static enum vga_view wanted_view(const struct vga *v, unsigned window) {
    unsigned mask = v->sequencer[SEQUENCER_MAP_MASK], mode = v->sequencer[SEQUENCER_MEMORY_MODE];
    if (dispi_is_on(&v->dispi))
        return VIEW_BANK;
    if (!bytes_pass_unchanged(v))
        return VIEW_PLANES;
    if (mode & CHAIN_4)
        return mask == 15 && window == WINDOW_VGA ? VIEW_CHAIN4 : VIEW_PLANES;
    if (window > WINDOW_VGA && mask == 3 && is_odd_even(v))
        return VIEW_ODD_EVEN;
    bool plane0 = mask == 1 && mode & SEQUENTIAL && !v->graphics[GRAPHICS_READ_MAP];
    return window == WINDOW_CGA && plane0 ? VIEW_PLANE0 : VIEW_PLANES;
}

/* --- where a byte is ------------------------------------------------------------------ */

/* Address bits that choose the plane. */
static unsigned plane_bits(enum vga_view view) {
    return view == VIEW_CHAIN4 ? 3 : view == VIEW_ODD_EVEN ? 1 : 0;
}

/* How much of the window is in RAM: a plane's offsets end at 64 KiB. */
static unsigned view_size(enum vga_view view, unsigned window) {
    unsigned size = windows[window].size;
    bool in_ram = view != VIEW_PLANES && view != VIEW_BANK;
    return !in_ram ? 0 : size < VGA_PLANE_SIZE ? size : VGA_PLANE_SIZE;
}

/* The guest may be writing there now: a byte is as it was before or after, which is what a
 * screen shows, so there is nothing to wait for. */
__attribute__((no_sanitize("thread"))) struct vga_bytes vga_bytes_at(const struct vga *v, const struct memory *m,
                                                                     unsigned offset) {
    unsigned bits = plane_bits(v->view), size = view_size(v->view, v->window);
    struct vga_bytes b;
    offset &= VGA_PLANE_SIZE - 1;
    if (v->view == VIEW_ODD_EVEN)
        offset &= size - 1; /* as a CGA's memory, it comes again */
    for (unsigned p = 0; p < VGA_PLANES; p++) {
        bool in_ram = p <= bits && !(offset & bits) && offset < size;
        const volatile uint8_t *from = in_ram ? m->ram + windows[v->window].base + offset + p
                                              : memory_vram(m) + offset * VGA_PLANES + p;
        b.plane[p] = *from;
    }
    return b;
}

/* --- from one view to another --------------------------------------------------------- */

static void carry_over(struct vga *v, bool to_ram) {
    unsigned bits = plane_bits(v->view), size = view_size(v->view, v->window);
    uint8_t *ram = v->memory->ram + windows[v->window].base, *vram = memory_vram(v->memory);
    if (to_ram)
        memory_dirty(v->memory, ram, size);
    else
        memory_dirty(v->memory, vram, (uint64_t)size * VGA_PLANES);
    for (unsigned i = 0; i < size; i++) {
        uint8_t *byte = vram + (i & ~bits) * VGA_PLANES + (i & bits);
        if (to_ram)
            ram[i] = *byte;
        else
            *byte = ram[i];
    }
}

static bool set_window(struct vga *v) {
    struct memory_piece hole = {0};
    if (v->view == VIEW_PLANES)
        hole = (struct memory_piece){.phys = windows[v->window].base, .length = windows[v->window].size};
    if (v->view == VIEW_BANK)
        hole = (struct memory_piece){.phys = windows[WINDOW_VGA].base, .length = DISPI_BANK_SIZE,
                                     .at = memory_vram(v->memory) + v->dispi.bank * DISPI_BANK_SIZE};
    return memory_set_window(v->memory, &hole);
}

void vga_remap(struct vga *v) {
    unsigned window = v->graphics[GRAPHICS_MISCELLANEOUS] >> WINDOW_SHIFT & WINDOW_MASK;
    enum vga_view view = wanted_view(v, window);
    if (view != v->view || window != v->window) {
        carry_over(v, false);
        v->view = view;
        v->window = window;
        carry_over(v, true);
    } else if (view != VIEW_BANK) {
        return;
    }
    if (set_window(v))
        v->board->moved(v->board->machine);
}

/* --- the framebuffer: mapped when it is first used -------------------------------------- */

static bool set_framebuffer(struct vga *v) {
    return memory_set_framebuffer(v->memory, v->dispi.mapped ? v->dispi.framebuffer : 0);
}

void vga_map_framebuffer(struct vga *v) {
    v->dispi.mapped = true;
    if (set_framebuffer(v))
        v->board->moved(v->board->machine);
}

/* Where it is from the start its first access comes to dispi.c; elsewhere nobody would answer. */
void vga_set_framebuffer(struct vga *v, uint32_t base) {
    v->dispi.framebuffer = base ? base : MEMORY_FRAMEBUFFER;
    if (v->dispi.mapped || v->dispi.framebuffer != MEMORY_FRAMEBUFFER)
        vga_map_framebuffer(v);
}

/* --- power-on, and snapshots ------------------------------------------------------------ */

void vga_forget_map(struct vga *v) {
    v->view = VIEW_ODD_EVEN;
    v->window = WINDOW_CGA;
    bool window = set_window(v), framebuffer = set_framebuffer(v);
    if (window || framebuffer)
        v->board->moved(v->board->machine);
}

void vga_restore_map(struct vga *v) {
    set_window(v);
    set_framebuffer(v);
}

/* The pair of 8237 DMA controllers and their page registers: 0x00-0x0F, 0xC0-0xDF, 0x81-0x8F.
 *
 * A device that has a channel asks whether it may transfer, and moves bytes; a transfer takes
 * no time. While its channel is masked it waits, and is called when the guest lets it go.
 */
#ifndef MINIKVM_DMA_H
#define MINIKVM_DMA_H

#include "vmm/devices/bus.h"

enum dma_direction { DMA_TO_MEMORY = 1, DMA_FROM_MEMORY = 2 }; /* as the mode register has it */
enum dma_state { DMA_READY, DMA_MASKED, DMA_WRONG_WAY };
enum { DMA_CHIPS = 2, DMA_CHANNELS = 4, DMA_PAGES = 16 };

struct dma_channel {
    uint16_t base_address, base_count, address, count;
    uint8_t mode;
};

/* Saved as it is. */
struct dma_chip {
    struct dma_channel channel[DMA_CHANNELS];
    uint8_t command, mask, requests, temporary;
    uint8_t done;    /* channels that have come to their terminal count since it was read */
    bool high;       /* the flip-flop: the next byte is the upper one */
};

/* Who has a channel: called when it may be free. */
struct dma_client {
    void (*go)(void *device);
    void *device;
};

struct dma {
    const struct board *board;
    struct dma_client client[DMA_CHIPS * DMA_CHANNELS];
    struct dma_chip chip[DMA_CHIPS];
    uint8_t page[DMA_PAGES];
};

void dma_open(struct dma *, struct bus *, const struct board *);
void dma_connect(struct dma *, unsigned channel, void (*go)(void *device), void *device);
/* May this channel (0 to 3) transfer now? Wrong way: it is set for the other direction, or for
 * a cascade. */
enum dma_state dma_state(const struct dma *, unsigned channel, enum dma_direction);
/* Through a channel that is ready, until there is no more or the count is at its end (*done).
 * How many bytes. A channel that only verifies counts, and leaves bytes and memory alone. */
size_t dma_transfer(struct dma *, unsigned channel, enum dma_direction, uint8_t *bytes, size_t length,
                    bool *done);

#endif

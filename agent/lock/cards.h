/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cards.h: the cards in readers, as pcscd tells of them. A thread of its own waits for it, since its library
 * knows no other way and pcscd may hang; it exchanges nothing with a card, and lasts as long as the process,
 * in which it does nothing but wait. Started with the first card that stands for somebody.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

enum {
        CARD_READERS_MAX = 16, /* PCSCLITE_MAX_READERS_CONTEXTS */
        CARD_READER_SIZE = 128 /* MAX_READERNAME */
};

/* What is known of all readers at one moment. */
typedef struct CardReaders {
        uint64_t session; /* with pcscd, which counts anew in each; 0: it does not answer */
        bool asked;       /* whether it answers is known by now */
        size_t n;
        struct {
                char name[CARD_READER_SIZE];
                bool card;
                uint32_t changes; /* how often a card was put in or taken out */
        } list[CARD_READERS_MAX];
} CardReaders;

/* A card as it was when it was first looked for. Zeroed: it was not yet. */
typedef struct CardMark {
        uint64_t session;
        uint32_t changes;
        size_t cards; /* in all readers, where none has the name */
} CardMark;

typedef enum CardState {
        CARD_UNKNOWN, /* pcscd has not answered, or does not */
        CARD_UNSEEN,  /* the same, and it does not look as if it would */
        CARD_HERE,
        CARD_GONE,
} CardState;

/* Whether the card is there that was in READER when MARK was made; it is made the first time. A module may
 * call a reader otherwise than pcscd: then a card that is taken out of any counts. Pure. */
CardState card_look(const CardReaders *readers, const char *reader, CardMark *mark);

typedef struct Cards Cards;

/* Tells by CHANGED, in EVENT's thread, that something is otherwise than before. 0 or -errno. */
int cards_new(sd_event *event, int priority, void (*changed)(void *userdata), void *userdata, Cards **ret);
Cards *cards_free(Cards *cards); /* returns NULL */

/* What is known now. */
void cards_get(Cards *cards, CardReaders *ret);

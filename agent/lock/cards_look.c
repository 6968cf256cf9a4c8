/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What readers and their counters say of one card. */
#include <string.h>

#include "agent/lock/cards.h"

enum {
        DESCRIPTION_SIZE = 64 /* of a slot in PKCS#11, which has room for no more of the name */
};

static bool is_called(const char *name, const char *reader) {
        size_t length = strlen(reader);

        return length >= DESCRIPTION_SIZE ? strncmp(name, reader, length) == 0 : strcmp(name, reader) == 0;
}

static size_t count_cards(const CardReaders *readers) {
        size_t n = 0;

        for (size_t i = 0; i < readers->n; i++)
                n += readers->list[i].card;
        return n;
}

static bool is_known(const CardReaders *readers, const char *reader) {
        for (size_t i = 0; i < readers->n; i++)
                if (is_called(readers->list[i].name, reader))
                        return true;
        return false;
}

static CardState look_in(const CardReaders *readers, const char *reader, CardMark *mark) {
        for (size_t i = 0; i < readers->n; i++) {
                if (!readers->list[i].card || !is_called(readers->list[i].name, reader))
                        continue;
                if (mark->session != readers->session)
                        *mark = (CardMark){.session = readers->session, .changes = readers->list[i].changes};
                if (mark->cards == 0 && mark->changes == readers->list[i].changes)
                        return CARD_HERE;
        }
        return CARD_GONE;
}

CardState card_look(const CardReaders *readers, const char *reader, CardMark *mark) {
        size_t cards = count_cards(readers);

        if (readers->session == 0)
                return readers->asked ? CARD_UNSEEN : CARD_UNKNOWN;
        /* a reader that was known by its name, and is not any more, was pulled out */
        if (is_known(readers, reader) || (mark->session != 0 && mark->cards == 0))
                return look_in(readers, reader, mark);
        if (mark->session == 0)
                *mark = (CardMark){.session = readers->session, .cards = cards};
        return cards > 0 && cards >= mark->cards ? CARD_HERE : CARD_GONE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdbool.h>
#include <string.h>

#include "policy/scope.h"

enum {
        QUIET = 4 /* modules around the code: ISO/IEC 18004 */
};

/* What a terminal was shown is its own matter; what lies in memory goes. */
static void code_free(QRcode *code) {
        explicit_bzero(code->data, (size_t)code->width * (size_t)code->width);
        QRcode_free(code);
}
DEFINE_CLEANUP(QRcode, code_free);

static bool is_dark(const QRcode *code, int x, int y) {
        return x >= 0 && y >= 0 && x < code->width && y < code->width &&
               (code->data[y * code->width + x] & 1);
}

int qr_print(const char *text, FILE *to) {
        static const char *const blocks[] = {" ", "▄", "▀", "█"};
        CLEANUP(scope_code_free) QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);

        if (!code)
                return -errno;
        for (int y = -QUIET; y < code->width + QUIET; y += 2) {
                fputs("\033[30;107m", to);
                for (int x = -QUIET; x < code->width + QUIET; x++)
                        fputs(blocks[is_dark(code, x, y) * 2 + is_dark(code, x, y + 1)], to);
                fputs("\033[0m\n", to);
        }
        return ferror(to) ? -EIO : 0;
}

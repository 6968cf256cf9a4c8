/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "agent/ctl/command.h"
#include "policy/scope.h"
#include "policy/utf8.h"

enum {
        ESCAPE_MAX = 10 /* \uNNNNNNNN */
};

/* Characters that leave no trace of themselves on the screen and could make two names look like one: the
 * zero-width and invisible ones that are not needed to write a language. Source: Unicode 15, category Cf. */
static bool is_invisible(uint32_t c) {
        return c == 0xad || c == 0x180e || c == 0x200b || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
               (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

/* Writes one character of TEXT, as it is or escaped. Returns how many bytes of TEXT it took. */
static size_t put_character(const char *text, size_t length, char *to, size_t *ret_n) {
        uint32_t c;
        size_t n = utf8_next(text, length, &c);

        if (n == 0 || c < 0x20 || c == 0x7f) {
                *ret_n = (size_t)snprintf(to, ESCAPE_MAX + 1, "\\x%02x", (unsigned char)*text);
                return 1;
        }
        if (utf8_is_control(c) || is_invisible(c) || wcwidth((wchar_t)c) < 0) {
                *ret_n = (size_t)snprintf(to, ESCAPE_MAX + 1, "\\u%04x", (unsigned)c);
                return n;
        }
        memcpy(to, text, n);
        *ret_n = n;
        return n;
}

char *text_for_terminal(const char *text) {
        size_t length = strlen(text), n = 0;
        char *escaped = calloc(length + 1, ESCAPE_MAX);

        if (!escaped)
                return NULL;
        for (size_t i = 0; i < length;) {
                size_t written;

                i += put_character(text + i, length - i, escaped + n, &written);
                n += written;
        }
        escaped[n] = '\0';
        return escaped;
}

void text_print(const char *text, FILE *to) {
        CLEANUP_FREE char *escaped = text ? text_for_terminal(text) : NULL;

        fputs(escaped ? escaped : "-", to);
}

size_t text_width(const char *text) {
        size_t length = strlen(text), width = 0;

        for (size_t i = 0; i < length;) {
                uint32_t c;
                size_t n = utf8_next(text + i, length - i, &c);
                int columns = n > 0 ? wcwidth((wchar_t)c) : 1;

                width += columns < 0 ? 1 : (size_t)columns;
                i += n > 0 ? n : 1;
        }
        return width;
}

char *text_valid(const char *bytes, size_t length) {
        static const char replacement[] = "\xef\xbf\xbd";
        char *valid = calloc(length + 1, sizeof(replacement) - 1);
        size_t n = 0;

        if (!valid)
                return NULL;
        for (size_t i = 0; i < length;) {
                uint32_t c;
                size_t taken = utf8_next(bytes + i, length - i, &c);

                if (taken == 0 || c == 0) {
                        memcpy(valid + n, replacement, sizeof(replacement) - 1);
                        n += sizeof(replacement) - 1;
                        i++;
                        continue;
                }
                memcpy(valid + n, bytes + i, taken);
                n += taken;
                i += taken;
        }
        valid[n] = '\0';
        return valid;
}

char *text_format(const char *format, ...) {
        va_list arguments;
        char *text;
        int r;

        va_start(arguments, format);
        r = vasprintf(&text, format, arguments);
        va_end(arguments);
        return r < 0 ? NULL : text;
}

int fail(const char *format, ...) {
        CLEANUP_FREE char *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&message, format, arguments) < 0)
                message = NULL;
        va_end(arguments);
        fputs("sekishoctl: ", stderr);
        text_print(message, stderr);
        fputc('\n', stderr);
        return EXIT_TROUBLE;
}

void text_put_html(const char *text, FILE *to) {
        for (const char *c = text; *c; c++)
                switch (*c) {
                case '&':
                        fputs("&amp;", to);
                        break;
                case '<':
                        fputs("&lt;", to);
                        break;
                case '>':
                        fputs("&gt;", to);
                        break;
                case '"':
                        fputs("&quot;", to);
                        break;
                case '\'':
                        fputs("&#39;", to);
                        break;
                default:
                        fputc(*c, to);
                }
}

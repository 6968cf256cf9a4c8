/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of the helpdesk, for terminals without a network: grant answer, grant key; and grant
 * terminal, which tells a terminal's number. Keys are read from files and never written anywhere but to
 * standard output. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/ctl/command.h"
#include "agent/ctl/grants.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "agent/file.h"
#include "policy/challenge.h"
#include "policy/scope.h"

enum {
        KEY_TEXT_MAX = 2 * CHALLENGE_KEY_BYTES + 2,
        MACHINE_ID_MAX = 64
};

/* The fleet's key, which nobody but its owner may read. 0, or 2 after one line. */
static int read_fleet_key(const char *path, uint8_t key[static CHALLENGE_KEY_BYTES]) {
        char text[KEY_TEXT_MAX];
        CLEANUP_CLOSE int fd = -1;
        struct stat st;
        ssize_t n;
        int r;

        if (!path)
                return fail(_("--key FILE is needed: the key of all terminals"));
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return fail("%s: %s", path, strerror(errno));
        if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IRWXG | S_IRWXO)))
                return fail(_("%s: others may read or write it; expected a file of mode 0600"), path);
        n = read(fd, text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        r = challenge_key_parse(text, key);
        explicit_bzero(text, sizeof(text));
        return r < 0 ? fail(_("%s: no key; expected 64 hexadecimal digits"), path) : 0;
}

/* Whether CHALLENGE is for the person and the medium that are given: 0, or 2 after one line. */
static int compare(const Options *options, const Challenge *challenge) {
        const char *user = options->value[OPTION_USER], *serial = options->value[OPTION_SERIAL],
                   *vendor = options->value[OPTION_VENDOR], *product = options->value[OPTION_PRODUCT];

        if (!user && !serial && !vendor && !product) {
                fprintf(stderr, "sekishoctl: %s\n",
                        _("neither the medium nor the person was checked: give --user and --serial, "
                          "--vendor and --product"));
                return 0;
        }
        if (!user || !serial)
                return fail(_("--user and --serial go together: the challenge has one number for both"));
        if (challenge_object(vendor ? vendor : "", product ? product : "", serial, user) !=
            challenge->object)
                return fail(
                        _("this challenge is for another medium or another person than you were told, or "
                          "--vendor and --product are not those of the medium: it is not answered"));
        return 0;
}

int command_grant_answer(const Options *options) {
        uint8_t fleet[CHALLENGE_KEY_BYTES], key[CHALLENGE_KEY_BYTES];
        char code[CHALLENGE_CODE_MAX], terminal[CHALLENGE_TERMINAL_MAX];
        Challenge challenge;
        int r = challenge_parse(options->arguments[0], &challenge);

        if (r == -EBADMSG)
                return fail(_("there is a mistake in this challenge: have it read out again"));
        if (r < 0)
                return fail(_("'%s' is no challenge: 20 letters and digits"), options->arguments[0]);
        r = compare(options, &challenge);
        if (r == 0)
                r = read_fleet_key(options->value[OPTION_KEY], fleet);
        if (r != 0)
                return r;
        challenge_terminal_key(fleet, challenge.terminal, key);
        challenge_answer(key, &challenge, code);
        explicit_bzero(fleet, sizeof(fleet));
        explicit_bzero(key, sizeof(key));
        challenge_terminal_text(challenge.terminal, terminal);
        printf(_("Terminal %s asks for %u minutes.\n"), terminal, (unsigned)challenge.minutes);
        printf(_("Answer: %s\n"), code);
        return EXIT_YES;
}

int command_grant_key(const Options *options) {
        uint8_t fleet[CHALLENGE_KEY_BYTES], key[CHALLENGE_KEY_BYTES];
        char text[2 * CHALLENGE_KEY_BYTES + 1];
        uint64_t terminal;
        int r;

        if (challenge_terminal_parse(options->arguments[0], &terminal) < 0)
                return fail(_("'%s' is no number of a terminal; see sekishoctl grant terminal"),
                            options->arguments[0]);
        r = read_fleet_key(options->value[OPTION_KEY], fleet);
        if (r != 0)
                return r;
        challenge_terminal_key(fleet, terminal, key);
        puts(sodium_bin2hex(text, sizeof(text), key, sizeof(key)));
        explicit_bzero(fleet, sizeof(fleet));
        explicit_bzero(key, sizeof(key));
        explicit_bzero(text, sizeof(text));
        return EXIT_YES;
}

int command_grant_terminal(const Options *options) {
        char id[MACHINE_ID_MAX], text[CHALLENGE_TERMINAL_MAX];
        ssize_t n = file_read_small(AT_FDCWD, "/etc/machine-id", id, sizeof(id));

        (void)options;
        if (n < 0)
                return fail("/etc/machine-id: %s", strerror((int)-n));
        challenge_terminal_text(challenge_terminal(id), text);
        puts(text);
        return EXIT_YES;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekishoctl: the locale, then the command. */
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"

int main(int argc, char **argv) {
        static char name[] = "sekishoctl";
        const char *locale_dir;
        int status;

        setlocale(LC_ALL, "");
        /* names in a policy and in the journal are UTF-8, whatever the locale of a rescue shell is */
        if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
                setlocale(LC_CTYPE, "C.UTF-8");
        /* a build tree has its catalogs elsewhere */
        locale_dir = secure_getenv("SEKISHO_LOCALE_DIR");
        bindtextdomain("sekisho", locale_dir ? locale_dir : SEKISHO_LOCALE_DIR);
        bind_textdomain_codeset("sekisho", "UTF-8");
        bind_textdomain_codeset("libc", "UTF-8"); /* word_text() asks it */
        textdomain("sekisho");
        if (argc > 0)
                argv[0] = name; /* in getopt's messages */
        status = sekishoctl(argc, argv);
        if (fflush(stdout) != 0 || ferror(stdout))
                return fail(_("cannot write the answer: %m"));
        return status;
}

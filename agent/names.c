/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What records tell of the names of files, by the policy in force. */
#include <string.h>

#include "agent/agent_private.h"
#include "agent/name_key.h"
#include "policy/translate.h"

/* Without the secret they are left out: less is told, and nothing too much. */
void agent_hide_names(Agent *agent) {
        FileNamesSecret secret = {.how = agent->store.policy->records_file_names};
        int r = secret.how == FILE_NAMES_KEYED ? name_key_ensure(agent->settings.state_dir, secret.key) : 0;

        if (r < 0)
                secret.how = FILE_NAMES_MASKED;
        report_hide_names(agent->report, &secret);
        explicit_bzero(&secret, sizeof(secret));
        if (r < 0)
                agent_tell_failure(agent, NULL, NULL, N_("secret for the names of files"), r);
}

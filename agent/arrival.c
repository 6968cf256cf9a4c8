/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signed policies that arrive in the directory for them go the way of those that come over the bus. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "agent/agent_private.h"
#include "policy/translate.h"

static int install(void *userdata, const char *path, const char *text, size_t length) {
        return agent_install_policy(userdata, text, length, path);
}

static void refused(void *userdata, const char *path, const char *why) {
        agent_tell_refused(userdata, path, why, 0);
}

static void failed(void *userdata, const char *path, int error) {
        agent_tell_failure(userdata, NULL, path, N_("directory for policies that arrive"), error);
}

void agent_start_incoming(Agent *agent) {
        const IncomingCallbacks callbacks = {
                .install = install, .refused = refused, .failed = failed, .userdata = agent};
        const char *directory = agent->settings.incoming;
        char path[PATH_MAX];

        if (directory && *directory == '\0')
                return;
        if (!directory &&
            (size_t)snprintf(path, sizeof(path), "%s/incoming", agent->settings.state_dir) >= sizeof(path))
                agent->incoming_error = -ENAMETOOLONG;
        else
                agent->incoming_error = incoming_new(agent->event, directory ? directory : path, &callbacks,
                                                     &agent->incoming);
        if (agent->incoming_error < 0)
                failed(agent, directory ? directory : path, agent->incoming_error);
}

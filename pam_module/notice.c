/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said at the beginning of a session: that the terminal only watches. Whoever gets in gets in. */
#include <time.h>

#include "pam_module/conversation.h"
#include "pam_module/login.h"
#include "policy/monitor.h"

typedef struct Watched {
        size_t n;
        bool whole;
        bool endless;
        time_t last; /* when the last of them ends */
} Watched;

static int take(void *userdata, const Monitored *monitored) {
        Watched *watched = userdata;

        watched->n++;
        watched->whole = watched->whole || strcmp(monitored->name, "mode") == 0;
        watched->endless = watched->endless || monitored->until == 0;
        if (monitored->until > watched->last)
                watched->last = monitored->until;
        return 0;
}

static int compose(const Watched *watched, char **ret) {
        char day[32] = "";
        struct tm local;
        time_t last = watched->last - 1; /* the last second at which it holds */

        if (watched->last > 0 && localtime_r(&last, &local))
                (void)strftime(day, sizeof(day), "%Y-%m-%d %H:%M", &local);
        if (watched->endless)
                return watched->whole
                               ? asprintf(ret, "%s",
                                          _("Sekisho: MONITORING ONLY on this terminal. What is not "
                                            "allowed is recorded, and not refused."))
                               : asprintf(ret,
                                          _("Sekisho: monitoring only for %zu rules. What they do not "
                                            "allow is recorded, and not refused."),
                                          watched->n);
        return watched->whole
                       ? asprintf(ret,
                                  _("Sekisho: MONITORING ONLY on this terminal until %s. What is not "
                                    "allowed is recorded, and not refused."),
                                  day)
                       : asprintf(ret,
                                  _("Sekisho: monitoring only for %zu rules until %s. What they do not "
                                    "allow is recorded, and not refused."),
                                  watched->n, day);
}

void login_tell_monitor(Login *login) {
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        CLEANUP_POLICY Policy *policy = NULL;
        CLEANUP_FREE char *text = NULL;
        const char *service = NULL;
        Watched watched = {0};
        PolicySource source;

        if (login->flags & PAM_SILENT || geteuid() != 0 ||
            pam_get_item(login->pamh, PAM_SERVICE, (const void **)&service) != PAM_SUCCESS || !service ||
            policy_load_in_force(login->options.policy, login->options.state, &policy, &source, &faults) <
                    0 ||
            !mfa_guards_service(policy, service))
                return;
        (void)policy_foreach_monitored(policy, time(NULL), take, &watched);
        if (watched.n > 0 && compose(&watched, &text) >= 0)
                (void)conversation_tell(login->pamh, login->flags, text);
}

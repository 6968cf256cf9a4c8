/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/timerfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "agent/file.h"
#include "agent/witness.h"
#include "policy/build.h"
#include "policy/chain_file.h"
#include "policy/decide.h"
#include "policy/scope.h"
#include "policy/translate.h"

enum {
        SHORT_USEC = 5 * 1000000,
        SHORT_DOUBLINGS = 7
};

static void tell(Agent *agent, EventKind kind) {
        Record *record = agent_record(agent, kind);

        if (record) {
                record_set(record, TEXT_MODE, agent_is_monitor(agent) ? "monitor" : "enforce");
                if (kind == EVENT_AGENT_STARTED && !agent->hooks)
                        record_setf(record, TEXT_ERROR, "no BPF LSM: %s", agent->lsm_why);
                if (kind == EVENT_POLICY_LOADED)
                        record_set(record, TEXT_PATH, agent->store.builtin ? NULL : agent->store.path);
        }
        report_submit(agent->report, record);
}

/* What of the policy in force would be lost with the agent: the next start would not know of it. */
static void tell_unkept(Agent *agent) {
        static const char *const what[POLICY_KEPT] = {
                [KEPT_FLOOR] = N_("the note of the highest serial"),
                [KEPT_LAST_GOOD] = N_("the copy of the policy"),
                [KEPT_HISTORY] = N_("the history of policies"),
                [KEPT_NOTE] = N_("the note that policies were put aside"),
        };

        for (size_t i = 0; i < POLICY_KEPT; i++)
                if (agent->store.unkept[i] < 0)
                        agent_tell_failure(agent, NULL, agent->settings.state_dir, what[i],
                                           agent->store.unkept[i]);
}

/* Every fault, a line each: who reads the journal needs no second look at the file. */
char *agent_faults_text(const Agent *agent, int error) {
        CLEANUP_FREE char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        if (agent->store.faults.n == 0)
                fputs(strerror(error < 0 ? -error : EBADMSG), f);
        for (size_t i = 0; i < agent->store.faults.n; i++) {
                const PolicyFault *fault = &agent->store.faults.items[i];

                fprintf(f, "%s%s:%zu:%zu: %s", i > 0 ? "\n" : "", fault->file, fault->line, fault->column,
                        fault->message);
        }
        return fclose(f) == 0 ? STEAL_PTR(text) : NULL;
}

void agent_tell_refused(Agent *agent, const char *path, const char *why, int error) {
        Record *record = agent_record(agent, EVENT_POLICY_REFUSED);
        CLEANUP_FREE char *text = why ? strdup(why) : agent_faults_text(agent, error);

        if (record) {
                record_set(record, TEXT_ERROR, text);
                record_set(record, TEXT_PATH, path ? path : agent->store.path);
        }
        report_submit(agent->report, record);
}

/* That somebody at the console put the policies aside, once. */
static void tell_restored(Agent *agent) {
        Restored restored;
        Record *record;

        if (policy_store_take_restored(&agent->store, &restored) <= 0)
                return;
        record = agent_record(agent, EVENT_POLICY_RESTORED);
        if (record) {
                record->uid = restored.uid;
                record->loginuid = restored.loginuid;
                record_set(record, TEXT_PATH, restored.directory);
                record_set(record, TEXT_TERMINAL, restored.tty);
        }
        report_submit(agent->report, record);
}

/* That the highest serial was no longer known, and where it was found again. SERIAL is 0 if it was not. */
static void tell_witnessed(Agent *agent, uint64_t serial, int error) {
        Record *record;

        if (error < 0)
                agent_tell_failure(agent, NULL, agent->settings.state_dir,
                                   N_("highest serial, by the journal"), error);
        if (serial == 0)
                return;
        record = agent_record(agent, EVENT_SERIAL_WITNESSED);
        if (record) {
                record->policy_serial = serial;
                record_set(record, TEXT_PATH, agent->store.path);
        }
        report_submit(agent->report, record);
}

/* settling: what is done once after one or many changes */

static int on_settle(sd_event_source *source, void *userdata) {
        Agent *agent = userdata;

        (void)source;
        agent_update_audit(agent);
        (void)agent_write_status(agent); /* who asks sees the older one; enforcement does not hang on it */
        return 0;
}

void agent_settle_soon(Agent *agent) {
        if (agent->settle)
                (void)sd_event_source_set_enabled(agent->settle, SD_EVENT_ONESHOT);
}

/* expiry */

static int rejudge(Agent *agent);

static int on_expiry(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        (void)rejudge(userdata); /* what failed was told */
        return 0;
}

/* Seconds until a verdict changes by itself; 0 if none will. The gate asks for the hours at each open, but
 * who has a file open is looked for when they end; the programs in the kernel are told their next window,
 * and without them the verdict itself changes. */
static time_t next_change(const Agent *agent, const PolicyTime *now) {
        time_t expiry = policy_next_expiry(agent->store.policy, now->expiry_now);
        int minutes = policy_next_hours_change(agent->store.policy, now);
        time_t hours = minutes > 0 ? (time_t)minutes * 60 - time(NULL) % 60 + 1 : 0;

        expiry = expiry > 0 ? expiry - now->expiry_now : 0;
        return hours > 0 && (expiry == 0 || hours < expiry) ? hours : expiry;
}

static int arm_expiry(Agent *agent) {
        PolicyTime now;
        time_t next;
        int r = clock_policy_time(&agent->clock, &now);

        if (r < 0)
                return r;
        agent->expiry = sd_event_source_disable_unref(agent->expiry);
        next = next_change(agent, &now);
        if (next == 0)
                return 0;
        return sd_event_add_time(agent->event, &agent->expiry, CLOCK_BOOTTIME,
                                 clock_boottime_usec() + (uint64_t)next * 1000000, 1000000, on_expiry,
                                 agent);
}

/* A timer that never fires but is cancelled when the wall clock is set (timerfd_create(2)). */
static int arm_clock_watch(int fd) {
        struct itimerspec never = {.it_value = {.tv_sec = (time_t)INT32_MAX * 4}};

        return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0 ? -errno
                                                                                                  : 0;
}

static int on_clock_set(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        uint64_t expirations;

        (void)source;
        (void)revents;
        if (read(fd, &expirations, sizeof(expirations)) < 0 && errno != ECANCELED && errno != EAGAIN)
                return -errno;
        (void)arm_clock_watch(fd);
        (void)rejudge(userdata);
        return 0;
}

static int watch_clock(Agent *agent) {
        int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK), r;

        if (fd < 0)
                return -errno;
        r = arm_clock_watch(fd);
        if (r >= 0)
                r = sd_event_add_io(agent->event, &agent->clock_set, fd, EPOLLIN, on_clock_set, agent);
        if (r >= 0)
                r = sd_event_source_set_io_fd_own(agent->clock_set, true);
        if (r < 0)
                close(fd);
        return r;
}

/* Of memory or descriptors, which may be there again soon. */
static bool is_short_of(int error) {
        return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

/* What could not be judged or enforced for want of them is tried again, and ever more seldom. */
static void judge_later(Agent *agent) {
        uint64_t wait = (uint64_t)SHORT_USEC << agent->times_short;

        if (agent->times_short < SHORT_DOUBLINGS)
                agent->times_short++;
        agent->expiry = sd_event_source_disable_unref(agent->expiry);
        (void)sd_event_add_time_relative(agent->event, &agent->expiry, CLOCK_BOOTTIME, wait, 0, on_expiry,
                                         agent);
}

/* Everything anew: by another policy, or at another time. 0 or the first -errno; all is tried. */
static int rejudge(Agent *agent) {
        CLEANUP_POLICY Policy *old = agent_refresh_grants(agent);
        int devices = devices_rejudge(agent->devices, agent_is_monitor(agent));
        int superblocks = superblocks_rejudge(agent->superblocks, agent_is_monitor(agent));
        int timer = arm_expiry(agent);

        (void)old; /* its end is that of this function: until then something may refer to it */
        if (is_short_of(devices) || is_short_of(superblocks) || agent->granting.is_short)
                judge_later(agent);
        else
                agent->times_short = 0;
        agent_nodes_follow(agent);
        agent_follow_monitoring(agent);
        agent_update_network(agent);
        agent_update_links(agent);
        agent_grants_follow_all(agent);
        agent_settle_soon(agent);
        return devices < 0 ? devices : superblocks < 0 ? superblocks : timer;
}

void agent_judge_again(Agent *agent) {
        (void)rejudge(agent); /* what failed was told */
        agent_update_protection(agent);
        (void)agent_write_status(agent);
        agent_run_self_test(agent, "lockdown");
}

/* signals */

/* What follows from a try to put another policy in force. OLD was before, where that did it; PATH is what it
 * came as, NULL for the configured path. */
static int go_on_with(Agent *agent, int r, Policy *old, const char *path) {
        tell_restored(agent);
        if (r == 0) {
                agent_hide_names(agent);
                tell(agent, EVENT_POLICY_LOADED);
                tell_unkept(agent);
                agent_raise_tpm(agent);
                agent_follow_lockdown(agent, NULL, 0, NULL);
                (void)rejudge(agent);
                agent_update_protection(agent);
                agent_update_locks(agent);
                /* gates have references of their own; nothing else points into the old policy any more */
                policy_unref(old);
        } else
                agent_tell_refused(agent, path, NULL, r);
        (void)agent_write_status(agent);
        (void)sd_notifyf(false, "READY=1\nSTATUS=Policy serial %llu in force%s",
                         (unsigned long long)agent->store.policy->serial,
                         r == 0 ? "" : "; a newer one was refused");
        if (r == 0)
                agent_run_self_test(agent, "policy");
        return r;
}

int agent_reload(Agent *agent) {
        Policy *old = NULL;
        int r;

        (void)sd_notify(false, "RELOADING=1");
        r = policy_store_reload(&agent->store, &old);
        return go_on_with(agent, r, old, NULL);
}

int agent_install_policy(Agent *agent, const char *text, size_t length, const char *path) {
        Policy *old = NULL;
        int r;

        (void)sd_notify(false, "RELOADING=1");
        r = policy_store_install(&agent->store, text, length, &old);
        return go_on_with(agent, r, old, path);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Agent *agent = userdata;

        (void)source;
        if (info->ssi_signo != SIGHUP)
                return sd_event_exit(agent->event, 0);
        (void)agent_reload(agent); /* what became of it was told */
        return 0;
}

static int add_signals(Agent *agent) {
        static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
        sigset_t set;
        int r = 0;

        sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTS(signals); i++)
                sigaddset(&set, signals[i]);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTS(signals) && r >= 0; i++)
                r = sd_event_add_signal(agent->event, NULL, signals[i], on_signal, agent);
        return r;
}

/* start */

static int take_lock(Agent *agent) {
        char path[PATH_MAX];
        int r = directory_ensure(agent->settings.runtime_dir, 0700);

        if (r < 0)
                return r;
        if ((size_t)snprintf(path, sizeof(path), "%s/lock", agent->settings.runtime_dir) >= sizeof(path))
                return -ENAMETOOLONG;
        agent->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (agent->lock < 0)
                return -errno;
        if (flock(agent->lock, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;
        return asprintf(&agent->status_path, "%s/status.json", agent->settings.runtime_dir) < 0 ? -ENOMEM
                                                                                                : 0;
}

static int start_loop(Agent *agent) {
        int r = sd_event_new(&agent->event);

        if (r >= 0)
                r = add_signals(agent); /* before any thread, so that every one has them blocked */
        if (r >= 0)
                r = sd_event_add_defer(agent->event, &agent->settle, on_settle, agent);
        if (r >= 0)
                r = sd_event_source_set_enabled(agent->settle, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_source_set_priority(agent->settle, SD_EVENT_PRIORITY_IDLE);
        return r;
}

static int start_rooms(Agent *agent) {
        DevicesCallbacks devices = agent_devices_callbacks(agent);
        SuperblocksCallbacks superblocks = agent_superblocks_callbacks(agent);
        int r = predecessors_pause(agent->settings.runtime_dir, &agent->predecessors);

        if (r >= 0)
                r = nodes_new(agent->event, agent->report, agent->settings.runtime_dir,
                              agent_on_nodes_changed, agent, &agent->nodes);
        if (r >= 0)
                r = keeper_new(agent->event, agent->settings.runtime_dir, report_ledger_fd(agent->report),
                               report_alarm_fd(agent->report), agent_on_keeper_restarted, agent,
                               &agent->keeper);
        if (r < 0)
                return r;
        /* without audit everything is refused all the same, only less is known of who tried */
        agent->audit_error =
                audit_new(agent->event, agent->settings.runtime_dir, agent_on_refused, agent, &agent->audit);
        agent_start_backstop(agent); /* without it, gates and read-only flags are what holds */
        policy_store_set_lsm(&agent->store, !agent->hooks);
        r = devices_new(agent->event, agent->settings.runtime_dir, agent_is_monitor(agent), &devices,
                        &agent->devices);
        if (r >= 0)
                r = superblocks_new(agent->event, agent->report, agent->settings.runtime_dir,
                                    agent_is_monitor(agent), &superblocks, &agent->superblocks);
        return r;
}

/* Last: what it tells of is in force by now, and without it everything is. */
static void start_bus(Agent *agent) {
        const BusServiceCallbacks callbacks = agent_bus_callbacks(agent);

        (void)bus_service_new(agent->event, agent->report, &callbacks, &agent->bus);
}

static int start_report(Agent *agent) {
        CLEANUP_FREE char *chain = NULL;

        if (asprintf(&chain, "%s/" CHAIN_FILE_AGENT, agent->settings.state_dir) < 0)
                return -ENOMEM;
        return report_new("agent", chain, &agent->report);
}

static int start(Agent *agent) {
        int r = take_lock(agent), policy, witnessed;
        uint64_t serial = 0;

        if (r < 0)
                return r;
        r = directory_ensure(agent->settings.state_dir, 0700);
        if (r >= 0)
                r = start_loop(agent);
        if (r >= 0)
                r = start_report(agent);
        if (r >= 0)
                r = cmdline_reader_new(&agent->cmdline);
        if (r >= 0)
                r = agent_start_logins(agent);
        if (r < 0)
                return r;
        agent_ask_tpm(agent);
        witnessed = witness_restore_floor(agent->settings.state_dir, agent->settings.policy, &serial);
        policy = policy_store_open_above(&agent->store, agent->settings.policy, agent->settings.state_dir,
                                         agent_hear_tpm(agent), agent_try_policy, agent);
        if (policy < 0)
                return policy;
        agent_hide_names(agent);
        agent_load_lockdown(agent);
        agent_load_grants(agent);
        tell_witnessed(agent, serial, witnessed);
        agent_tell_tpm(agent);
        tell_restored(agent);
        if (policy == 1)
                agent_tell_refused(agent, NULL, NULL, 0);
        tell(agent, EVENT_POLICY_LOADED);
        tell_unkept(agent);
        agent_start_network(agent);
        agent_update_links(agent);
        r = start_rooms(agent);
        if (r >= 0)
                r = arm_expiry(agent);
        if (r >= 0)
                r = watch_clock(agent);
        if (r < 0)
                return r;
        agent_settle_backstop(agent);
        predecessors_dismiss(&agent->predecessors);
        agent_start_protection(agent);
        agent_update_audit(agent);
        agent_start_locks(agent);
        start_bus(agent);
        agent_raise_tpm(agent);
        agent_start_incoming(agent);
        r = agent_write_status(agent);
        if (r == 0)
                agent_start_self_test(agent);
        return r;
}

int agent_new(const AgentSettings *settings, Agent **ret) {
        Agent *agent = calloc(1, sizeof(*agent));
        int r;

        if (!agent)
                return -ENOMEM;
        agent->settings = *settings;
        agent->lock = -1;
        agent->started = time(NULL);
        clock_start(&agent->clock);
        r = start(agent);
        if (r < 0) {
                agent_free(agent);
                return r;
        }
        *ret = agent;
        return 0;
}

int agent_run(Agent *agent) {
        /* Not before: its first word arms the service manager's watchdog, and a start may take long. Source:
         * sd_event_set_watchdog(3), WATCHDOG=1 in sd_notify(3). */
        int r = sd_event_set_watchdog(agent->event, true);

        if (r < 0)
                return r;
        tell(agent, EVENT_AGENT_STARTED);
        agent_follow_monitoring(agent);
        (void)sd_notifyf(false, "READY=1\nSTATUS=Policy serial %llu in force",
                         (unsigned long long)agent->store.policy->serial);
        return sd_event_loop(agent->event);
}

Agent *agent_free(Agent *agent) {
        bool closed = true;

        if (!agent)
                return NULL;
        (void)sd_notify(false, "STOPPING=1");
        agent_stop_self_test(agent);
        agent->incoming = incoming_free(agent->incoming);
        agent->bus = bus_service_free(agent->bus);
        agent_stop_tpm(agent);
        agent_stop_locks(agent);
        agent_stop_network(agent);
        agent_stop_links(agent);
        if (agent->devices && !agent->stays && devices_hold_conditional(agent->devices) < 0)
                closed = false;
        if (agent->superblocks && !agent->stays)
                closed = superblocks_close(agent->superblocks) && closed;
        if (agent->report && agent->store.policy)
                tell(agent, EVENT_AGENT_STOPPED);
        if (!closed) { /* first, so that freeing the gates leaves their marks and who waits to the keeper */
                (void)superblocks_hand_over(agent->superblocks);
                (void)nodes_hand_over(agent->nodes);
                agent->keeper = keeper_free(agent->keeper, false);
        }
        superblocks_free(agent->superblocks);
        nodes_free(agent->nodes);
        agent_free_grants(agent);
        audit_free(agent->audit);
        if (agent->lsm && !lsm_is_unit())
                (void)lsm_remove(); /* what was held by it is held underneath by now */
        lsm_free(agent->lsm);
        cmdline_reader_free(agent->cmdline);
        free(agent->backstop_nodes);
        agent_stop_logins(agent);
        report_free(agent->report);
        keeper_free(agent->keeper, true);
        if (agent->status_path)
                (void)unlink(agent->status_path);
        devices_free(agent->devices);
        sd_event_source_disable_unref(agent->settle);
        sd_event_source_disable_unref(agent->expiry);
        sd_event_source_disable_unref(agent->clock_set);
        sd_event_source_disable_unref(agent->maintenance_end);
        sd_event_unref(agent->event);
        policy_store_close(&agent->store);
        monitoring_clear(&agent->monitoring);
        predecessors_clear(&agent->predecessors);
        free(agent->status_path);
        if (agent->lock >= 0)
                close(agent->lock);
        free(agent);
        return NULL;
}

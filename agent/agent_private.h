/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent_private.h: the agent's state, for agent.c, enforce.c, status.c and trial.c alone. */
#pragma once

#include <json-c/json.h>
#include <systemd/sd-event.h>

#include "agent/agent.h"
#include "agent/audit/audit.h"
#include "agent/bus/service.h"
#include "agent/clock.h"
#include "agent/device/devices.h"
#include "agent/gate/cmdline.h"
#include "agent/gate/nodes.h"
#include "agent/gate/opener.h"
#include "agent/granting.h"
#include "agent/incoming.h"
#include "agent/keeper/keeper.h"
#include "agent/lock/locks.h"
#include "agent/lockdown.h"
#include "agent/lsm/lsm.h"
#include "agent/maintenance.h"
#include "agent/monitoring.h"
#include "agent/mount/superblocks.h"
#include "agent/network/hooks/hooks.h"
#include "agent/network/interfaces.h"
#include "agent/network/network.h"
#include "agent/policy_store.h"
#include "agent/report/report.h"
#include "agent/serial.h"
#include "agent/sessions.h"

typedef struct SelfTest SelfTest;

/* A device number that was told to the programs in the kernel, and the disk it belongs to. */
typedef struct BackstopNode {
        dev_t owner, node;
        bool character;
} BackstopNode;

struct Agent {
        AgentSettings settings;
        char *status_path;
        time_t started;
        int lock;
        Clock clock;
        PolicyStore store;
        sd_event *event;
        Report *report;
        Keeper *keeper;
        Predecessors predecessors; /* only while starting */
        Nodes *nodes;
        Audit *audit;
        int audit_error;       /* why there is none, or why it does not watch */
        Lsm *lsm;              /* NULL where the kernel has no such thing ... */
        bool hooks;            /* ... whether it holds file systems too, not only nodes ... */
        bool stays;            /* ... whether that stays in force when the agent ends ... */
        char lsm_why[LSM_WHY]; /* ... and if not, why */
        bool deny_reads;       /* it is told to look at reads as well */
        struct BackstopNode *backstop_nodes;
        size_t n_backstop_nodes;
        Maintenance maintenance; /* until is 0: none */
        sd_event_source *maintenance_end;
        int protection_error;  /* why the guard itself is not protected as the policy asks */
        Lockdown lockdown;     /* by command ... */
        int lockdown_error;    /* ... whether there is one: 1, 0, or negative for one that cannot be read */
        Monitoring monitoring; /* what is only recorded, as it was told last */
        bool was_locked_down;  /* as it was told last, by command or by policy */
        Granting granting;
        CmdlineReader *cmdline; /* for what it refuses */
        Devices *devices;
        Superblocks *superblocks;
        /* NULL: callers are not refused by the network guard, because it was not tried or for what WHY says
         */
        NetworkHooks *callers;
        OwnPlaces *own_places; /* what callers are let reach as loopback */
        bool callers_tried;
        char callers_why[LSM_WHY + 32];
        Interfaces *interfaces;  /* NULL: network interfaces could not be followed ... */
        int interfaces_error;    /* ... and why */
        Sessions *sessions;      /* who has logged in */
        Locks *locks;            /* NULL: memory was short */
        char *login_store;       /* the directory of what they are enrolled with */
        Network *network;        /* NULL: the network is left alone ... */
        int network_error;       /* ... or why there is no guard */
        bool connection_waits;   /* by the self-test, since a table was on its way */
        Incoming *incoming;      /* NULL: none, or it could not be watched ... */
        int incoming_error;      /* ... and why */
        TpmMemory tpm;           /* what it knows of the highest serial */
        SelfTest *self_test;     /* NULL: not yet, or memory was short */
        BusService *bus;         /* NULL: none, which changes nothing else */
        sd_event_source *settle; /* runs once after changes: audit list and status */
        sd_event_source *expiry;
        unsigned times_short; /* so often in turn memory or descriptors did not last to judge all */
        sd_event_source *clock_set;
};

/* Whether nothing is to be denied: by option or by policy. */
bool agent_is_monitor(const Agent *agent);
/* Whether what DECISION refuses goes ahead: by itself, or because nothing is refused. */
bool agent_only_records(const Agent *agent, const Decision *decision);

/* enforce.c: the callbacks that hand verdicts out and take changes in. */
DevicesCallbacks agent_devices_callbacks(Agent *agent);
SuperblocksCallbacks agent_superblocks_callbacks(Agent *agent);
void agent_on_refused(void *userdata, const AuditEvent *event, bool node, dev_t devnum, const char *path);
void agent_on_nodes_changed(void *userdata);
void agent_on_keeper_restarted(void *userdata);
/* All was judged anew: the nodes of disks go by the policy in force, also where the verdict is the same. */
void agent_nodes_follow(Agent *agent);
void agent_tell_failure(Agent *agent, const DeviceIdentity *device, const char *mount, const char *what,
                        int error);
/* Of the device and what it stands on, the one that its decision is about. */
const DeviceIdentity *agent_deciding_identity(Agent *agent, const Device *device);
/* RAW is the disk whose nodes are meant, NULL for a file system. NULL if memory is short. */
Volume *agent_make_volume(Agent *agent, const SuperblockIdentity *id, const char *mount, const Device *raw);

/* late.c: end who has the nodes of DEVICE open for writing and may not. What failed is told. */
void agent_end_raw_writers(Agent *agent, const Device *device);

/* backstop.c: the programs in the kernel. Start before anything is judged, settle once everything is. */
void agent_start_backstop(Agent *agent);
void agent_settle_backstop(Agent *agent);
void agent_admit_readers(Agent *agent); /* readers.c */
void agent_backstop_device(Agent *agent, const Device *device);
void agent_backstop_forget_device(Agent *agent, const Device *device);
int agent_backstop_superblock(void *userdata, const Superblock *sb);
bool agent_backstop_holds(void *userdata, const Superblock *sb);
void agent_backstop_let_go(void *userdata, const Superblock *sb);
void agent_on_lsm_denial(void *userdata, const LsmDenial *denial);
/* Who DENIAL is about, into RECORD and OPENER. */
void agent_tell_caller(Agent *agent, const LsmDenial *denial, Record *record, Opener *opener);
/* Bring what they tell in line with what is guarded. Whether they tell who is refused by read-only volumes.
 */
bool agent_backstop_tells(Agent *agent);

/* protection.c: what of the guard itself the programs protect. Start once everything is in force; update
 * after whatever may change it: a policy, a new keeper. */
void agent_start_protection(Agent *agent);
void agent_update_protection(Agent *agent);
/* In one line, for the status. */
const char *agent_protection_word(const Agent *agent);
/* PID asks for a maintenance, for which it has to be root's and at the console. 0, -EACCES, -ENOTTY, -EINVAL
 * (reason or minutes), -errno. */
int agent_begin_maintenance(Agent *agent, pid_t pid, const char *reason, uint32_t minutes);
/* PID, root's, ends it. 1, 0 if there is none, -errno. */
int agent_end_maintenance(Agent *agent, pid_t pid);

/* emergency.c: the lockdown. Load it once there is a policy, and before anything is decided. */
void agent_load_lockdown(Agent *agent);
bool agent_is_locked_down(const Agent *agent);
/* Tell what has begun or ended, and have sessions locked. BY is NULL if the policy says so. */
void agent_follow_lockdown(Agent *agent, const TtyUser *by, pid_t pid, const char *reason);
/* PID, which is allowed to, begins one. 0; -EINVAL (reason), -EOPNOTSUPP (nothing is enforced here); another
 * -errno: it holds, but only until the agent ends. */
int agent_begin_lockdown(Agent *agent, pid_t pid, const char *reason);
/* PID lifts it. 1, 0 if there is none; -EBUSY if the policy asks for one, which stays; -errno. */
int agent_end_lockdown(Agent *agent, pid_t pid, const char *reason);
/* agent.c: everything anew, by the policy in force. What failed is told. */
void agent_judge_again(Agent *agent);

/* monitored.c: tell what is only recorded from now on, and what no longer is: after whatever may change it.
 */
void agent_follow_monitoring(Agent *agent);
/* For the status; a new array. */
struct json_object *agent_monitored_object(const Agent *agent);

/* names.c: have the names of files go out of records as the policy says. Before anything else comes in force
 * by it. */
void agent_hide_names(Agent *agent);

/* Bring the audit filter in line with what is sealed. */
void agent_update_audit(Agent *agent);

/* The verdict in a word: what may be done with a disk; of a USB device or interface, whether it is let in.
 */
const char *agent_verdict_word(const Decision *decision, bool block);

/* A record that carries the policy's serial. NULL if memory is short (report_submit takes that). */
Record *agent_record(const Agent *agent, EventKind kind);

/* trial.c: a PolicyTrial; USERDATA is the Agent. */
int agent_try_policy(void *userdata, const Policy *present, const Policy *candidate, char **ret_why,
                     const char **ret_origin);

/* status.c: replace RUNTIME/status.json. 0 or -errno. */
int agent_write_status(Agent *agent);
/* The same, and its external devices alone, as a new string. NULL if memory is short. */
char *agent_status_text(Agent *agent);
char *agent_devices_text(Agent *agent);

/* logins.c: who has logged in, from before anything is reported until all is. */
int agent_start_logins(Agent *agent);
void agent_stop_logins(Agent *agent);
BusLoginsCallbacks agent_logins_callbacks(Agent *agent);

/* links.c: network interfaces. At start, and after whatever may change verdicts on them. What failed is
 * told. */
void agent_update_links(Agent *agent);
void agent_stop_links(Agent *agent);
/* All of them with their verdicts, for the status. */
struct json_object *agent_links_object(const Agent *agent);

/* arrival.c: signed policies that are put into a directory. What failed is told. */
void agent_start_incoming(Agent *agent);

/* locking.c: sessions that lock when their person leaves. Start once there is a policy; update after each
 * one. Follow what begins or is unlocked. What failed is told. */
void agent_start_locks(Agent *agent);
void agent_stop_locks(Agent *agent);
void agent_update_locks(Agent *agent);
void agent_lock_follow(Agent *agent, const Session *session);
void agent_lock_forget(Agent *agent, pid_t leader);
/* Every session, in an emergency, or (false) no longer. */
void agent_lock_all(Agent *agent, bool emergency);

/* serial.c: the highest serial in the TPM. Ask at start; hear, before there is a policy, what came of it: a
 * serial that was in force, or 0; tell of it once things can be told. Raise it after each policy. */
void agent_ask_tpm(Agent *agent);
uint64_t agent_hear_tpm(Agent *agent);
void agent_tell_tpm(Agent *agent);
void agent_raise_tpm(Agent *agent);
void agent_stop_tpm(Agent *agent);
/* In one line, for the status: constant, or in BUFFER. */
const char *agent_tpm_word(const Agent *agent, char buffer[static TPM_WORD_MAX]);

/* self_test.c: tries whether what is guarded really is. Start once everything is in force; run again for
 * CAUSE, a constant. Stop while there are devices still. */
void agent_start_self_test(Agent *agent);
void agent_run_self_test(Agent *agent, const char *cause);
void agent_stop_self_test(Agent *agent);
/* Whether the disk is its own, of which nobody is told. */
bool agent_self_test_owns(const Agent *agent, const DeviceIdentity *id);
/* The verdict on such a disk. */
void agent_self_test_judge(const Agent *agent, const DeviceIdentity *id, const PolicyTime *now,
                           Decision *ret);
/* Whether it was its own process PID that was refused on DEVNUM, which is then counted and not told. */
bool agent_self_test_tried(Agent *agent, pid_t pid, dev_t devnum);
/* Whether that is where it tries to send to. */
bool agent_is_self_test(const char *destination, unsigned port);
/* For the status; NULL before the first has ended. */
struct json_object *agent_self_test_object(const Agent *agent);

/* connections.c: the network guard. Start once there is a policy; update after whatever may change what it
 * says. Where the agent was started by hand it guards the network only if it was told to, and leaves
 * nothing. */
bool agent_guards_network(const Agent *agent);
void agent_start_network(Agent *agent);
void agent_update_network(Agent *agent);
void agent_stop_network(Agent *agent);
/* In one line, for the status. */
const char *agent_network_word(const Agent *agent);
/* Why connections are refused to nobody now, or cannot be tried; NULL: what the plan in force does not name
 * is refused. */
const char *agent_connections_are_free(Agent *agent);
/* Whether a datagram to ADDRESS and PORT is to be refused, whoever sends it. Only where they are not free.
 */
bool agent_refuses_connection(const Agent *agent, const char *address, uint16_t port);

/* callers.c: the same in the callers' own system calls. There is another PLAN: 0 or -errno, told by the
 * word. Started by hand, they are gone after the stop. */
int agent_plan_callers(Agent *agent, const NetworkPlan *plan);
void agent_stop_callers(Agent *agent);
const char *agent_callers_word(const Agent *agent);

/* answer.c: what the service on the bus asks for. */
BusServiceCallbacks agent_bus_callbacks(Agent *agent);

/* Load the policy anew and put it in force. 0, 1 if it was refused, -errno. What became of it is told. */
int agent_reload(Agent *agent);
/* The same with a sealed bundle, which is put in the place of the policy there is. */
int agent_install_policy(Agent *agent, const char *text, size_t length, const char *path);
/* WHY, or the faults of the store where it is NULL, about what came as PATH. */
void agent_tell_refused(Agent *agent, const char *path, const char *why, int error);
/* Why the last policy was refused with ERROR, a line for each fault: a new string, NULL if memory is short.
 */
char *agent_faults_text(const Agent *agent, int error);

/* After a change: settle at the next turn of the loop. */
void agent_settle_soon(Agent *agent);

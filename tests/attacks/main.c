/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekisho-attacks: tries every way onto a guarded volume, one after the other, and says of each whether it
 * was held. What decides is what is found afterwards, in the tree and on the medium. For tests; never
 * installed.
 */
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/attacks/harness.h"
#include "tests/attacks/options.h"

enum {
        EXIT_HELD = 0,
        EXIT_LEAKED = 1,
        EXIT_UNKNOWN = 2,
        PREFIX_LENGTH = 6
};

/* A run: the attacks that were chosen. */
typedef struct Run {
        Options options;
        char prefix[PREFIX_LENGTH + 1]; /* what all markers of the run begin with */
        Trial *trials;
        size_t n, elsewhere;
} Run;

static int random_text(char *to, size_t n) {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
        unsigned char bytes[MARKER_LENGTH];

        if (n > sizeof bytes || getrandom(bytes, n, 0) != (ssize_t)n)
                return -EIO;
        for (size_t i = 0; i < n; i++)
                to[i] = letters[bytes[i] % 32];
        to[n] = 0;
        return 0;
}

/* Why ATTACK is no part of this run, or NULL. */
static const char *left_out(const Options *o, const Attack *attack) {
        if ((o->only.n > 0 && !options_match(&o->only, attack->name)) ||
            options_match(&o->skip, attack->name))
                return "not asked for";
        if (attack->needs & NEEDS_ROOT && o->volume.uid != 0)
                return "only root can";
        if (attack->needs & NEEDS_USER && o->volume.uid == 0)
                return "only for ordinary users";
        if (attack->needs & NEEDS_NODE && !volume_node_is_open(&o->volume))
                return "the node is closed to this user";
        if (attack->needs & NEEDS_UNMOUNTED && !o->unmount)
                return "needs --unmount";
        if (attack->needs & NEEDS_MACHINE && !o->volume.machine_wide)
                return "needs --machine-wide";
        if (attack->prepare && !o->wait && !o->guard && !o->self_check)
                return "needs --wait or --guard";
        return NULL;
}

static int choose(Run *run) {
        const Attack *attack;
        size_t n = 0;

        while (catalogue(n))
                n++;
        run->trials = calloc(n + 1, sizeof *run->trials);
        if (!run->trials || random_text(run->prefix, PREFIX_LENGTH) < 0)
                return -ENOMEM;
        for (size_t i = 0; (attack = catalogue(i)); i++) {
                Trial *trial = &run->trials[run->n];
                const char *why = left_out(&run->options, attack);

                if (why) {
                        if (strncmp(why, "needs", 5) == 0)
                                fprintf(stderr, "sekisho-attacks: left out %s: %s\n", attack->name, why);
                        continue;
                }
                trial->attempt =
                        (Attempt){.volume = &run->options.volume, .attack = attack, .kept = -1, .block = -1};
                memcpy(trial->attempt.marker, run->prefix, PREFIX_LENGTH);
                if (random_text(trial->attempt.marker + PREFIX_LENGTH, MARKER_LENGTH - PREFIX_LENGTH) < 0)
                        return -EIO;
                run->n++;
        }
        return run->n > 0 ? 0 : -ENOENT;
}

/* All of it on the medium, as far as anybody lets it get there. */
static void flush_volume(const Volume *volume) {
        CLEANUP_CLOSE int mount = open(volume->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                          node = open(volume->node, O_RDONLY | O_CLOEXEC);

        if (mount >= 0 && syncfs(mount) < 0 && errno != EIO && errno != EROFS)
                fprintf(stderr, "sekisho-attacks: cannot sync %s: %m\n", volume->mount);
        if (node >= 0 && fsync(node) < 0 && errno != EIO && errno != EROFS)
                fprintf(stderr, "sekisho-attacks: cannot sync %s: %m\n", volume->node);
}

static int wait_for_guard(const Options *o) {
        char byte = 0;

        if (o->guard)
                return system(o->guard) == 0 ? 0 : -ECHILD; // NOLINT(cert-env33-c): the caller's own command
        if (!o->wait)
                return 0;
        if (puts("prepared") < 0 || fflush(stdout) != 0)
                return -EIO;
        while (byte != '\n')
                if (read(STDIN_FILENO, &byte, 1) != 1)
                        return -EPIPE;
        return 0;
}

static bool asked_to_end(void) {
        sigset_t pending;

        return sigpending(&pending) == 0 &&
               (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM));
}

/* Reads the medium now: what is found there later is no deed of those that ran already. */
static int settle(Run *run) {
        int r;

        flush_volume(&run->options.volume);
        r = medium_search(&run->options.volume, run->prefix, run->trials, run->n);
        for (size_t i = 0; i < run->n; i++)
                if (run->trials[i].verdict != VERDICT_NOT_RUN)
                        run->trials[i].attempt.block = -1;
        return r;
}

static int run_attacks(Run *run, bool unmounted) {
        VolumeState state;
        int r;

        volume_state(&run->options.volume, &state);
        for (size_t i = 0; i < run->n; i++) {
                Trial *trial = &run->trials[i];

                if (!(trial->attempt.attack->needs & NEEDS_UNMOUNTED) == unmounted)
                        continue;
                if (asked_to_end())
                        return -EINTR;
                r = trial->attempt.attack->needs & ERASES_TRACES ? settle(run) : 0;
                if (r < 0)
                        return r;
                runner_run(run->trials, run->n, i, run->options.timeout);
                volume_restore(&run->options.volume, &state);
                if (trial->attempt.attack->needs & TRACES_FADE && trial->verdict == VERDICT_LEAKED) {
                        flush_volume(&run->options.volume);
                        r = medium_search(&run->options.volume, run->prefix, run->trials, run->n);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static void found_difference(const char *path, const char *what, void *arg) {
        Run *run = arg;

        for (size_t i = 0; i < run->n; i++) {
                Trial *trial = &run->trials[i];
                const char *name = trial->attempt.attack->name;
                size_t n = strlen(name);

                if (strncmp(path, PLANTED "/", sizeof PLANTED) != 0 ||
                    strncmp(path + sizeof PLANTED, name, n) != 0 ||
                    (path[sizeof PLANTED + n] != '/' && path[sizeof PLANTED + n] != 0))
                        continue;
                trial->evidence |= EVIDENCE_TREE;
                if (path[sizeof PLANTED + n] == '/' || !*trial->detail) {
                        int size = snprintf(trial->detail, sizeof trial->detail, "%s: %s",
                                            path[sizeof PLANTED + n] ? path + sizeof PLANTED + n + 1 : ".",
                                            what);

                        if (size >= (int)sizeof trial->detail)
                                trial->detail[sizeof trial->detail - 1] = 0;
                }
                return;
        }
        fprintf(stderr, "sekisho-attacks: elsewhere on the volume: %s: %s\n", path, what);
        run->elsewhere++;
}

static int cry(const char *what, int r) {
        fprintf(stderr, "sekisho-attacks: %s: %s\n", what, strerror(-r));
        return r;
}

/* The attacks that need the device to themselves: nobody has the volume mounted any more. */
static int attack_unmounted(Run *run) {
        int r = umount2(run->options.volume.mount, 0);

        return r < 0 ? cry("cannot unmount the volume", -errno) : run_attacks(run, true);
}

static int try_all(Run *run) {
        const Options *o = &run->options;
        CLEANUP_MANIFEST Manifest *before = NULL, *after = NULL;
        int r;

        flush_volume(&o->volume);
        r = medium_locate(&o->volume, run->trials, run->n);
        if (r < 0)
                return cry("cannot find what was planted", r);
        r = manifest_read(o->volume.mount, &before);
        if (r < 0)
                return cry("cannot read the volume", r);
        for (size_t i = 0; i < run->n; i++)
                if (run->trials[i].attempt.attack->prepare)
                        runner_prepare(run->trials, run->n, i);
        r = wait_for_guard(o);
        if (r < 0)
                return cry("no guard came", r);
        r = run_attacks(run, false);
        if (r < 0)
                return cry("ended early", r);
        flush_volume(&o->volume);
        r = manifest_read(o->volume.mount, &after);
        if (r == -EIO || r == -EPERM) /* the guard has cut it off: the medium below still tells */
                cry("the tree cannot be compared", r);
        else if (r < 0)
                return cry("cannot read the volume again", r);
        else
                manifest_compare(before, after, found_difference, run);
        r = o->unmount ? attack_unmounted(run) : 0;
        if (r < 0)
                return r;
        flush_volume(&o->volume);
        r = medium_search(&o->volume, run->prefix, run->trials, run->n);
        return r < 0 ? cry("cannot read the medium", r) : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where) {
        (void)st;
        (void)type;
        (void)where;
        return remove(path);
}

/* What is found counts, whatever the attack believes. */
static void judge(Run *run) {
        for (size_t i = 0; i < run->n; i++)
                if (run->trials[i].evidence)
                        run->trials[i].verdict = VERDICT_LEAKED;
}

/* Whether the attack did, on a volume without a guard, what it is there for. */
static bool proved(const Trial *t) {
        if (t->verdict == VERDICT_IMPOSSIBLE)
                return true;
        if (t->attempt.attack->needs & LEAVES_NO_TRACE)
                return t->verdict == VERDICT_LEAKED;
        return t->verdict == VERDICT_LEAKED && t->evidence & ~(unsigned)EVIDENCE_SUCCESS;
}

static int conclude(const Run *run) {
        int status = run->elsewhere > 0 && !run->options.self_check ? EXIT_LEAKED : EXIT_HELD;

        for (size_t i = 0; i < run->n; i++) {
                const Trial *t = &run->trials[i];

                if (run->options.self_check && !proved(t)) {
                        fprintf(stderr,
                                "sekisho-attacks: %s proves nothing: it leaks nothing that is found\n",
                                t->attempt.attack->name);
                        status = EXIT_LEAKED;
                } else if (t->verdict == VERDICT_LEAKED && !run->options.self_check && status == EXIT_HELD) {
                        status = EXIT_LEAKED;
                } else if (t->verdict == VERDICT_HUNG || t->verdict == VERDICT_FAILED) {
                        status = EXIT_UNKNOWN;
                }
        }
        return status;
}

static int attack(Run *run) {
        Volume *v = &run->options.volume;
        sigset_t signals;
        int r = volume_describe(v);

        if (r < 0)
                return cry(v->mount, r);
        r = v->uid ? volume_find_groups(v) : 0;
        if (r < 0)
                return cry("groups of the user", r);
        r = choose(run);
        if (r < 0)
                return cry("nothing to try", r);
        memcpy(v->scratch, "/tmp/sekisho-attacks.XXXXXX", sizeof "/tmp/sekisho-attacks.XXXXXX");
        if (!mkdtemp(v->scratch) || chmod(v->scratch, 0711) < 0)
                return cry("/tmp", -errno);
        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        r = try_all(run);
        for (size_t i = 0; i < run->n; i++)
                runner_end(&run->trials[i]);
        if (nftw(v->scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0)
                fprintf(stderr, "sekisho-attacks: cannot remove %s: %m\n", v->scratch);
        return r;
}

int main(int argc, char **argv) {
        Run run = {0};
        int r = options_parse(argc, argv, &run.options);

        if (r < 0)
                return EXIT_UNKNOWN;
        signal(SIGPIPE, SIG_IGN); /* a process that waits to attack may have been ended */
        if (run.options.help) {
                options_help(stdout);
                return EXIT_HELD;
        }
        if (run.options.list) {
                report_list(stdout, run.options.json);
                return EXIT_HELD;
        }
        if (geteuid() != 0) {
                cry("reading the medium takes root; --uid attacks as somebody else", -EPERM);
                return EXIT_UNKNOWN;
        }
        if (run.options.plant) {
                uid_t uid = run.options.volume.uid;

                r = plant(run.options.plant, uid, uid);
                return r < 0 ? cry(run.options.plant, r), EXIT_UNKNOWN : EXIT_HELD;
        }
        r = attack(&run);
        if (r >= 0) {
                judge(&run);
                report_write(stdout, run.trials, run.n, run.options.json, run.elsewhere);
        }
        r = r < 0 ? EXIT_UNKNOWN : conclude(&run);
        free(run.trials);
        return r;
}

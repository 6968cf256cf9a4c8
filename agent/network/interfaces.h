/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interfaces.h: every network interface of this network namespace, found at start and followed by rtnetlink.
 * Each is judged; one that is refused is set down, again whenever somebody sets it up, and no frame goes out
 * of it or comes in by it meanwhile (ether.h). A device that is moved out of sight, into another network
 * namespace, is taken off its driver and put back, so that it appears here anew. Asks for verdicts through
 * InterfacesCallbacks and never sees the policy. Runs in the event loop's thread.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/network/identity.h"
#include "policy/verdict.h"

typedef struct Interfaces Interfaces;

typedef struct Interface {
        Link link;
        InterfaceFacts facts;
        OpenDecision own, decision; /* on it alone; with what it stands on. Strings are the policy's */
        int enforcement;            /* 0, or the -errno with which holding it failed */
        bool renamed;               /* since it was told of last */
        bool was_up;                /* when it was first set down: it goes up again once it is approved */
        uint64_t raised;            /* how often somebody set it up since that was told */
        uint64_t raised_told;       /* when that was, microseconds since boot */
} Interface;

typedef enum InterfaceChange {
        INTERFACE_FOUND,    /* new here, judged and enforced */
        INTERFACE_REJUDGED, /* the verdict changed: other policy, name, or what it stands on */
        INTERFACE_RAISED,   /* refused, and somebody set it up; told at most every ten seconds */
        INTERFACE_MOVED, /* it went to another network namespace; enforcement is how bringing it back went */
        INTERFACE_GONE,
} InterfaceChange;

typedef enum InterfacesMode {
        INTERFACES_OFF,     /* nothing is judged or held */
        INTERFACES_MONITOR, /* judged and told, nothing is held */
        INTERFACES_ENFORCE,
} InterfacesMode;

typedef struct InterfacesCallbacks {
        /* the verdict on one interface by itself; must fill RET */
        void (*judge)(void *userdata, const InterfaceFacts *facts, OpenDecision *ret);
        /* something became of INTERFACE */
        void (*changed)(void *userdata, const Interface *interface, InterfaceChange change);
        /* somebody took from the kernel what holds refused interfaces; ERROR is how putting it back went */
        void (*lost)(void *userdata, int error);
        void *userdata;
} InterfacesCallbacks;

/* Starts following. SYSFS is where sysfs is mounted; RUNTIME_DIR holds the notes of what is let go.
 * 0 or -errno. The caller frees with interfaces_free. */
int interfaces_new(sd_event *event, const char *sysfs, const char *runtime_dir, InterfacesMode mode,
                   const InterfacesCallbacks *callbacks, Interfaces **ret);

/* What is held stays so. Returns NULL. */
Interfaces *interfaces_free(Interfaces *all);

/* Judge everything anew and enforce. 0, or the first -errno met (all is tried). */
int interfaces_rejudge(Interfaces *all, InterfacesMode mode);

/* Call F for every interface; stops at the first non-zero and returns it. */
int interfaces_foreach(const Interfaces *all, int (*f)(void *userdata, const Interface *interface),
                       void *userdata);

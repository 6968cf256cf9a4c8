/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/identity.h"

#include <fcntl.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/scope.h"
#include "policy/utf8.h"

/* What a device says of itself goes into records and onto screens: bounded, no control characters, no broken
 * UTF-8. */
static void set_text(char *to, size_t size, const char *text) {
        size_t n = 0, left = strlen(text);

        while (left > 0 && n + 1 < size) {
                uint32_t c = 0;
                size_t length = utf8_next(text, left, &c);
                size_t used = length > 0 ? length : 1;

                if (length == 0 || utf8_is_control(c))
                        to[n++] = '?';
                else if (n + length >= size)
                        break;
                else {
                        memcpy(to + n, text, length);
                        n += length;
                }
                text += used;
                left -= used;
        }
        to[n] = '\0';
}

/* The attribute NAME of the device with this directory. False, and TO as it was, if it has none. */
static bool read_attribute(const char *directory, const char *name, char *to, size_t size) {
        char path[PATH_MAX], text[INTERFACE_TEXT_MAX];

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path) ||
            file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0)
                return false;
        set_text(to, size, text);
        return true;
}

/* The last part of where the link NAME in DIRECTORY leads. "" if there is none. */
static void read_link(const char *directory, const char *name, char *to, size_t size) {
        char path[PATH_MAX], target[PATH_MAX];
        const char *last;
        ssize_t n;

        to[0] = '\0';
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path))
                return;
        n = readlink(path, target, sizeof(target) - 1);
        if (n <= 0)
                return;
        target[n] = '\0';
        last = strrchr(target, '/');
        set_text(to, size, last ? last + 1 : target);
}

/* The directory of the interface itself, if what sysfs shows by this name is this interface. */
static bool find_class(const char *sysfs, const Link *link, char path[static PATH_MAX]) {
        char text[32];

        return (size_t)snprintf(path, PATH_MAX, "%s/class/net/%s", sysfs, link->name) < PATH_MAX &&
               read_attribute(path, "ifindex", text, sizeof(text)) && atoi(text) == link->index;
}

/* What stands beneath: by the interface's own directory, else by bus and name. */
static void find_device(const char *sysfs, const Link *link, const char *class, char ret[static PATH_MAX]) {
        char path[PATH_MAX];

        if (class[0] != '\0' && (size_t)snprintf(path, sizeof(path), "%s/device", class) < sizeof(path) &&
            realpath(path, ret))
                return;
        if (link->parent[0] != '\0' && link->parent_bus[0] != '\0' &&
            (size_t)snprintf(path, sizeof(path), "%s/bus/%s/devices/%s", sysfs, link->parent_bus,
                             link->parent) < sizeof(path) &&
            realpath(path, ret))
                return;
        ret[0] = '\0'; /* it may hold a part of a way that leads nowhere */
}

/* DEVTYPE in what the kernel told udev: wlan, wwan, bluetooth. */
static void read_type(const char *class, char *to, size_t size) {
        static const char word[] = "DEVTYPE=";
        char path[PATH_MAX], text[1024];
        char *at;

        to[0] = '\0';
        if ((size_t)snprintf(path, sizeof(path), "%s/uevent", class) >= sizeof(path) ||
            file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0)
                return;
        at = strncmp(text, word, strlen(word)) == 0 ? text : strstr(text, "\nDEVTYPE=");
        if (!at)
                return;
        at = strchr(at, '=') + 1;
        at[strcspn(at, "\n")] = '\0';
        set_text(to, size, at);
}

/* Whether the device, or one that it hangs on, is plugged in from outside. The identity of the nearest USB
 * device on the way is taken, else that of the PCI device. */
static bool walk_up(const char *sysfs, InterfaceFacts *facts) {
        char path[PATH_MAX], word[LINK_WORD_MAX];
        size_t top = strlen(sysfs);
        bool usb = false, plugged = false;

        memcpy(path, facts->device, sizeof(path));
        while (strlen(path) > top + 1) {
                read_link(path, "subsystem", word, sizeof(word));
                if (strcmp(word, "usb") == 0 && !usb) {
                        usb = read_attribute(path, "idVendor", facts->vendor, sizeof(facts->vendor));
                        if (usb) {
                                (void)read_attribute(path, "idProduct", facts->product,
                                                     sizeof(facts->product));
                                (void)read_attribute(path, "serial", facts->serial, sizeof(facts->serial));
                        }
                        plugged = true;
                } else if (strcmp(word, "pci") == 0) {
                        if (facts->vendor[0] == '\0' &&
                            read_attribute(path, "vendor", facts->vendor, sizeof(facts->vendor)))
                                (void)read_attribute(path, "device", facts->product, sizeof(facts->product));
                        plugged = plugged || (read_attribute(path, "removable", word, sizeof(word)) &&
                                              strcmp(word, "removable") == 0);
                } else if (strcmp(word, "thunderbolt") == 0 || strcmp(word, "firewire") == 0 ||
                           strcmp(word, "gadget") == 0 || strcmp(word, "udc") == 0 ||
                           strcmp(word, "pcmcia") == 0)
                        plugged = true;
                *strrchr(path, '/') = '\0';
        }
        return plugged;
}

static bool is_dial_up(unsigned short type) {
        return type == ARPHRD_PPP || type == ARPHRD_SLIP || type == ARPHRD_CSLIP || type == ARPHRD_SLIP6 ||
               type == ARPHRD_CSLIP6 || type == ARPHRD_RAWIP || type == ARPHRD_PHONET ||
               type == ARPHRD_PHONET_PIPE;
}

static bool is_radio(unsigned short type) {
        return type == ARPHRD_IEEE80211 || type == ARPHRD_IEEE80211_PRISM ||
               type == ARPHRD_IEEE80211_RADIOTAP || type == ARPHRD_IEEE802154 ||
               type == ARPHRD_IEEE802154_MONITOR;
}

static InterfaceKind kind_of(const char *sysfs, const Link *link, const char *class, InterfaceFacts *facts) {
        char type[LINK_WORD_MAX] = "";
        bool plugged = facts->device[0] != '\0' && walk_up(sysfs, facts);

        if (class[0] != '\0')
                read_type(class, type, sizeof(type));
        if (strcmp(type, "wlan") == 0 || is_radio(link->type))
                return INTERFACE_WIFI;
        if (strcmp(type, "wwan") == 0 || strcmp(link->kind, "wwan") == 0 ||
            strcmp(link->parent_bus, "wwan") == 0 || is_dial_up(link->type))
                return INTERFACE_WWAN;
        if (strcmp(type, "bluetooth") == 0 || strcmp(link->kind, "bt6lowpan") == 0 ||
            link->type == ARPHRD_6LOWPAN)
                return INTERFACE_BLUETOOTH;
        if (plugged || strcmp(link->parent_bus, "usb") == 0 || link->type == ARPHRD_IEEE1394)
                return INTERFACE_USB;
        if (facts->device[0] == '\0' && link->parent[0] == '\0')
                return INTERFACE_VIRTUAL;
        return link->type == ARPHRD_ETHER || link->type == ARPHRD_INFINIBAND ? INTERFACE_ETHERNET
                                                                             : INTERFACE_UNKNOWN;
}

static void set_mac(InterfaceFacts *facts, const Link *link) {
        const unsigned char *address = link->permanent_length > 0 ? link->permanent : link->address;
        size_t length = link->permanent_length > 0 ? link->permanent_length : link->address_length;

        for (size_t i = 0; i < length; i++)
                (void)snprintf(facts->mac + (i == 0 ? 0 : 3 * i - 1), 4, i == 0 ? "%02x" : ":%02x",
                               address[i]);
}

void interface_identify(const char *sysfs, const Link *link, InterfaceFacts *ret) {
        char root[PATH_MAX], class[PATH_MAX];

        *ret = (InterfaceFacts){.loopback = (link->flags & IFF_LOOPBACK) != 0,
                                .tunnel = link_kind_is_tunnel(link->kind)};
        set_text(ret->name, sizeof(ret->name), link->name);
        if (!realpath(sysfs, root))
                (void)snprintf(root, sizeof(root), "%s", sysfs);
        if (!find_class(root, link, class))
                class[0] = '\0';
        find_device(root, link, class, ret->device);
        ret->kind = kind_of(root, link, class, ret);
        if (ret->device[0] != '\0') {
                read_link(ret->device, "driver", ret->driver, sizeof(ret->driver));
                read_link(ret->device, "subsystem", ret->bus, sizeof(ret->bus));
        } else
                set_text(ret->bus, sizeof(ret->bus), link->parent_bus);
        if (ret->driver[0] == '\0')
                set_text(ret->driver, sizeof(ret->driver), link->kind);
        set_mac(ret, link);
}

bool interface_kind_is_external(InterfaceKind kind) {
        switch (kind) {
        case INTERFACE_UNKNOWN:
        case INTERFACE_WIFI:
        case INTERFACE_WWAN:
        case INTERFACE_BLUETOOTH:
        case INTERFACE_USB:
                return true;
        case INTERFACE_ETHERNET:
        case INTERFACE_VIRTUAL:
                break;
        }
        return false;
}

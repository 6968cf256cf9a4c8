/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules of devices from their files. Only what root put beside the PAM module is loaded. */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "pam_module/device_module.h"

/* The directory of the PAM module itself: whoever can change it has the login already. */
static int make_path(const char *kind, char **ret) {
        const char *slash;
        Dl_info self;

        if (dladdr((const void *)(uintptr_t)device_module, &self) == 0 || !self.dli_fname ||
            self.dli_fname[0] != '/')
                return -ENOENT;
        slash = strrchr(self.dli_fname, '/');
        if (asprintf(ret, "%.*s/" DEVICE_MODULE_DIRECTORY "/%s.so", (int)(slash - self.dli_fname),
                     self.dli_fname, kind) < 0)
                return -ENOMEM;
        return 0;
}

static int check_owner(const char *path) {
        struct stat st;

        if (lstat(path, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        return st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? -EPERM : 0;
}

static int take_symbol(void *handle, const char *kind, const DeviceModule **ret) {
        const DeviceModule *module;
        const DeviceBuild build = DEVICE_BUILD;
        char symbol[64];

        (void)snprintf(symbol, sizeof(symbol), DEVICE_MODULE_SYMBOL, kind);
        module = dlsym(handle, symbol);
        if (!module)
                return -ELIBACC;
        if (memcmp(&module->build, &build, sizeof(build)) != 0)
                return -ELIBBAD;
        *ret = module;
        return 0;
}

static int load(Login *login, DeviceKind kind, const DeviceModule **ret) {
        const char *name = device_kind_to_string(kind);
        CLEANUP_FREE char *path = NULL;
        void *handle = login->devices[kind];
        int r = 0;

        if (!handle)
                r = make_path(name, &path);
        if (r == 0 && path)
                r = check_owner(path);
        if (r < 0)
                return r;
        if (!handle)
                handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!handle)
                return -ELIBACC;
        login->devices[kind] = handle;
        return take_symbol(handle, name, ret);
}

int device_module(Login *login, DeviceKind kind, const DeviceModule **ret) {
        int r = load(login, kind, ret);

        if (r == -ENOMEM)
                login->why = "out of memory";
        else if (r == -EPERM)
                login->why = "somebody else than root may write to a module of pam_sekisho";
        else if (r == -ELIBBAD)
                login->why = "a module of pam_sekisho is of another version";
        else if (r < 0)
                login->why = "a module of pam_sekisho cannot be loaded";
        return r;
}

void device_module_close(void *handle) {
        if (handle)
                (void)dlclose(handle);
}

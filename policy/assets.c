/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/assets.h"

#include <string.h>

DEFINE_ENUM_STRINGS(AssetExport, asset_export, ASSET_EXPORT_LIST)
DEFINE_ENUM_STRINGS(AssetsUnknown, assets_unknown, ASSETS_UNKNOWN_LIST)

static bool lies_in(const char *place, const char *path) {
        size_t length = strlen(place);

        return strncmp(place, path, length) == 0 &&
               (path[length] == '/' || path[length] == '\0' || strcmp(path + length, " (deleted)") == 0);
}

static bool holds(const Asset *asset, const char *path) {
        for (size_t i = 0; i < asset->n_paths; i++)
                if (lies_in(asset->paths[i], path))
                        return true;
        return false;
}

const Asset *policy_asset_of(const Policy *policy, const char *path) {
        const Asset *found = NULL;

        for (size_t i = 0; i < policy->n_assets; i++) {
                const Asset *asset = &policy->assets[i];

                if ((!found || (found->export != EXPORT_NEVER && asset->export == EXPORT_NEVER)) &&
                    holds(asset, path))
                        found = asset;
        }
        return found;
}

bool policy_keeps_assets(const Policy *policy) {
        for (size_t i = 0; i < policy->n_assets; i++)
                if (policy->assets[i].export == EXPORT_NEVER)
                        return true;
        return false;
}

/* tenants_folder.h - every tenant file of a folder, and the registry over them. */
#ifndef WEIR_CONFIG_TENANTS_FOLDER_H
#define WEIR_CONFIG_TENANTS_FOLDER_H

#include "config/load.h"
#include "config/settings.h"

#define TENANT_FILES_MAX ((size_t)10000)

/* rd: of weir.yaml, which is read already but for this. at: where it names the folder. shown: the folder as findings name it. */
void tenants_read(struct load *l, struct reader *rd, struct slice folder, struct slice shown, struct place at,
                  const struct limits_frame *frame);

#endif

/* load.h - what the parts of one load share: memory, findings, and the list of files that the snapshot was built from. */
#ifndef WEIR_CONFIG_LOAD_H
#define WEIR_CONFIG_LOAD_H

#include "base/strbuf.h"
#include "base/yaml.h"
#include "core/snapshot.h"

struct load {
	struct arena scratch;             /* texts and trees of the files; gone when loading ends */
	struct report *report;
	struct snapshot *snap;
	struct strbuf manifest;           /* name and SHA-256 of every file, in order */
	bool no_memory;
};

/* Reads one YAML file into scratch, and adds it to the manifest under a name that does not tell where the config lies.
 * NULL when there is no tree to go on with; reported, or no_memory. */
const struct yaml_node *load_yaml(struct load *l, struct slice path, struct slice shown, struct slice name);

#endif

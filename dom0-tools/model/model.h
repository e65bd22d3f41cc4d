/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libzmodel: the device model of an HVM domain: Debian's qemu-system-xen as a process of dom0 that
 * serves one domain with as few rights as it can. It is never restarted: a guest whose device model
 * is gone has lost its machine.
 *
 * Each has a directory of its own, $ZENDO_STATE_DIR/model/DOMID (/run/zendo/model/DOMID), which it
 * sees as its root in the end.
 *
 * Functions return 0 or -E, with the message in `error` where they take one, and never print.
 */
#ifndef ZENDO_MODEL_MODEL_H
#define ZENDO_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "device/devices.h"
#include "device/entries.h"
#include "device/error.h"
#include "model/qmp.h"

#define MODEL_PROGRAM	   "/usr/libexec/xen-qemu-system-i386"
#define MODEL_DEFAULT_NIC  "rtl8139"
#define MODEL_LOG_MAX	   (256 * 1024)
#define MODEL_SERIALS_MAX  4
#define MODEL_VNC_PORT	   5900
#define MODEL_VNC_DISPLAYS 100

enum model_vga {
	MODEL_VGA_STD,
	MODEL_VGA_CIRRUS,
	MODEL_VGA_NONE,
};

/* What the person who configures a domain decides. Strings belong to this. */
struct model_config {
	char *program;
	char boot[8]; /* letters of QEMU's -boot order= */
	enum model_vga vga;
	uint32_t videoram_mib; /* 0: there is no VGA */
	bool has_acpi;
	bool has_vnc;
	bool has_vnc_unused; /* the first free display from vnc_display on */
	uint32_t vnc_display;
	char *vnc_listen;   /* address */
	char *vnc_password; /* or NULL */
	char *keymap;	    /* or NULL */
	bool has_usb;
	char **usb_devices; /* "tablet", "mouse", "keyboard" */
	size_t nr_usb_devices;
	char **serials; /* "pty", "none", "file:PATH" */
	size_t nr_serials;
};

void model_config_free(struct model_config *config);

/* What the rest of the domain tells. `devices` are open. */
struct model_domain {
	unsigned int domid;
	const char *name;
	uint64_t ram_mib; /* without the video memory */
	uint32_t vcpus;
	uint32_t maxvcpus;
	/* Started by the firmware in place of a boot loader: boot_fd, or else kernel and ramdisk.
	 */
	int boot_fd;	    /* an image that needs no ramdisk of the device model; -1: none */
	const char *kernel; /* NULL: none */
	const char *ramdisk;
	const char *cmdline;
	const struct domain_devices *devices;
};

struct model {
	pid_t pid;	/* 0: none */
	struct qmp qmp; /* its death shows here */
	int said_fd;	/* what it says; -1: none */
	int log_fd;	/* where that goes, as long as log_left is not used up */
	size_t log_left;
	int vnc_fd;			     /* listening; -1: none */
	uint32_t vnc_port;		     /* 0: none */
	char serials[MODEL_SERIALS_MAX][64]; /* the ptys; empty: none */
};

/* Which of the four IDE drives this disk is, too; -1: it has no emulated half. */
int model_ide_index(const struct disk_spec *disk);

void model_init(struct model *model);

/*
 * Start the process and wait until it serves the domain, which has not run yet. `log` receives the
 * first MODEL_LOG_MAX bytes of what it says: a guest can make it say much. -ETIMEDOUT; -ECANCELED
 * when `cancel_fd` has something to say; -ECHILD: it ended.
 */
int model_start(struct model *model, const struct model_config *config,
		const struct model_domain *domain, const char *log, int timeout_ms, int cancel_fd,
		struct device_error *error);
/* Let go of the process: it serves on, but no more viewers get to it. */
void model_release(struct model *model);
/* End the process that this one started, if any. */
void model_stop(struct model *model);
/* End whatever serves the domain of this number, whoever started it, and remove its directory. */
void model_kill(unsigned int domid);

/* The nodes that tell others of a started device model. */
void model_add_entries(struct store_entries *list, const struct model *model,
		       const struct model_config *config, unsigned int domid);

/*
 * To be polled for POLLIN (-1: not), model_serve() to be called when one is. Hands viewers that
 * connect to the VNC port on to the process. -ECHILD: it is gone; `reason` then says how it ended.
 */
#define MODEL_FDS 3
void model_get_fds(const struct model *model, int fds[MODEL_FDS]);
int model_serve(struct model *model, char *reason, size_t size);

#endif

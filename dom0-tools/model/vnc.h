/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside libzmodel only: the TCP port of a domain's screen. The device model has no network: this
 * listens in dom0's, and hands each connection over.
 */
#ifndef ZENDO_MODEL_VNC_H
#define ZENDO_MODEL_VNC_H

#include "model/model.h"

/* Listen where the configuration says: 0 and model->vnc_fd and vnc_port, or -E. */
int vnc_listen(struct model *model, const struct model_config *config, struct device_error *error);
/* Hand over a viewer that is waiting. 0, also when there is none, or -E of qmp_command(). */
int vnc_accept(struct model *model);
int vnc_set_password(struct model *model, const char *password);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device model is configured with. */
#include <stdlib.h>

#include "model/model.h"

void model_config_free(struct model_config *config)
{
	for (size_t i = 0; i < config->nr_usb_devices; i++)
		free(config->usb_devices[i]);
	for (size_t i = 0; i < config->nr_serials; i++)
		free(config->serials[i]);
	free(config->usb_devices);
	free(config->serials);
	free(config->program);
	free(config->vnc_listen);
	free(config->vnc_password);
	free(config->keymap);
	*config = (struct model_config){0};
}

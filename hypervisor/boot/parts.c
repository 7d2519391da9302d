// SPDX-License-Identifier: MIT
/*
 * What a domain is made of. Released from the end to the start: first what speaks to others, then
 * everything that holds references to frames, at last the frames themselves.
 */
#include <hv/console.h>
#include <hv/domain.h>
#include <hv/evtchn.h>
#include <hv/grant.h>
#include <hv/shared_info.h>
#include <hv/store.h>
#include <hv/teardown.h>
#include <hv/vbd.h>
#include <hv/vif.h>

const struct domain_part domain_parts[] = {
    {.release = memory_release},
    {.init = shared_info_init, .release = shared_info_release},
    {.release = grant_table_release},
    {.release = tables_release},
    {.init = evtchn_init, .release = evtchn_release},
    {.release = console_release},
    {.init = store_init, .release = store_release},
    {.init = vif_attach, .release = vif_release},
    {.init = vbd_attach, .release = vbd_release},
};

const unsigned int nr_domain_parts = ARRAY_SIZE(domain_parts);

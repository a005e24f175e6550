/* SPDX-License-Identifier: Apache-2.0 */
/* Whose packet it is: the customer with the longest prefix that holds the destination. */
#pragma once

#include "tidegate.h"

#define TG_CUSTOMERS 4096	/* slots of `programs` */
#define TG_PREFIXES 65536	/* of all customers, by family */

struct tg_customer {
	__u32 slot;
};

TG_LPM(customers_4, struct tg_lpm4, struct tg_customer, TG_PREFIXES);
TG_LPM(customers_6, struct tg_lpm6, struct tg_customer, TG_PREFIXES);

static __always_inline const struct tg_customer *tg_customer_of4(__u32 address)
{
	const struct tg_lpm4 key = tg_lpm4(address);

	return bpf_map_lookup_elem(&customers_4, &key);
}

static __always_inline const struct tg_customer *tg_customer_of6(struct tg_ip6 address)
{
	const struct tg_lpm6 key = tg_lpm6(address);

	return bpf_map_lookup_elem(&customers_6, &key);
}

static __always_inline const struct tg_customer *tg_customer_of(const struct tg_packet *p)
{
	return p->family == 4 ? tg_customer_of4(p->dst4) : tg_customer_of6(p->dst6);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * GRE (RFC 2784, keys of RFC 2890) over IPv4 for kernels without GRE devices. Same bytes on the wire as the
 * kernel's `ip link add type gre local L remote R ttl T tos inherit`.
 *
 * A tunnel is a veth pair. Its end in the customer's namespace takes the place of the GRE device; gre_encap
 * sits at tc ingress of the other end, in the default namespace. gre_decap sits at tc ingress of each uplink.
 * Nothing about a tunnel is kept between packets, so any server can decapsulate what any other encapsulated.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "gre-decap.h"
#include "gre-encap.h"

SEC("tc")
int gre_encap(struct __sk_buff *skb)
{
	return encapsulate(skb);
}

SEC("tc")
int gre_decap(struct __sk_buff *skb)
{
	return decapsulate(skb);
}

char _license[] SEC("license") = "GPL";

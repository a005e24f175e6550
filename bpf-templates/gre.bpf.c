// SPDX-License-Identifier: GPL-2.0
/*
 * Tunnels for kernels without devices for them: GRE (RFC 2784, keys of RFC 2890) and IP in IP (RFC 2003, RFC 2473, RFC 4213),
 * IPv4 and IPv6 in either. The same bytes on the wire as the kernel's gre, ip6gre, sit and ip6tnl devices write
 * (src/targets/route/devices.ts says with which options), but for the identification of an IPv4 packet that must not be cut
 * up, which is zero here, and the number that IPv6's flow label has for a flow.
 *
 * A tunnel is a veth pair. Its end in the customer's namespace takes the place of the device; gre_encap
 * sits at tc ingress of the other end, in the default namespace. gre_decap sits at tc ingress of each uplink.
 * Nothing about a tunnel is kept between packets, so any server can decapsulate what any other encapsulated; but for pieces
 * of outer packets, until they are put together.
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

// SPDX-License-Identifier: Apache-2.0
/* Where a flood ends: counts its packets by what they are now, and drops them. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum arrived {
	ARRIVED_GRE,
	ARRIVED_UDP,
	ARRIVED,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ARRIVED);
	__type(key, __u32);
	__type(value, __u64);
} arrived SEC(".maps");

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	const struct ethhdr *eth = (const void *)(long)ctx->data;
	const struct iphdr *ip = (const void *)(eth + 1);
	__u32 kind;
	__u64 *count;

	if ((const void *)(ip + 1) > (const void *)(long)ctx->data_end ||
	    eth->h_proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	if (ip->protocol != IPPROTO_GRE && ip->protocol != IPPROTO_UDP)
		return XDP_PASS;
	kind = ip->protocol == IPPROTO_GRE ? ARRIVED_GRE : ARRIVED_UDP;
	count = bpf_map_lookup_elem(&arrived, &kind);
	if (count)
		(*count)++;
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "Apache-2.0";

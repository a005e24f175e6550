import { execFileSync } from "node:child_process";

/** Compiles C to a BPF object; `body` follows the includes and the license. */
export function compileBpf(object: string, body: string): void {
  const source = `#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\nchar LICENSE[] SEC("license") = "GPL";\n${body}`;
  const machine = execFileSync("gcc", ["-dumpmachine"], { encoding: "utf8" }).trim();
  const flags = ["-O2", "-g", "-target", "bpf", `-I/usr/include/${machine}`];
  execFileSync("clang", [...flags, "-x", "c", "-c", "-", "-o", object], { input: source });
}

/** Programs for XDP and tc, and a map of each sort that the loader treats in its own way. */
export const EVERY_KIND = `
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 1000); __type(key, __u32); __type(value, __u64); } hash SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 2); __type(key, __u32); __type(value, __u32); } sums SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 8); __type(key, __u32); __type(value, __u32); } programs SEC(".maps");
struct lpm { __u32 length; __u8 address[4]; };
struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __uint(max_entries, 100); __uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lpm); __type(value, __u8); } prefixes SEC(".maps");
struct cells { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); };
struct cells inner SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 2); __type(key, __u32);
	__array(values, struct cells); } maps SEC(".maps");
const volatile __u32 setting = 3;
static __always_inline int touch(struct xdp_md *ctx)
{
	__u32 key = setting; struct lpm any = {};
	bpf_map_lookup_elem(&maps, &key); bpf_map_lookup_elem(&inner, &key); bpf_map_lookup_elem(&hash, &key); bpf_map_lookup_elem(&sums, &key); bpf_map_lookup_elem(&prefixes, &any);
	bpf_tail_call(ctx, &programs, key);
	return XDP_PASS;
}
SEC("xdp") int first(struct xdp_md *ctx) { return touch(ctx); }
SEC("xdp") int second(struct xdp_md *ctx) { return XDP_DROP; }
SEC("tc") int classify(struct __sk_buff *skb) { return 0; }
`;

/** The verifier refuses it: reads a byte without a bounds check. */
export const UNSAFE_ACCESS = `SEC("xdp") int unsafe(struct xdp_md *ctx) { return *(char *)(long)ctx->data; }`;

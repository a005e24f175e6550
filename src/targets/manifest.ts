import { z } from "zod";

/**
 * The contracts between the compiler and the runtime: what a bundle says of itself, and what a node is.
 * The only module of src/ that runtime/ may import.
 */

export const MANIFEST_SCHEMA = 1;

/** Customer, rule, tunnel and list names that are safe in file names, C, nft and ip(8). */
const NAME = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/)
  .max(32);
const IDENTIFIER = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9_]*$/)
  .max(63);
const PREFIX = z.string().regex(/^[0-9a-f.:]+\/\d{1,3}$/);
const ADDRESS = z.string().regex(/^[0-9a-f.:]+$/);
const SHA256 = z.string().regex(/^[0-9a-f]{64}$/);
/** IFNAMSIZ is 16 with the closing NUL. */
const DEVICE = z.string().regex(/^[a-z][a-z0-9-]{0,14}$/);
/** Relative, no empty, `.` or `..` segment: cannot leave the bundle. */
const BUNDLE_PATH = z.string().regex(/^(?!.*(^|\/)\.{0,2}(\/|$))[A-Za-z0-9._/-]+$/);

const rule = z.strictObject({
  name: NAME,
  action: z.enum(["allow", "drop", "reject", "limit", "count", "log"]),
  /** 1-based line of the rule in the policy file. */
  line: z.int().positive(),
});

/** A BPF map of the customer's program that the runtime fills before the program is used. */
const table = z.discriminatedUnion("kind", [
  z.strictObject({
    /** Name of the map in xdp/<customer>.bpf.o. */
    map: IDENTIFIER,
    /** LPM_TRIE: key is the prefix length (u32, host order) and the address bytes; value one byte, 1. */
    kind: z.literal("lpm"),
    family: z.union([z.literal(4), z.literal(6)]),
    entries: z.array(PREFIX),
  }),
  z.strictObject({
    map: IDENTIFIER,
    /** ARRAY with one value, the file; the program finds it in slot 0 of the array of maps `<map>_slot`. */
    kind: z.literal("data"),
    file: BUNDLE_PATH,
    bytes: z.int().positive(),
  }),
]);

/** How the runtime finds out whether a tunnel's router lives; times in milliseconds. */
const health = z.strictObject({
  style: z.enum(["request", "reply"]),
  target: ADDRESS,
  interval: z.int().min(100).max(60_000),
  timeout: z.int().min(10).max(10_000),
  up: z.int().min(1).max(100),
  down: z.int().min(1).max(100),
});

const tunnel = z.strictObject({
  name: NAME,
  /** Device name in the customer's namespace, at most 15 characters. */
  device: DEVICE,
  /** Where the kernel has no GRE: the other end of `device`, a veth, in the default namespace. */
  peer: DEVICE,
  /** `ipip`: the inner packet follows the outer header. Bundles of before there was a choice say nothing of this and the last two. */
  kind: z.enum(["gre", "ipip"]).default("gre"),
  /** The outer destination, whose family is that of the outer header. */
  remote: ADDRESS,
  /** TTL or hop limit of the outer header; `inherit`: the inner packet's. */
  ttl: z.union([z.int().min(1).max(255), z.literal("inherit")]),
  mtu: z.int().min(68).max(65535),
  key: z.int().min(0).max(0xffffffff).nullable(),
  dscp: z.union([z.int().min(0).max(63), z.literal("inherit")]).default("inherit"),
  /** "Don't fragment" of an outer IPv4 header; `inherit`: the inner packet's. */
  df: z.enum(["set", "inherit"]).default("set"),
  /** Absent: nobody asks. */
  health: health.optional(),
});

/** `manifest.json`: what the bundle is, and the SHA-256 of every other file in it. */
export const manifestSchema = z.strictObject({
  schema: z.literal(MANIFEST_SCHEMA),
  compiler: z.string(),
  customer: NAME,
  /** Network namespace of the customer, and the name of its link's end in the default namespace. */
  namespace: z.string().regex(/^tg-[a-z0-9-]+$/),
  link: DEVICE,
  prefixes: z.array(PREFIX).min(1),
  /** SHA-256 of the policy's source text, and of each module that it imports, by its path from the policy's folder. */
  source: z.strictObject({
    file: z.string(),
    sha256: SHA256,
    modules: z.array(z.strictObject({ file: z.string(), sha256: SHA256 })).default([]),
  }),
  /** Rules in counter order: the XDP program counts rule i at index i of its `counters` map, and packets
   * that no rule decided at index `mitigate.length`. */
  mitigate: z.array(rule),
  firewall: z.strictObject({
    default: z.enum(["allow", "drop", "reject"]),
    rules: z.array(rule),
    /** The XDP program drops for the firewall, too, and counts that behind `mitigate`: by rule, and last the default. */
    early: z.boolean().default(false),
  }),
  /** The XDP program sends packets into the tunnels itself; absent: all that is allowed goes by the namespace. */
  datapath: z.literal("xdp").optional(),
  /**
   * Of tunnels that have `health`, the names of those that it does so with, as long as their routers live: the runtime closes the others
   * to it. One from before there was such a thing would never do so, and refuses a bundle that says this. Absent where no tunnel has
   * `health`, and in bundles of that time, whose programs send nothing into those.
   */
  sentWhileLive: z.array(NAME).optional(),
  /** What the XDP program drops can be watched: its map `watchers` is to be the root program's. */
  watched: z.boolean().default(false),
  tunnels: z.array(tunnel),
  /** What becomes of packets all of whose tunnels are dead. Bundles of before there was a choice say nothing, and mean "use". */
  noLiveTunnel: z.enum(["blackhole", "use"]).default("use"),
  tables: z.array(table),
  /** Maps that hold what is left of the allowances of limits; a new program goes on with one whose terms are the same. */
  limits: z.array(z.strictObject({ map: IDENTIFIER, terms: z.string() })).default([]),
  files: z.record(BUNDLE_PATH, SHA256),
});
export type Manifest = z.infer<typeof manifestSchema>;

const trustedKey = z.strictObject({
  /** An Ed25519 public key as SubjectPublicKeyInfo (RFC 8410) in base64: 12 bytes that are always the same, 32 of the key. */
  key: z.string().regex(/^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$/),
  /** The customers whose bundles it may sign; absent: all. */
  customers: z.array(NAME).min(1).optional(),
});

/** What `edge.ts` becomes: one node as the runtime sees it. */
export const nodeConfigSchema = z.strictObject({
  schema: z.literal(MANIFEST_SCHEMA),
  uplinks: z.array(z.string().regex(/^[^\s/]{1,15}$/)).min(1),
  /** Outer source of all tunnels, at most one address a family; the same on every server. */
  anycast: z.array(ADDRESS).min(1),
  /** Who may claim which prefixes. */
  owners: z.record(NAME, z.array(PREFIX)),
  /**
   * Who may sign bundles, by the operator's names. Without it bundles are taken as they are; no keys at all would be a
   * set that is empty, which never means "any".
   */
  keys: z
    .record(NAME, trustedKey)
    .refine((keys) => Object.keys(keys).length > 0, "name a key, or leave it out")
    .optional(),
});
export type NodeConfig = z.infer<typeof nodeConfigSchema>;

/**
 * What test:vm runs where no files are named: what depends on the kernel, and fits into some minutes on an emulated machine,
 * ten to twenty times slower than this one.
 */
export const SUITE = [
  "verifier",
  "interop",
  "gre",
  "gre-kernel",
  "xdp-root",
  "nft-exact",
  "difftest",
  "runtime-apply",
  "runtime-traffic",
  "runtime-flip",
  "lab-sites",
].map((name) => `test/kernel/${name}.test.ts`);

import { afterAll, beforeAll, expect, test } from "vitest";
import { Scratch } from "../../src/cli/verify/scratch.js";
import { packetsOfPage } from "../support/doc-packets.js";
import { kernelDiffers } from "../support/pinned-packets.js";

/** docs/semantics.md again, by XDP and nftables; test/unit/docs-semantics.test.ts holds the reference to the page. */
let scratch: Scratch;

beforeAll(async () => {
  scratch = await Scratch.start();
});

afterAll(() => scratch?.close());

test.each(packetsOfPage())("$heading: the kernel does what the page says", async (block) => {
  expect(await kernelDiffers(block, scratch)).toEqual([]);
});

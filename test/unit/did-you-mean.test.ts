import { describe, expect, test } from "vitest";
import { didYouMean } from "../../src/compiler/diagnostics/did-you-mean.js";

describe("the closest name", () => {
  test.each([
    ["ip.sorce", ["ip.dst", "ip.src"], "ip.src"],
    ["mian", ["maintain", "main"], "main"],
    ["TCP", ["udp", "tcp"], "tcp"],
    ["ab", ["ba"], "ba"],
    ["chicago", ["chicago-2", "chicagoo"], "chicagoo"],
    ["web", ["wax", "wex", "weg"], "wex"],
    ["", ["a"], "a"],
  ])("%s of %j is %s", (written, names, closest) => {
    expect(didYouMean(written, names)).toBe(`did you mean \`${closest}\`?`);
  });

  test.each([
    ["berlin", ["chicago"]],
    ["xy", ["ab"]],
    ["a", []],
    ["a".repeat(65), ["a".repeat(64)]],
    ["main", [...Array.from({ length: 1000 }, (_, i) => `name-${i}`), "maim"]],
  ])("%s: none is close, or none is looked at", (written, names) => {
    expect(didYouMean(written, names)).toBeUndefined();
  });
});

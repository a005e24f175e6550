import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../../src/cli/exit.js";
import { readGeography } from "../../src/cli/io/read-geography.js";
import { loadPolicy } from "../../src/cli/load-policy.js";
import { policyText } from "../support/read.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-geo-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test("`--geo` gives a policy the operator's tables", () => {
  const geo = file(
    "tables.json",
    '{"countries":{"DE":["198.51.100.0/24"]},"asnums":{"64500":["2001:db8::/32"]}}',
  );
  const policy = file("acme.policy.ts", policyText('ip.src.country == "DE" or ip.src.asnum == 64500'));
  const loaded = loadPolicy(policy, { geo });
  expect(loaded?.policy.lists.map(({ name }) => name)).toEqual(["country-de", "as-64500"]);
});

describe("tables with mistakes are refused, with their place", () => {
  test.each([
    ["not JSON", "{", /tables\.json: .*JSON/],
    ["an unknown key", '{"country":{}}', /Unrecognized key/],
    ["a country in words", '{"countries":{"Germany":[]}}', /countries/],
    ["host bits", '{"countries":{"DE":["198.51.100.1/24"]}}', /DE: "198\.51\.100\.1\/24" is not a prefix/],
    [
      "one prefix in two countries",
      '{"countries":{"DE":["198.51.100.0/24"],"FR":["198.51.100.0/24"]}}',
      /198\.51\.100\.0\/24 stands in DE and in FR/,
    ],
  ])("%s", (_, text, message) => {
    const path = file("tables.json", text);
    expect(() => readGeography(path)).toThrow(UsageError);
    expect(() => readGeography(path)).toThrow(message);
  });
});

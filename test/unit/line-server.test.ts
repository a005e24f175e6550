import { expect, test } from "vitest";
import { LineServer } from "../support/line-server.js";

test.each([
  ["ends", "echo why >&2"],
  ["is killed", "echo why >&2; kill -KILL $$"],
])("whoever asks a process that %s is told, before and after", async (_, script) => {
  const server = new LineServer(["sh", "-c", script]);
  await expect(server.ask("one")).rejects.toThrow(/ended: why/);
  await expect(server.ask("two")).rejects.toThrow(/ended: why/);
  await server.end();
});

test("a process answers line by line, until its input ends", async () => {
  const server = new LineServer(["cat"]);
  expect(await Promise.all(["one", "two"].map((line) => server.ask(line)))).toEqual(["one", "two"]);
  await server.end();
});

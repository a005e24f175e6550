import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../runtime/native-process.js";
import { AcmeEdge, acme, globex, NODE } from "../support/acme-edge.js";
import { address, rule } from "../support/ir.js";

let edge: AcmeEdge;
let bundles: readonly string[];

beforeAll(async () => {
  edge = await AcmeEdge.start();
  bundles = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map((prefix, index) =>
    edge.bundle(
      `bundle-${index}`,
      acme({ mitigate: [rule(`rule-${index}`, "drop", address("ip.src", prefix))] }),
    ),
  );
});
afterAll(() => edge?.server.end());

/** The built command, on the edge server. */
function tidegate(...args: readonly string[]): { readonly code: number | null; readonly output: string } {
  const [command, ...rest] = edge.server.enter([join(packageRoot(), "dist/bin/tidegate.js"), ...args]);
  const { status, stdout, stderr } = spawnSync(command, rest, { encoding: "utf8" });
  return { code: status, output: `${stdout}${stderr}` };
}

const apply = (index: number) => edge.server.apply(bundles[index] ?? "", NODE);
const rules = async () => {
  const [{ generation, drift, counters }] = (await edge.server.status()).customers;
  return [generation, Object.keys(counters.mitigate)[0], drift];
};

describe("rollback", () => {
  test("of somebody who is not there, or has no earlier policy, says so", async () => {
    expect(tidegate("rollback", "acme")).toMatchObject({
      code: 1,
      output: expect.stringContaining("TG9010"),
    });
    await apply(0);
    const { code, output } = tidegate("rollback", "acme");
    expect(code).toBe(1);
    expect(output).toMatch(/error\[TG9105\]: `acme` has no earlier policy on this node to go back to/);
    expect(await rules()).toEqual([1, "rule-0", []]);
  });

  test("goes back to the policy before, and then forward again", async () => {
    await apply(1);
    await apply(2);
    expect(
      JSON.parse(tidegate("rollback", "acme", "--json").output.trim().split("\n").at(-1) ?? ""),
    ).toMatchObject({
      customer: "acme",
      changed: true,
      generation: 4,
    });
    expect(await rules()).toEqual([4, "rule-1", []]);
    expect(tidegate("rollback", "acme")).toMatchObject({
      code: 0,
      output: expect.stringContaining("generation 5"),
    });
    expect(await rules()).toEqual([5, "rule-2", []]);
  });

  test("knows the policy before also after what is in force was mended", async () => {
    edge.server.run(["nft", "delete table inet tidegate"], { namespace: "tg-acme" });
    await apply(2);
    expect(await rules()).toEqual([6, "rule-2", []]);
    expect(tidegate("rollback", "acme").code).toBe(0);
    expect(await rules()).toEqual([7, "rule-1", []]);
    const kept = edge.server.run(["ls", "/run/tidegate/customers/acme"]).trim().split("\n");
    expect(kept).toEqual(["bundle-7", "earlier-6", "state.json"]);
  });

  test("refuses a copy that was damaged, and leaves what is in force", async () => {
    edge.server.run(["sh", "-c", "echo >> /run/tidegate/customers/acme/earlier-6/nft/acme.nft"]);
    expect(tidegate("rollback", "acme").output).toMatch(/TG5003/);
    expect(await rules()).toEqual([7, "rule-1", []]);
    await edge.server.remove("acme");
  });
});

describe("uninstall", () => {
  /** Everything that the machine's network consists of, with every setting of the kernel about it. */
  const whole = () =>
    edge.server.portrait() +
    edge.server.run(["tc", "-s", "filter", "show", "dev", "up0", "ingress"]) +
    edge.server.run(["sysctl", "-a", "--pattern", "^net\\.ipv[46]\\.(conf|neigh|ip_forward|route)"]);

  /** Ids of the kernel's own objects behind our pins. */
  function pinned(kind: "prog" | "map"): readonly string[] {
    const pins = edge.server
      .run(["find", "/run/tidegate/bpf", "-name", `${kind}_*`])
      .trim()
      .split("\n");
    return pins.map((pin) => JSON.parse(edge.server.run(["bpftool", "-j", kind, "show", "pinned", pin])).id);
  }

  async function gone(kind: "prog" | "map", id: string): Promise<boolean> {
    for (let tries = 0; tries < 100; tries++) {
      if (spawnSync("bpftool", [kind, "show", "id", `${id}`]).status !== 0) return true;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return false;
  }

  test("leaves the machine as it was found: devices, routes, nft, tc, sysctls, BPF and files", async () => {
    edge.server.run(["rm", "-rf", "/run/tidegate"]);
    const found = whole();
    await apply(0);
    await apply(1);
    await edge.server.apply(edge.bundle("globex", globex()), NODE);
    const [programs, maps] = [pinned("prog"), pinned("map")];
    expect(programs.length).toBeGreaterThan(4);
    expect(tidegate("uninstall")).toMatchObject({
      code: 0,
      output: expect.stringMatching(/ok the machine is as it was found; removed acme, globex\n/),
    });
    expect(whole()).toBe(found);
    expect(edge.server.run(["ls", "-A", "/run"])).not.toContain("tidegate");
    for (const id of programs) expect([id, await gone("prog", id)]).toEqual([id, true]);
    for (const id of maps) expect([id, await gone("map", id)]).toEqual([id, true]);
  });

  test.each(["root program on up0", "tunnel chicago", "claim prefixes"])(
    "takes away what a run that was killed at %s has left",
    async (step) => {
      const found = whole();
      const script = `
        const { apply } = await import(${JSON.stringify(join(packageRoot(), "dist/runtime/apply.js"))});
        const onStep = (step) => step === ${JSON.stringify(step)} && process.kill(process.pid, "SIGKILL");
        await apply({ bundle: ${JSON.stringify(bundles[0])}, node: ${JSON.stringify(NODE)}, onStep });`;
      const [command, ...args] = edge.server.enter(["node", "--input-type=module", "-e", script]);
      expect(spawnSync(command, args).signal).toBe("SIGKILL");
      expect(whole()).not.toBe(found);
      expect(tidegate("uninstall").code).toBe(0);
      expect(whole()).toBe(found);
    },
  );

  test("is refused while a daemon runs, and takes away what one that was killed has left", async () => {
    const state = "/run/tidegate";
    edge.server.run(["mkdir", "-p", state]);
    const socket = `${state}/commands`;
    const daemon = await edge.start(
      "client",
      `require("net").createServer().listen("${socket}", () => console.log("up"));`,
    );
    expect(tidegate("uninstall")).toMatchObject({ code: 1, output: expect.stringContaining("TG9002") });
    expect(edge.server.run(["ls", "-A", state])).toContain("commands");
    await daemon.end();
    edge.server.run(["touch", `${state}/.daemon.json.0123456789ab`]);
    expect(tidegate("uninstall").code).toBe(0);
    expect(edge.server.run(["ls", "-A", "/run"])).not.toContain("tidegate");
  });

  test("of nothing does nothing, and keeps files that are not ours", () => {
    edge.server.run(["sh", "-c", "mkdir -p /run/tidegate && touch /run/tidegate/mine"]);
    expect(tidegate("uninstall", "--json")).toMatchObject({ code: 0, output: '{"customers":[]}\n' });
    expect(edge.server.run(["ls", "-A", "/run/tidegate"]).trim()).toBe("mine");
  });
});

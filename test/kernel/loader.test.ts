import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ERRNO, Loader } from "../../runtime/loader-client.js";
import { failure, type LoaderLab, startLoaderLab } from "../support/loader-lab.js";

let lab: LoaderLab;
let bpffs: LoaderLab["bpffs"];
let folder: LoaderLab["folder"];
let loader: LoaderLab["loader"];
let namespace: LoaderLab["namespace"];
let namespaceFile: LoaderLab["namespaceFile"];
let pins: LoaderLab["pins"];

beforeAll(async () => {
  lab = await startLoaderLab();
  ({ bpffs, folder, loader, namespace, namespaceFile, pins } = lab);
});

afterAll(() => lab?.end());

describe.each(["native", "generic"] as const)("XDP, %s", (mode) => {
  const device = "left";

  test("is attached, replaced only from the program that is expected, and detached", async () => {
    const link = join(bpffs, `link-${mode}`);
    const [first, second] = [`${pins}/prog_first`, `${pins}/prog_second`];
    await loader.attachXdp({ device, program: first, link, mode });
    expect(await loader.pinnedId(link)).toMatchObject({
      kind: "link",
      program: (await loader.pinnedId(first)).id,
      ifindex: await loader.ifindex(device),
    });

    const busy = await failure(loader.attachXdp({ device, program: second, link: `${link}-2`, mode }));
    expect(busy.errno).toBe(ERRNO.EBUSY);
    expect(busy.message).toMatch(/XDP program \d+ is attached to left already/);

    const other = mode === "native" ? "generic" : "native";
    const mixed = await failure(
      loader.attachXdp({ device, program: second, link: `${link}-2`, mode: other }),
    );
    expect(mixed.errno).toBe(ERRNO.EBUSY);

    await failure(loader.updateXdp({ link, program: second, old: second }));
    expect((await loader.pinnedId(link)).program).toBe((await loader.pinnedId(first)).id);
    await loader.updateXdp({ link, program: second, old: first });
    expect((await loader.pinnedId(link)).program).toBe((await loader.pinnedId(second)).id);

    await loader.detachXdp(link);
    expect((await failure(loader.detachXdp(link))).errno).toBe(ERRNO.ENOENT);
    const shown = execFileSync("ip", ["-n", namespace, "-j", "link", "show", "dev", device], {
      encoding: "utf8",
    });
    expect(JSON.parse(shown)[0].xdp).toBeUndefined();
  });
});

test("a device that is not there has a typed error", async () => {
  const request = { device: "nothere", program: `${pins}/prog_first`, link: join(bpffs, "l") };
  expect((await failure(loader.attachXdp({ ...request, mode: "native" }))).errno).toBe(ERRNO.ENODEV);
  expect((await failure(loader.ifindex("nothere"))).errno).toBe(ERRNO.ENODEV);
});

describe("generic receive offload", () => {
  const shown = () =>
    execFileSync("ip", ["netns", "exec", namespace, "ethtool", "-k", "left"], { encoding: "utf8" });

  test.each([
    [true, "on"],
    [false, "off"],
  ])("is switched, and asked for: %s", async (on, word) => {
    await loader.setMergesReceived("left", on);
    expect(await loader.mergesReceived("left")).toBe(on);
    expect(shown()).toMatch(new RegExp(`^generic-receive-offload: ${word}$`, "m"));
  });

  test.each(["nothere", "a-name-longer-than-devices-have"])(
    "of %s: there is no such device",
    async (name) => {
      expect((await failure(loader.mergesReceived(name))).errno).toBe(ERRNO.ENODEV);
      expect((await failure(loader.setMergesReceived(name, true))).errno).toBe(ERRNO.ENODEV);
    },
  );
});

describe("tc", () => {
  const slot = { device: "right", direction: "ingress", priority: 7, handle: 1 } as const;
  const filters = () =>
    execFileSync("tc", ["-n", namespace, "filter", "show", "dev", "right", "ingress"], { encoding: "utf8" });

  test("attaches a classifier, in place of one at the same slot, and detaches it", async () => {
    await loader.attachTc({ ...slot, program: `${pins}/prog_classify` });
    await loader.attachTc({ ...slot, program: `${pins}/prog_classify` });
    expect(filters().match(/handle/g)).toHaveLength(1);
    expect(filters()).toMatch(/pref 7 .*handle 0x1 .*direct-action/);
    await loader.detachTc(slot);
    expect(filters()).not.toMatch(/classify/);
    expect((await failure(loader.detachTc(slot))).errno).toBe(ERRNO.ENOENT);
  });

  test("refuses a program of another type and a slot without a number", async () => {
    await failure(loader.attachTc({ ...slot, program: `${pins}/prog_first` }));
    const error = await failure(loader.attachTc({ ...slot, handle: 0, program: `${pins}/prog_classify` }));
    expect(error.message).toMatch(/tc priority 7, handle 0/);
  });
});

describe("nft", () => {
  const TABLE = "table inet tgl {\n\tchain c {\n\t\ttcp dport 80 drop\n\t}\n}\n";

  test("works in the namespace that is named, and only there", async () => {
    await loader.nft({ namespace: null, text: TABLE });
    const other = await Loader.start();
    try {
      const listed = await other.nft({ namespace: namespaceFile, text: "list tables" });
      expect(listed).toBe("table inet tgl\n");
      expect(await other.nft({ namespace: null, text: "list tables" })).not.toMatch(/tgl/);
    } finally {
      await other.close();
    }
    await loader.nft({ namespace: null, text: "delete table inet tgl" });
  });

  test("a check changes nothing, and still finds what is wrong", async () => {
    await loader.nft({ namespace: null, text: TABLE, check: true });
    expect(await loader.nft({ namespace: null, text: "list tables" })).toBe("");
    await failure(loader.nft({ namespace: null, text: "delete table inet tgl", check: true }));
  });

  test("answers JSON when asked", async () => {
    const listed = await loader.nft({ namespace: null, text: "list tables", json: true });
    expect(JSON.parse(listed).nftables).toHaveLength(1);
  });

  test.each([
    [
      "of syntax",
      "table inet bad {\n\tchain c {\n\t\tbogus\n\t}\n}\n",
      /line 3:\d+-\d+: Error: syntax error/,
    ],
    [
      "found by the kernel",
      `${TABLE}add rule inet tgl none drop\n`,
      /line 6:\d+-\d+: .*No such file or directory/,
    ],
  ])("a mistake %s is shown with its line, and nothing of the text is done", async (_, text, message) => {
    const error = await failure(loader.nft({ namespace: null, text }));
    expect(error.message).toMatch(message);
    expect(error.message).not.toMatch(/\/proc/);
    expect(await loader.nft({ namespace: null, text: "list tables" })).toBe("");
  });

  test("a namespace that is not there is an error, and the loader stays where it was", async () => {
    const error = await failure(loader.nft({ namespace: "/run/netns/tgl-none", text: "list tables" }));
    expect(error.errno).toBe(ERRNO.ENOENT);
    await failure(loader.nft({ namespace: join(folder, "object.o"), text: "list tables" }));
    expect(await loader.ifindex("left")).toBeGreaterThan(0);
  });
});

describe("the lock", () => {
  test("is held until its holder closes, and names it", async () => {
    const path = join(folder, "lock");
    const [one, two] = [await Loader.start(), await Loader.start()];
    try {
      await one.lock(path);
      const error = await failure(two.lock(path));
      expect(error.errno).toBe(ERRNO.EAGAIN);
      expect(error.message).toContain(`process ${process.pid} holds the lock ${path}`);
      await one.close();
      await two.lock(path);
    } finally {
      await one.close();
      await two.close();
    }
  });
});

describe("a loader that cannot answer", () => {
  test("is missed by name", async () => {
    const error = await failure(Loader.start({ command: ["/nonexistent/tidegate-loader"] }));
    expect(error.message).toMatch(/cannot run \/nonexistent\/tidegate-loader.*built/);
  });

  test("fails pending and later calls with its last words", async () => {
    const dead = await Loader.start({ command: ["sh", "-c", "read line; echo no kernel >&2; exit 3"] });
    const pending = dead.lock("/nonexistent/\n");
    expect((await failure(pending)).message).toBe("sh ended (exit code 3): no kernel");
    expect((await failure(dead.ifindex("lo"))).message).toMatch(/exit code 3/);
    await dead.close();
  });
});

import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { requireOwnFolder } from "../../runtime/trust/own-folder.js";
import { codeOf } from "../support/tiny-bundle.js";

/** docs/security.md, "Who has an account on the edge server". */

const NOBODY = 65534;

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tidegate-own-"));
  folder = join(root, "state");
  mkdirSync(folder, { mode: 0o700 });
});
afterEach(() => rmSync(root, { recursive: true }));

const refused = (path = folder) => codeOf(() => requireOwnFolder(path));

describe("a folder that only its owner can change", () => {
  test.each([0o700, 0o755, 0o1755])("of mode %o", async (mode) => {
    chmodSync(folder, mode);
    expect(await refused()).toBe("none");
  });

  test("that is not there yet", async () => {
    expect(await refused(join(folder, "a/b"))).toBe("none");
  });

  test("behind a link", async () => {
    symlinkSync(folder, join(root, "link"));
    expect(await refused(join(root, "link"))).toBe("none");
  });

  test("in a folder where everybody can write, and nobody can rename", async () => {
    chmodSync(root, 0o1777);
    expect(await refused()).toBe("none");
    expect(await refused(join(root, "not-there-yet"))).toBe("none");
  });
});

describe("a folder that others can change", () => {
  test.each([0o720, 0o702, 0o777, 0o1777])("of mode %o", async (mode) => {
    chmodSync(folder, mode);
    expect(await refused()).toBe("TG9016");
  });

  test("behind a link", async () => {
    chmodSync(folder, 0o777);
    symlinkSync(folder, join(root, "link"));
    expect(await refused(join(root, "link"))).toBe("TG9016");
  });

  test("as they can put another in its place", async () => {
    chmodSync(root, 0o777);
    expect(await refused()).toBe("TG9016");
    expect(await refused(join(folder, "not/there/yet"))).toBe("TG9016");
  });

  test("as they can put another in the place that a link leads to", async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), "tidegate-own-"));
    symlinkSync(join(root, "state"), join(elsewhere, "link"));
    chmodSync(root, 0o777);
    expect(await refused(join(elsewhere, "link"))).toBe("TG9016");
    rmSync(elsewhere, { recursive: true });
  });

  test("says which, why, and what to do", async () => {
    chmodSync(folder, 0o757);
    await expect(requireOwnFolder(folder)).rejects.toMatchObject({
      message: `others than root may change what is in \`${folder}\`: its mode is 0757`,
      hint: expect.stringContaining(`chmod go-w ${folder}`),
    });
  });
});

describe("a folder of somebody else's", () => {
  test("itself", async () => {
    chownSync(folder, NOBODY, NOBODY);
    expect(await refused()).toBe("TG9016");
    await expect(requireOwnFolder(folder)).rejects.toThrow(`it belongs to user ${NOBODY}`);
  });

  test("above it", async () => {
    chownSync(root, NOBODY, NOBODY);
    expect(await refused()).toBe("TG9016");
  });

  test("or a link of theirs, to one of root's", async () => {
    symlinkSync(folder, join(root, "link"));
    lchownSync(join(root, "link"), NOBODY, NOBODY);
    expect(await refused(join(root, "link"))).toBe("TG9016");
  });
});

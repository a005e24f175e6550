import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { besideOf, replaceAlone } from "./durable.js";
import { causeOf, failure, hasErrno } from "./failures.js";
import { sha256 } from "./hash.js";

/**
 * What a node must not forget is written twice, to a file and to its twin in another folder, and each is sealed by the hash of what
 * it says: so what was damaged is known for it, and what either says still holds.
 */
export interface Place {
  readonly file: string;
  readonly twin: string;
}

type Found<T> =
  | { readonly state: "whole"; readonly value: T }
  | { readonly state: "missing" }
  | { readonly state: "damaged"; readonly problem: string; readonly cause: unknown };

/**
 * What is recorded; undefined where nothing is. Throws TG9011 where it cannot be read from either of the two. `problemOf`: what is
 * wrong with what a copy says, though it is whole.
 */
export async function readRecord<T>(
  place: Place,
  schema: z.ZodType<T>,
  problemOf: (value: T) => string | null = () => null,
): Promise<T | undefined> {
  const own = await read(place.file, schema, problemOf);
  if (own.state === "whole") return own.value;
  const twin = await read(place.twin, schema, problemOf);
  if (twin.state === "whole") return twin.value;
  const damaged = [own, twin].find((found) => found.state === "damaged");
  if (!damaged) return undefined;
  const hint = "restore the file or its twin (docs/runtime.md, What is damaged); traffic is judged as before";
  throw failure("TG9011", { file: place.file, problem: damaged.problem }, hint, damaged.cause);
}

/** Are both there, whole, and the same? */
export async function isWhole<T>(place: Place, schema: z.ZodType<T>): Promise<boolean> {
  const [own, twin] = await Promise.all([read(place.file, schema), read(place.twin, schema)]);
  return own.state === "whole" && twin.state === "whole" && isDeepStrictEqual(own.value, twin.value);
}

/**
 * Written beside and renamed, so that a reader sees the old record or the new one, also after a failure of power. The file decides,
 * so it comes last. What is there as it should be stays.
 */
export async function writeRecord(place: Place, value: object): Promise<void> {
  const content = `${JSON.stringify(sealed(value), null, 2)}\n`;
  if (await holds([place.twin, place.file], content)) return;
  for (const file of [place.twin, place.file]) {
    await mkdir(dirname(file), { recursive: true });
    await replaceAlone(file, content);
  }
}

/** The file goes last: as long as it is there, the record is. */
export async function removeRecord(place: Place): Promise<void> {
  await removeTwin(place);
  await rm(place.file, { recursive: true, force: true });
}

/** All but the file itself; for who has to remove something else before the record may go. */
export async function removeTwin({ file, twin }: Place): Promise<void> {
  for (const one of [twin, besideOf(twin), besideOf(file)]) await rm(one, { recursive: true, force: true });
}

async function read<T>(
  file: string,
  schema: z.ZodType<T>,
  problemOf: (value: T) => string | null = () => null,
): Promise<Found<T>> {
  try {
    const { seal, ...value } = sealedSchema.parse(JSON.parse(await readFile(file, "utf8")));
    if (seal !== sealOf(value)) throw new Error("its seal is broken: somebody has changed it, or the disk");
    const said = schema.parse(value);
    const problem = problemOf(said);
    if (problem !== null) throw new Error(problem);
    return { state: "whole", value: said };
  } catch (error) {
    // Also where a file is in the place of its folder.
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return { state: "missing" };
    return { state: "damaged", problem: causeOf(error), cause: error };
  }
}

const sealedSchema = z.looseObject({ seal: z.string() });

function sealed(value: object): object {
  return { ...value, seal: sealOf(value) };
}

function sealOf(value: object): string {
  return sha256(JSON.stringify(value));
}

async function holds(files: readonly string[], content: string): Promise<boolean> {
  for (const file of files) if ((await readFile(file, "utf8").catch(() => null)) !== content) return false;
  return true;
}

import { z } from "zod";
import { readRecord, removeRecord, writeRecord } from "./records.js";
import {
  customerNames,
  entriesOf,
  forgetCustomer,
  isThere,
  type LoadedCustomer,
  ownedBy,
  type Paths,
  readCustomer,
  storedGenerations,
} from "./state.js";

const intentSchema = z.strictObject({
  customer: z.string(),
  generation: z.int().positive(),
  slot: z.int().nonnegative(),
  removal: z.boolean().default(false),
});
/** A change, or a removal, that has been begun: written before anything is made, and forgotten when nothing is left to do. */
export type Intent = z.infer<typeof intentSchema>;

/** Those of whom a change is noted, or was about to be. */
async function notedNames(paths: Paths): Promise<readonly string[]> {
  const folders = [paths.notes(), paths.twins("notes")];
  const files = (await Promise.all(folders.map((folder) => entriesOf(folder)))).flat();
  const names = files.flatMap((file) => /^(.+)\.json(?:\.new)?$/.exec(file)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** All of whom there is anything. */
export async function knownNames(paths: Paths): Promise<readonly string[]> {
  return [...new Set([...(await customerNames(paths)), ...(await notedNames(paths))])];
}

/** Is there anything that says that a customer, or what was begun of it, is this node's own? */
export async function isKnown(paths: Paths, customer: string): Promise<boolean> {
  return (await knownNames(paths)).includes(customer);
}

export async function writeIntent(
  paths: Paths,
  { customer, generation, slot, removal }: Intent,
): Promise<void> {
  await writeRecord(paths.note(customer), intentSchema.parse({ customer, generation, slot, removal }));
}

/** `keep`: something else of the customer is stored. */
export async function forgetIntent(
  paths: Paths,
  { customer }: Pick<Intent, "customer">,
  keep: boolean,
): Promise<void> {
  if (keep) await removeRecord(paths.note(customer));
  else await forgetCustomer(paths, customer);
}

/** The changes under way, of all customers or of one; while nobody holds the lock, those of runs that were killed. */
export async function readIntents(paths: Paths, customer?: string): Promise<readonly Intent[]> {
  const intents: Intent[] = [];
  for (const name of customer === undefined ? await notedNames(paths) : [customer]) {
    const intent = await readIntent(paths, name);
    if (intent) intents.push(intent);
  }
  return intents;
}

/** The change of one customer that is under way. */
export async function readIntent(paths: Paths, name: string): Promise<Intent | undefined> {
  const place = paths.note(name);
  // There is hardly ever one, and a look costs a tenth of what a try to read costs.
  if (!isThere(place)) return undefined;
  return readRecord(place, intentSchema, ownedBy(name)).catch(async (damage: unknown) => {
    const current = await readCustomer(paths, name);
    if (!current) throw damage;
    return lastBegun(paths, current);
  });
}

/**
 * What a note that cannot be read was about: a change to the newest generation of which there is a bundle; or a removal, of which
 * what is missing already is drift.
 */
async function lastBegun(paths: Paths, { customer, generation, slot }: LoadedCustomer): Promise<Intent> {
  const newest = Math.max(generation, ...(await storedGenerations(paths, customer)));
  return { customer, generation: newest, slot, removal: false };
}

/** Is a change noted, or the beginning of a note there? */
export async function isAnyNoted(paths: Paths): Promise<boolean> {
  return (await notedNames(paths)).length > 0;
}

/** What is left of notes in the middle of which a run was killed: what they were about had not been begun. */
export async function forgetUnwritten(paths: Paths): Promise<void> {
  for (const name of await notedNames(paths))
    if (!(await readIntent(paths, name))) await removeRecord(paths.note(name));
}

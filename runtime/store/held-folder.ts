import { constants } from "node:fs";
import { open } from "node:fs/promises";

/**
 * Holds a folder open for the time of `work`, which gets a path to that very folder, whatever takes the place of its name
 * meanwhile: what openat(2) is for, which Node has not. A link is no folder: ENOTDIR.
 */
export async function withFolder<T>(path: string, work: (held: string) => Promise<T>): Promise<T> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const handle = await open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const held = `/proc/self/fd/${handle.fd}`;
  try {
    return await work(held);
  } catch (error) {
    // Who reads it knows the folder by its name.
    if (error instanceof Error) error.message = error.message.replaceAll(`${held}/`, `${path}/`);
    throw error;
  } finally {
    await handle.close();
  }
}

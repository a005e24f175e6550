import { createCipheriv } from "node:crypto";

/** As many bytes as asked for, always the same ones, in which no two packets are alike. */
export function noise(bytes: number): Buffer {
  return createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

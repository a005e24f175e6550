import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeFields, encodeFrame, FrameError, FrameReader, MAX_FRAME } from "../../runtime/frame.js";

const fields = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });

/** Cuts bytes into chunks of the given sizes, repeated as often as needed. */
function chunks(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let start = 0, index = 0; start < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    cut.push(bytes.subarray(start, start + size));
    start += size;
  }
  return cut;
}

describe("frames", () => {
  test("lay out lengths and bytes as documented", () => {
    const bytes = encodeFrame(["ab", Buffer.from([7])]);
    expect(bytes.toString("hex")).toBe("0f000000" + "02000000" + "02000000" + "6162" + "01000000" + "07");
  });

  test("count bytes of UTF-8, not characters", () => {
    expect(decodeFields(encodeFrame(["é€"]).subarray(4)).map(String)).toEqual(["é€"]);
  });

  test("survive any cutting of the stream", () => {
    fc.assert(
      fc.property(
        fc.array(fields),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (frames, sizes) => {
          const reader = new FrameReader();
          const stream = Buffer.concat(frames.map((frame) => encodeFrame(frame)));
          const read = chunks(stream, sizes).flatMap((chunk) => reader.push(chunk));
          expect(read.map((frame) => frame.map((field) => [...field]))).toEqual(
            frames.map((frame) => frame.map((field) => [...field])),
          );
        },
      ),
    );
  });

  test("of more than the limit are not sent", () => {
    expect(() => encodeFrame([new Uint8Array(MAX_FRAME)])).toThrow(FrameError);
  });
});

describe("bad frames are refused", () => {
  test.each([
    ["no field count", "010000"],
    ["more fields than bytes", "ffffffff"],
    ["a field longer than the frame", "01000000" + "02000000" + "61"],
    ["a length cut short", "01000000" + "0200"],
    ["bytes behind the last field", "01000000" + "01000000" + "61" + "62"],
  ])("%s", (_, body) => {
    expect(() => decodeFields(Buffer.from(body, "hex"))).toThrow(FrameError);
  });

  test("a length beyond the limit, before any of it is buffered", () => {
    expect(() => new FrameReader().push(Buffer.from("01000004", "hex"))).toThrow(/67108865 bytes/);
  });
});

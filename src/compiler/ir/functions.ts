/** Functions of the packet, which are fields with arguments. */
export const FUNCTION_NAMES = ["bit_slice", "payload.u8", "payload.u16", "payload.u32"] as const;

export type FunctionName = (typeof FUNCTION_NAMES)[number];

export function isFunctionName(name: string): name is FunctionName {
  return FUNCTION_NAMES.some((one) => one === name);
}

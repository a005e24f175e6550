import { inOneLine } from "./failures.js";

/**
 * What an operator should know of a change that was made all the same. The texts are those of the catalogue
 * (src/compiler/diagnostics/catalogue/runtime.ts), as those in failures.ts are.
 */
export const WARNINGS = {
  TG9022: ({ tunnel, needed, way, mtu }) =>
    `tunnel \`${tunnel}\` makes packets of up to ${needed} bytes, and ${way}, by which they leave, carries ${mtu}`,
  TG9024: ({ device, address, prefix, customer }) =>
    `\`${device}\` of this server has the address ${address}, which is in ${prefix} of \`${customer}\`: what comes for the server there is taken for the customer's`,
} as const satisfies Record<string, (params: Record<string, string>) => string>;

export type WarningCode = keyof typeof WARNINGS;

export interface RuntimeWarning {
  readonly code: WarningCode;
  readonly message: string;
  readonly hint: string;
}

export function warning<C extends WarningCode>(
  code: C,
  params: Parameters<(typeof WARNINGS)[C]>[0],
  hint: string,
): RuntimeWarning {
  return { code, message: WARNINGS[code](inOneLine(params)), hint };
}

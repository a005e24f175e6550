/** How much longer anything may take than on a machine of its own: test/vm runs tests on emulated ones. */
export const PATIENCE = Number(process.env["TIDEGATE_PATIENCE"] ?? 1);

/** What clang is told; the caller runs it. */
export interface ClangJob {
  /** The folder of tidegate.h, bpf-templates. */
  readonly include: string;
  /** The C file and the object, best relative to the folder that clang is run in. */
  readonly source: string;
  readonly object: string;
  /** Takes the time from the map `test_clock`. For tests only. */
  readonly testClock?: boolean;
}

/**
 * Arguments of clang that compile a customer's program. Same source, same bytes: BTF names files, so folders
 * are cut off their names, wherever this is run.
 *
 * `-mcpu=v3`: 32-bit registers and atomic compare-exchange, in the kernel since 5.12. `-g` is for BTF; the caller
 * strips the DWARF that comes with it. `-fbracket-depth`: conditions nest like the policy's expressions, which have a
 * limit of their own. `-Wno-tautological-compare`: a policy may say what can never hold; the linter tells its author.
 */
export function clangArguments({ include, source, object, testClock = false }: ClangJob): readonly string[] {
  return [
    ...["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-std=gnu11", "-fbracket-depth=1024"],
    ...["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-tautological-compare"],
    ...[
      "-fdebug-compilation-dir=.",
      `-ffile-prefix-map=${include}=.`,
      `-ffile-prefix-map=${folder(source)}=.`,
    ],
    ...["-I", include],
    ...(testClock ? ["-DTG_TEST_CLOCK"] : []),
    ...["-c", source, "-o", object],
  ];
}

function folder(file: string): string {
  return /^(.*)[/\\]/s.exec(file)?.[1] ?? ".";
}

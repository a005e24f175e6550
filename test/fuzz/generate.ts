import fc from "fast-check";
import { analyzeAny } from "../../src/compiler/compile.js";
import { realPolicies } from "./corpus.js";
import { expressions } from "./expressions.js";
import { asStored, type FuzzInput, hostFor, MAIN } from "./input.js";
import { edits } from "./mutations.js";
import { IMPORTS, policies, policyAround } from "./policies.js";
import { ADDRESSES, NUMBERS } from "./words.js";

const alone = (kind: string, main: string): FuzzInput => ({ kind, main, modules: {} });

const ALL = realPolicies();
const RIGHT = ALL.filter((one) => analyzeAny(MAIN, one.main, hostFor(one)).policy !== null);

/** A real policy, or one of the modules that it imports, with changes. */
const mutated = fc
  .tuple(fc.oneof(fc.constantFrom(...RIGHT), fc.constantFrom(...ALL)), edits, fc.nat())
  .map(([{ main, modules }, edit, which]): FuzzInput => {
    const names = Object.keys(modules);
    const name = names[which % (2 * names.length)];
    if (name === undefined) return { kind: "mutated policy", main: edit(main), modules };
    return { kind: "mutated module", main, modules: { ...modules, [name]: edit(modules[name] ?? "") } };
  });

const generated = policies.map((main) => alone("generated policy", main));
const torn = fc.tuple(policies, edits).map(([main, edit]) => alone("mutated generated policy", edit(main)));

const { grammatical, spelled, wordSalad, repeated } = expressions;
const expression = fc.oneof(
  grammatical.map((text) => alone("expression by grammar", policyAround(text))),
  spelled.map((text) => alone("expression in any spelling", policyAround(text))),
  wordSalad.map((text) => alone("expression of any words", policyAround(text))),
  repeated.map((text) => alone("repetitive expression", policyAround(text))),
  fc.tuple(grammatical, edits).map(([text, edit]) => alone("mutated expression", policyAround(edit(text)))),
);

const jsonText = fc.constantFrom(...ADDRESSES, "a", "\ud800", "\u202e", "\0", "__proto__", 'a"b\\');
const json = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.array(fc.constantFrom("10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1"), {
      minLength: 1,
      maxLength: 60,
    }),
  },
  { weight: 3, arbitrary: fc.array(fc.constantFrom(...ADDRESSES), { maxLength: 60 }) },
  { weight: 2, arbitrary: fc.jsonValue({ stringUnit: "binary" }) },
  fc.array(fc.oneof(jsonText, fc.constantFrom(...NUMBERS.map(Number)), fc.constant(null)), { maxLength: 20 }),
  fc.dictionary(jsonText, fc.array(jsonText, { maxLength: 4 }), { maxKeys: 5 }),
);
const USES = [
  "const used = list(data);",
  "const used = list(Object.values(data).flat());",
  "const used = data.map((one) => one);",
  "const used = list(data.prefixes ?? data);",
];
/** A policy with a JSON module, torn or whole. */
const withJson = fc
  .tuple(
    json,
    fc.oneof(
      edits,
      fc.constant((text: string) => text),
    ),
    fc.constantFrom(...USES),
    fc.nat(2),
  )
  .map(([value, edit, use, indent]): FuzzInput => {
    const policy = policyAround("ip.src in $" + "{used}");
    const main = `import data from "./data.json";\n${policy.slice(0, IMPORTS.length)}${use}\n${policy.slice(IMPORTS.length)}`;
    return { kind: "JSON module", main, modules: { "data.json": edit(JSON.stringify(value, null, indent)) } };
  });

/** Inputs of all kinds. */
export const inputs: fc.Arbitrary<FuzzInput> = fc
  .oneof(
    { weight: 9, arbitrary: mutated },
    { weight: 4, arbitrary: generated },
    { weight: 2, arbitrary: torn },
    { weight: 7, arbitrary: expression },
    { weight: 2, arbitrary: withJson },
    {
      weight: 1,
      arbitrary: fc.string({ unit: "binary", maxLength: 200 }).map((main) => alone("any text", main)),
    },
  )
  .map(asStored);

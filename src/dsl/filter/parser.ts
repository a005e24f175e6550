import { EmbeddedActionsParser, type IToken, type TokenType } from "chevrotain";
import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { FieldRef, Filter, Operand, SetItem } from "./ast.js";
import { compareNode, filterOf, inListNode, itemsOf, operandOf, rangeNode } from "./build.js";
import { tokenSpan } from "./lex.js";
import type { Problems } from "./problems.js";
import * as Token from "./tokens.js";

type Parsed = { readonly filter: Filter } | { readonly stuckAt: number };

/**
 * The grammar, one rule a level of precedence: not > and > xor > or. It is LL(1), so an error is always at
 * the first token that cannot go on; expected.ts says in words what could have stood there.
 */
class FilterParser extends EmbeddedActionsParser {
  #problems: Problems | undefined;

  constructor() {
    super(Token.VOCABULARY, { maxLookahead: 1, recoveryEnabled: false });
    this.performSelfAnalysis();
  }

  /** The tree, or the index of the first token that has no place (the number of tokens: the end came too early). */
  read(tokens: readonly IToken[], problems: Problems): Parsed {
    this.#problems = problems;
    this.input = [...tokens];
    const filter = this.#or();
    const error = this.errors[0];
    if (!error) return { filter };
    const index = tokens.indexOf(error.token);
    return { stuckAt: index < 0 ? tokens.length : index };
  }

  readonly #or: () => Filter = this.#chain("or", Token.Or, () => this.#xor);
  readonly #xor: () => Filter = this.#chain("xor", Token.Xor, () => this.#and);
  readonly #and: () => Filter = this.#chain("and", Token.And, () => this.#unary);

  /** `operand (joiner operand)*`, one flat node for the whole chain. */
  #chain(kind: "or" | "xor" | "and", joiner: TokenType, operand: () => () => Filter) {
    // The parser base class has a method `or` of its own.
    return this.RULE(`${kind}Chain`, (): Filter => {
      const start = this.LA(1);
      const first = this.SUBRULE(operand());
      const rest: Filter[] = [];
      this.MANY(() => {
        this.CONSUME(joiner);
        rest.push(this.SUBRULE2(operand()));
      });
      return this.ACTION(() =>
        rest.length === 0 ? first : { kind, operands: [first, ...rest], span: this.#spanFrom(start) },
      );
    });
  }

  readonly #unary: () => Filter = this.RULE("unary", (): Filter => {
    const start = this.LA(1);
    return this.OR([
      {
        ALT: (): Filter => {
          this.CONSUME(Token.Not);
          const operand = this.SUBRULE(this.#unary);
          return this.ACTION(() => ({ kind: "not", operand, span: this.#spanFrom(start) }));
        },
      },
      {
        ALT: () => {
          this.CONSUME(Token.ParenOpen);
          const filter = this.SUBRULE(this.#or);
          this.CONSUME(Token.ParenClose);
          return filter;
        },
      },
      {
        ALT: () => {
          const hole = this.CONSUME(Token.FilterHole);
          return this.ACTION(() => filterOf(hole, this.#spanOf(hole)));
        },
      },
      { ALT: () => this.SUBRULE(this.#condition) },
    ]);
  });

  readonly #condition: () => Filter = this.RULE("condition", (): Filter => {
    const name = this.CONSUME(Token.Field);
    const field = this.ACTION((): FieldRef => ({ name: name.image, args: null, span: this.#spanOf(name) }));
    let filter = this.ACTION((): Filter => ({ kind: "flag", field, span: field.span }));
    this.OPTION(() => {
      filter = this.OR([
        {
          ALT: () => {
            const op = this.CONSUME(Token.Compare);
            const value = this.SUBRULE(this.#value);
            return this.ACTION(() => compareNode(field, op.image, value, this.#spanFrom(name), this.#sink));
          },
        },
        {
          ALT: () => {
            this.CONSUME(Token.In);
            return this.SUBRULE(this.#set, { ARGS: [field, name] });
          },
        },
        {
          ALT: (): Filter => {
            this.CONSUME(Token.BitwiseAnd);
            const mask = this.SUBRULE2(this.#value);
            return this.ACTION(() => ({ kind: "bits", field, mask, span: this.#spanFrom(name) }));
          },
        },
      ]);
    });
    return filter;
  });

  /** What stands behind `in`. */
  readonly #set: (field: FieldRef, start: IToken) => Filter = this.RULE(
    "set",
    (field: FieldRef, start: IToken): Filter => {
      const items: SetItem[] = [];
      return this.OR([
        {
          ALT: (): Filter => {
            this.CONSUME(Token.BraceOpen);
            this.MANY(() => {
              const more = this.SUBRULE(this.#item);
              this.ACTION(() => {
                for (const item of more) items.push(item);
              });
            });
            this.CONSUME(Token.BraceClose);
            return this.ACTION(() => ({ kind: "in", field, items, span: this.#spanFrom(start) }));
          },
        },
        {
          ALT: (): Filter => {
            const hole = this.CONSUME(Token.ArrayHole);
            return this.ACTION(() => ({
              kind: "in",
              field,
              items: itemsOf(hole),
              span: this.#spanFrom(start),
            }));
          },
        },
        {
          ALT: () => {
            const hole = this.CONSUME(Token.ListHole);
            return this.ACTION(() => inListNode(field, hole, this.#spanFrom(start)));
          },
        },
      ]);
    },
  );

  readonly #item: () => readonly SetItem[] = this.RULE("item", (): readonly SetItem[] => {
    const start = this.LA(1);
    return this.OR([
      {
        ALT: () => {
          const low = this.SUBRULE(this.#value);
          let item: SetItem = low;
          this.OPTION(() => {
            this.CONSUME(Token.Range);
            const high = this.SUBRULE2(this.#value);
            item = this.ACTION(() => rangeNode(low, high, this.#spanFrom(start), this.#sink));
          });
          return [item];
        },
      },
      {
        ALT: () => {
          const hole = this.CONSUME(Token.ArrayHole);
          return this.ACTION(() => itemsOf(hole));
        },
      },
    ]);
  });

  readonly #value: () => Operand = this.RULE("value", (): Operand => {
    const token = this.OR([
      { ALT: () => this.CONSUME(Token.Literal) },
      { ALT: () => this.CONSUME(Token.Text) },
      { ALT: () => this.CONSUME(Token.ScalarHole) },
    ]);
    return this.ACTION(() => operandOf(token, this.#spanOf(token), this.#sink));
  });

  get #sink(): Problems {
    invariant(this.#problems, "a grammar action runs only while an expression is read");
    return this.#problems;
  }

  #spanOf(token: IToken): Span {
    return tokenSpan(token, this.#sink);
  }

  /** From the start of `token` to the end of the last token that was consumed. */
  #spanFrom(token: IToken): Span {
    return this.#sink.source.span(token.startOffset, (this.LA(0).endOffset ?? 0) + 1);
  }
}

/** One parser for all expressions: building it analyses the grammar, which costs more than most policies. */
let parser: FilterParser | undefined;

export function parseTokens(tokens: readonly IToken[], problems: Problems): Parsed {
  parser ??= new FilterParser();
  return parser.read(tokens, problems);
}

import { EmbeddedActionsParser, type IToken, type TokenType } from "chevrotain";
import { invariant } from "../../compiler/diagnostics/invariant.js";
import type { Span } from "../../compiler/diagnostics/span.js";
import type { FieldArgument, FieldRef, Filter, Operand, SetItem } from "./ast.js";
import {
  bitsNode,
  commaInSet,
  compareNode,
  fieldNode,
  filterOf,
  inListNode,
  inNode,
  itemsOf,
  operandOf,
  rangeNode,
  type Tail,
  textNode,
  unknown,
} from "./build.js";
import { tokenSpan } from "./lex.js";
import type { Problems } from "./problems.js";
import * as Token from "./tokens.js";
import { isToken } from "./tokens.js";

export type Parsed = { readonly filter: Filter } | { readonly stuckAt: number };

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
    const start = this.LA(1);
    const field = this.SUBRULE(this.#field);
    let tail: Tail = (subject, span) => ({ kind: "flag", field: subject, span });
    this.OPTION(() => {
      tail = this.OR([
        { ALT: () => this.SUBRULE(this.#comparison) },
        { ALT: () => this.SUBRULE(this.#membership) },
      ]);
    });
    return this.ACTION(() => {
      const span = this.#spanFrom(start);
      return field ? tail(field, span) : unknown(null, span);
    });
  });

  /** A name, or a function of the packet with its arguments; undefined if there is no such function. */
  readonly #field: () => FieldRef | undefined = this.RULE("field", (): FieldRef | undefined => {
    const name = this.CONSUME(Token.Field);
    let args: readonly FieldArgument[] | null = null;
    this.OPTION(() => {
      args = this.SUBRULE(this.#arguments);
    });
    return this.ACTION(() =>
      fieldNode(name, args, { name: this.#spanOf(name), all: this.#spanFrom(name) }, this.#sink),
    );
  });

  readonly #arguments: () => readonly FieldArgument[] = this.RULE("arguments", () => {
    const args: FieldArgument[] = [];
    this.CONSUME(Token.ParenOpen);
    this.MANY_SEP({ SEP: Token.Comma, DEF: () => args.push(this.SUBRULE(this.#argument)) });
    this.CONSUME(Token.ParenClose);
    return args;
  });

  readonly #argument: () => FieldArgument = this.RULE(
    "argument",
    (): FieldArgument =>
      this.OR<FieldArgument>([
        {
          ALT: (): FieldArgument => {
            const word = this.CONSUME(Token.Field);
            return this.ACTION(() => ({ kind: "word", value: word.image, span: this.#spanOf(word) }));
          },
        },
        { ALT: () => this.SUBRULE(this.#value) },
      ]),
  );

  /** An operator with one value behind it. */
  readonly #comparison: () => Tail = this.RULE("comparison", (): Tail => {
    const operator = this.OR([
      { ALT: () => this.CONSUME(Token.Compare) },
      { ALT: () => this.CONSUME(Token.TextOperator) },
      { ALT: () => this.CONSUME(Token.BitwiseAnd) },
    ]);
    const value = this.SUBRULE(this.#value);
    return (field, span) => {
      if (isToken(operator, Token.Compare))
        return compareNode(field, operator.image, value, span, this.#sink);
      if (isToken(operator, Token.BitwiseAnd)) return bitsNode(field, value, span, this.#sink);
      return textNode(field, operator, value, span, this.#sink);
    };
  });

  /** `in` and the set behind it. */
  readonly #membership: () => Tail = this.RULE("membership", (): Tail => {
    this.CONSUME(Token.In);
    return this.OR([
      {
        ALT: (): Tail => {
          const items = this.SUBRULE(this.#set);
          return (field, span) => inNode(field, items, span, this.#sink);
        },
      },
      {
        ALT: (): Tail => {
          const hole = this.CONSUME(Token.ArrayHole);
          return (field, span) =>
            inNode(field, itemsOf(hole, this.#spanOf(hole), this.#sink), span, this.#sink);
        },
      },
      {
        ALT: (): Tail => {
          const hole = this.CONSUME(Token.ListHole);
          return (field, span) => inListNode(field, hole, span);
        },
      },
    ]);
  });

  readonly #set: () => readonly SetItem[] = this.RULE("set", () => {
    const items: SetItem[] = [];
    let comma: IToken | undefined;
    this.CONSUME(Token.BraceOpen);
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            const more = this.SUBRULE(this.#item);
            this.ACTION(() => {
              for (const item of more) items.push(item);
            });
          },
        },
        {
          ALT: () => {
            const separator = this.CONSUME(Token.Comma);
            comma ??= separator;
          },
        },
      ]);
    });
    this.CONSUME(Token.BraceClose);
    this.ACTION(() => {
      if (comma) commaInSet(this.#spanOf(comma), this.#sink);
    });
    return items;
  });

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
          return this.ACTION(() => itemsOf(hole, this.#spanOf(hole), this.#sink));
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

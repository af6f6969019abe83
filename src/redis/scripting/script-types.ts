/** Names of a script's keys, in its order. Names are in camel case here, and in snake case in Lua. */
export interface KeySpec {
  keys: readonly string[];
  /** After `keys`: a call has the first ones of these, or none. */
  optional?: readonly string[];
  /** After those: any number of keys, as one list. */
  rest?: string;
}

/**
 * The answer of a script: one of some words; a list that begins with one of them; such a list after Redis' clock (ms); a
 * number; numbers; a text; numbers and texts.
 */
type AnswerSpec =
  | readonly string[]
  | { list: readonly string[] }
  | { timed: readonly string[] }
  | 'number'
  | 'numbers'
  | 'text'
  | 'values';

/** One row of the table of scripts. A script with `own` keys serves many jobs at once; `own` has the keys of one job. */
export interface ScriptSpec extends KeySpec {
  own?: KeySpec;
  answers: AnswerSpec;
}

type OptionalOf<S> = S extends { optional: readonly (infer Name extends string)[] } ? Name : never;
type RestOf<S> = S extends { rest: infer Name extends string } ? Name : never;

/** The keys of a call, by name. */
export type NamedKeys<S extends KeySpec> = Readonly<
  Record<S['keys'][number], string> & Partial<Record<OptionalOf<S>, string>> & Record<RestOf<S>, readonly string[]>
>;

/** The keys of one job, for a script that serves many at once. */
export type OwnKeys<S extends ScriptSpec> = S extends { own: infer Own extends KeySpec } ? NamedKeys<Own> : never;

interface Answers {
  number: number;
  numbers: number[];
  text: string;
  values: (string | number)[];
}

type Answer<A> = A extends readonly (infer Word)[]
  ? Word
  : A extends { list: readonly (infer Word)[] }
    ? [Word, ...(string | number)[]]
    : A extends { timed: readonly (infer Word)[] }
      ? [now: number, Word, ...(string | number)[]]
      : A extends keyof Answers
        ? Answers[A]
        : never;

export type AnswerOf<S extends ScriptSpec> = Answer<S['answers']>;

/** `Buffer`: a text of `exactly`. */
export type ScriptArgument = string | number | Buffer;

/** Runs one script as one atomic step. Every key it touches is in `keys`: a Redis Cluster needs that. */
export type ScriptCall<S extends ScriptSpec> = (
  keys: NamedKeys<S>,
  args: readonly ScriptArgument[],
) => Promise<AnswerOf<S>>;

import { show } from './handshake/show';
import { describe } from './protocol/limits';
import { isThenable } from './thenable';

/** A schema of any library that speaks Standard Schema, version 1 (https://standardschema.dev). */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => StandardResult<Output> | PromiseLike<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema makes of a value. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly MessageIssue[] };

/** What is wrong with a message, and where. */
export interface MessageIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * What messages have to be: a Standard Schema, or a function that parses, at once or later. A message for which the
 * function throws an error with `issues`, such as those of zod and valibot, is one that is wrong.
 */
export type MessageSchema<Message = unknown> =
  | StandardSchema<unknown, Message>
  // Whatever it is given has been parsed from JSON.
  | ((value: unknown) => Message | PromiseLike<Message>);

/** What a message of a schema is. */
export type MessageOf<Schema> = Schema extends {
  readonly '~standard': { readonly types?: { readonly output: infer Output } | undefined };
}
  ? Output
  : Schema extends (value: never) => infer Result
    ? Awaited<Result>
    : never;

/** What the check of a text has come to. */
export type Verdict = { readonly value: unknown } | { readonly issues: readonly MessageIssue[] };

/** Parses a text as JSON and checks it. What the application's own code throws goes through. */
export type MessageCheck = (text: string) => Verdict | PromiseLike<Verdict>;

/**
 * Checks the `message` option.
 *
 * @throws TypeError that names the option and the value
 */
export function messageCheck(schema: unknown): MessageCheck {
  const validate = validatorOf(schema);
  return (text) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      // `JSON.parse` throws nothing but a SyntaxError.
      const { message } = error as SyntaxError;
      return { issues: [{ message: `The message is not JSON: ${message}` }] };
    }
    return validate(value);
  };
}

type Validator = (value: unknown) => Verdict | PromiseLike<Verdict>;

function validatorOf(schema: unknown): Validator {
  // Some schemas are functions as well.
  const standard: unknown = Object(schema)['~standard'];
  if (standard !== undefined) return standardValidator(standard);
  if (typeof schema === 'function') return parsingValidator(schema);
  throw new TypeError(
    `The "message" option must be a Standard Schema or a function, got ${describe(schema)}`,
  );
}

function standardValidator(standard: unknown): Validator {
  const { version, validate } = Object(standard);
  if (version !== 1 || typeof validate !== 'function') {
    throw new TypeError(
      `The "message" option must be a Standard Schema of version 1, got version ${show(version)}`,
    );
  }
  return (value) => {
    const result: unknown = Reflect.apply(validate, standard, [value]);
    return isThenable(result) ? result.then(verdictOf) : verdictOf(result);
  };
}

function verdictOf(result: unknown): Verdict {
  const { issues } = Object(result);
  if (Array.isArray(issues)) return { issues };
  if (issues === undefined && 'value' in Object(result)) return { value: Object(result).value };
  throw new TypeError(`The "message" schema answered ${show(result)}, which is no result`);
}

// biome-ignore lint/complexity/noBannedTypes: what it takes and answers cannot be seen before it is called
function parsingValidator(parse: Function): Validator {
  return (value) => {
    let parsed: unknown;
    try {
      parsed = Reflect.apply(parse, undefined, [value]);
    } catch (error) {
      return issuesOf(error);
    }
    return isThenable(parsed) ? parsed.then((it) => ({ value: it }), issuesOf) : { value: parsed };
  };
}

/** What an error says of the message. @throws the error, where it says nothing */
function issuesOf(error: unknown): Verdict {
  const { issues } = Object(error);
  if (Array.isArray(issues)) return { issues };
  throw error;
}

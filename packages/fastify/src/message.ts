import type { MessageIssue, StandardResult, StandardSchema } from '@upwire/engine/internal';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';

type Validator = ReturnType<FastifyRequest['compileValidationSchema']>;

/**
 * A JSON Schema for messages, compiled as those of requests are: by the compiler of the route, of its instance, or
 * Fastify's own.
 */
export class JsonMessageSchema implements StandardSchema {
  readonly '~standard' = {
    version: 1,
    vendor: 'fastify',
    validate: (value: unknown) => this.check(value),
  } as const;
  private readonly schema: object;
  private readonly instance: FastifyInstance;
  private readonly route: RouteOptions;
  private validator: Validator | undefined = undefined;

  constructor(schema: object, instance: FastifyInstance, route: RouteOptions) {
    this.schema = schema;
    this.instance = instance;
    this.route = route;
  }

  /**
   * Compiles it as soon as everything is declared, if there is a compiler yet: Fastify makes its own when it is needed.
   *
   * @throws Error that names the route
   */
  compileEarly(): void {
    const { schema, route } = this;
    const compiler = route.validatorCompiler ?? this.instance.validatorCompiler;
    if (compiler === undefined) return;
    try {
      const compiled = compiler({ schema, method: 'GET', url: route.url, httpPart: 'body' });
      // The types of one and the same function differ in what it says of its answer.
      this.validator = compiled as Validator;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const text = `The "message" schema of the route ${route.url} cannot be compiled: ${reason}`;
      throw new Error(text, { cause });
    }
  }

  /** Compiles it at the first handshake of its route. */
  compileFor(request: FastifyRequest): void {
    this.validator ??= request.compileValidationSchema(this.schema, 'body');
  }

  private check(value: unknown): StandardResult<unknown> | PromiseLike<StandardResult<unknown>> {
    const { validator } = this;
    // No message comes before a handshake.
    if (validator === undefined) throw new Error('The schema has not been compiled');
    const verdict: unknown = validator(value);
    const conclude = (settled: unknown): StandardResult<unknown> =>
      conclusion(settled, value, validator.errors);
    return isPromise(verdict) ? verdict.then(conclude) : conclude(verdict);
  }
}

/** Whether a `message` option is a schema in the language of the instance's compiler. */
export function isJsonSchema(message: unknown): message is object {
  return (
    typeof message === 'object' &&
    message !== null &&
    !Array.isArray(message) &&
    !('~standard' in message)
  );
}

/** What a validator of Fastify says: a boolean, with the errors beside it, or an object with an error or a value. */
function conclusion(verdict: unknown, value: unknown, errors: unknown): StandardResult<unknown> {
  if (verdict === true) return { value };
  if (verdict === false) return { issues: issuesOf(errors) };
  const { error, value: converted }: { error?: unknown; value?: unknown } = Object(verdict);
  if (error) return { issues: issuesOf(error) };
  return { value: converted === undefined ? value : converted };
}

function issuesOf(errors: unknown): readonly MessageIssue[] {
  return [errors].flat().map((error) => {
    const { message, instancePath = '' }: { message?: unknown; instancePath?: unknown } =
      Object(error);
    return {
      message: typeof message === 'string' ? message : String(error),
      path: pathOf(String(instancePath)),
    };
  });
}

/** RFC 6901 3: a JSON Pointer as the keys on its way. */
function pathOf(pointer: string): string[] {
  const keys = pointer.split('/').slice(1);
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof Object(value).then === 'function';
}

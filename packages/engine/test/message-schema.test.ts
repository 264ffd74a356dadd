import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { messageCheck } from '../src/message-schema';

/** A schema of no library, whose answer is given. */
const answering = (result: unknown) => ({
  '~standard': { version: 1, vendor: 'tests', validate: () => result },
});

describe('what is no schema throws', () => {
  test.each<[unknown, string]>([
    [5, 'The "message" option must be a Standard Schema or a function, got 5'],
    ['json', 'The "message" option must be a Standard Schema or a function, got "json"'],
    [null, 'The "message" option must be a Standard Schema or a function, got null'],
    [true, 'The "message" option must be a Standard Schema or a function, got true'],
    [{ type: 'object' }, 'The "message" option must be a Standard Schema or a function, got an o'],
    [
      { '~standard': { version: 2, validate: () => ({ value: 1 }) } },
      'The "message" option must be a Standard Schema of version 1, got version 2',
    ],
    [
      { '~standard': { version: 1 } },
      'The "message" option must be a Standard Schema of version 1, got version 1',
    ],
  ])('%p', (schema, message) => {
    expect(() => messageCheck(schema)).toThrow(TypeError);
    expect(() => messageCheck(schema)).toThrow(message);
  });
});

test('what is no JSON is an issue before the schema sees it', () => {
  const parse = jest.fn();
  expect(messageCheck(parse)('{"a"')).toEqual({
    issues: [{ message: expect.stringMatching(/^The message is not JSON: ./) }],
  });
  expect(parse).not.toHaveBeenCalled();
});

describe('a schema of zod, valibot and arktype', () => {
  test.each([
    ['zod', z.object({ room: z.string(), count: z.number().default(1) })],
    ['valibot', v.object({ room: v.string(), count: v.optional(v.number(), 1) })],
    ['arktype', type({ room: 'string', count: 'number = 1' })],
  ])('%s: what it makes of the value, or what is wrong', (_name, schema) => {
    const check = messageCheck(schema);
    expect(check('{"room":"red"}')).toEqual({ value: { room: 'red', count: 1 } });
    const verdict = check('{"room":5}');
    if (!('issues' in verdict)) throw new Error('It passed');
    expect(verdict.issues).toHaveLength(1);
    const [{ message, path = [] }] = verdict.issues;
    expect(message).toMatch(/string/);
    expect(Array.from(path, (step) => (typeof step === 'object' ? step.key : step))).toEqual([
      'room',
    ]);
  });

  test.each([
    ['zod', z.object({ n: z.number() }).refine(async ({ n }) => n > 1, 'too small')],
    [
      'valibot',
      v.pipeAsync(
        v.object({ n: v.number() }),
        v.checkAsync(async ({ n }) => n > 1, 'too small'),
      ),
    ],
  ])('%s: asynchronous', async (_name, schema) => {
    const check = messageCheck(schema);
    expect(await check('{"n":2}')).toEqual({ value: { n: 2 } });
    expect(await check('{"n":1}')).toMatchObject({ issues: [{ message: 'too small' }] });
  });
});

describe('a Standard Schema', () => {
  test.each<[unknown, object]>([
    [{ value: undefined }, { value: undefined }],
    [{ value: 0, issues: undefined }, { value: 0 }],
    [{ issues: [{ message: 'no' }] }, { issues: [{ message: 'no' }] }],
    [{ value: 1, issues: [{ message: 'no' }] }, { issues: [{ message: 'no' }] }],
    [{ issues: [] }, { issues: [] }],
  ])('that answers %p', async (result, verdict) => {
    expect(messageCheck(answering(result))('1')).toEqual(verdict);
    expect(await messageCheck(answering(Promise.resolve(result)))('1')).toEqual(verdict);
  });

  test.each([[undefined], [null], [5], [{}], [{ issues: 'no' }]])(
    'that answers %p has failed itself',
    async (result) => {
      const failure = /^The "message" schema answered .*, which is no result$/;
      expect(() => messageCheck(answering(result))('1')).toThrow(TypeError);
      expect(() => messageCheck(answering(result))('1')).toThrow(failure);
      const later = messageCheck(answering(Promise.resolve(result)))('1');
      await expect(later).rejects.toThrow(failure);
    },
  );

  test('is called as a method of what it belongs to', () => {
    class Properties {
      readonly version = 1;
      readonly vendor = 'tests';
      readonly factor = 3;
      validate(value: unknown) {
        return { value: Number(value) * this.factor };
      }
    }
    expect(messageCheck({ '~standard': new Properties() })('2')).toEqual({ value: 6 });
  });

  test('that throws or rejects: the error goes through', async () => {
    const error = new Error('broken');
    const throwing = answering(undefined);
    throwing['~standard'].validate = () => {
      throw error;
    };
    expect(() => messageCheck(throwing)('1')).toThrow(error);
    await expect(messageCheck(answering(Promise.reject(error)))('1')).rejects.toBe(error);
  });
});

describe('a function', () => {
  test('parses, at once or later', async () => {
    expect(messageCheck((value: unknown) => [value])('{"a":1}')).toEqual({ value: [{ a: 1 }] });
    expect(await messageCheck(async (value: unknown) => [value])('1')).toEqual({ value: [1] });
  });

  test('that throws an error with issues says what is wrong', async () => {
    const schema = z.object({ n: z.number() });
    expect(messageCheck((value: unknown) => schema.parse(value))('{}')).toMatchObject({
      issues: [{ path: ['n'] }],
    });
    const other = v.object({ n: v.number() });
    expect(messageCheck((value: unknown) => v.parse(other, value))('{}')).toMatchObject({
      issues: [{ message: expect.any(String) }],
    });
    expect(await messageCheck(async (value: unknown) => schema.parse(value))('{}')).toMatchObject({
      issues: [{ path: ['n'] }],
    });
  });

  test('that throws or rejects with anything else: it goes through', async () => {
    for (const error of [new Error('broken'), 'text', null]) {
      const throwing = messageCheck(() => {
        throw error;
      });
      expect(() => throwing('1')).toThrow();
      await expect(messageCheck(() => Promise.reject(error))('1')).rejects.toBe(error);
    }
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rules } from './example';

const { InputError, LIMITS, readMessage, readName, readRoomName } = rules;
const a = (count: number) => 'a'.repeat(count);

describe('readName', () => {
  test.each([
    ['Ada', 'Ada'],
    ['  Ada   Lovelace ', 'Ada Lovelace'],
    ["Miles O'Brien-Ito jr.", "Miles O'Brien-Ito jr."],
    ['Жанна', 'Жанна'],
    ['नीलम', 'नीलम'],
    ['Ａｄａ', 'Ada'],
    ['Zoe\u0308', 'Zo\u00eb'],
    [a(24), a(24)],
  ])('takes %j', (typed, name) => {
    expect(readName(typed)).toBe(name);
  });

  test.each([
    [undefined, 'Type a name to go by.'],
    [['Ada', 'Eve'], 'Type a name to go by.'],
    [' \t ', 'Type a name to go by.'],
    [a(25), 'A name has 24 characters at most.'],
    ['<b>Ada</b>', "A name has letters, digits, spaces and ' . _ - only, a letter or digit first."],
    ['Ada\u202e', "A name has letters, digits, spaces and ' . _ - only, a letter or digit first."],
    ['A\u200bda', "A name has letters, digits, spaces and ' . _ - only, a letter or digit first."],
    ['A\u0000da', "A name has letters, digits, spaces and ' . _ - only, a letter or digit first."],
    ['-Ada', "A name has letters, digits, spaces and ' . _ - only, a letter or digit first."],
  ])('refuses %j', (typed, message) => {
    expect(() => readName(typed)).toThrow(new InputError(message));
  });
});

describe('readRoomName', () => {
  test.each([
    ['lobby', 'lobby'],
    ['Tea-Room', 'tea-room'],
    ['кухня-2', 'кухня-2'],
    [a(32), a(32)],
  ])('takes %j', (typed, name) => {
    expect(readRoomName(typed)).toBe(name);
  });

  test.each(['', 'tea room', '-tea', 'tea-', 'tea--room', '../etc', '<b>', '#'])(
    'refuses %j',
    (typed) => {
      const message = "A room's name has letters and digits, and single hyphens between them.";
      expect(() => readRoomName(typed)).toThrow(new InputError(message));
    },
  );

  test('refuses a long one', () => {
    const message = "A room's name has 32 characters at most.";
    expect(() => readRoomName(a(33))).toThrow(new InputError(message));
  });
});

describe('readMessage', () => {
  const say = (fields: object) => JSON.stringify({ type: 'say', id: 'x-1', text: 'hi', ...fields });

  test('reads what the page sends, and nothing else of it', () => {
    const data = say({ text: '  hello\n<b> ', admin: true });
    expect(readMessage(data)).toEqual({ id: 'x-1', text: 'hello\n<b>' });
  });

  test('takes the longest text', () => {
    expect(readMessage(say({ text: a(500) })).text).toBe(a(500));
  });

  test.each<[unknown, string]>([
    [Buffer.from(say({})), 'A message is text, not binary data.'],
    ['', 'A message is a JSON object.'],
    ['{', 'A message is a JSON object.'],
    ['null', 'A message is a JSON object.'],
    ['"say"', 'A message is a JSON object.'],
    ['[]', 'The only type of message is "say".'],
    [say({ type: 'shout' }), 'The only type of message is "say".'],
    [say({ id: 7 }), 'A message needs an "id": up to 36 letters, digits and hyphens.'],
    [say({ id: '' }), 'A message needs an "id": up to 36 letters, digits and hyphens.'],
    [say({ id: a(37) }), 'A message needs an "id": up to 36 letters, digits and hyphens.'],
    [say({ text: undefined }), 'A message needs some "text".'],
    [say({ text: ['hi'] }), 'A message needs some "text".'],
    [say({ text: ' \n ' }), 'A message needs some "text".'],
    [say({ text: a(501) }), 'A message has 500 characters at most.'],
  ])('refuses %j', (data, message) => {
    expect(() => readMessage(data)).toThrow(new InputError(message));
  });
});

test('the page has the same rules', () => {
  const file = (...path: string[]) => readFileSync(join(__dirname, '..', ...path), 'utf8');
  const page = file('page', 'index.html');
  const limitOf = (id: string) =>
    Number(new RegExp(`<input id="${id}"[^>]* maxlength="(\\d+)"`).exec(page)?.[1]);
  expect({ name: limitOf('name'), room: limitOf('room'), text: limitOf('text') }).toEqual(LIMITS);
  const roomRule = /const ROOM = .*;/.exec(file('rules.js'));
  expect(roomRule).not.toBeNull();
  expect(page).toContain(roomRule?.[0]);
});

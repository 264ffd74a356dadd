import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { standards } from './clauses';
import { allCases, conformanceDocument } from './document';

const clauses = standards.flatMap((standard) => standard.clauses);
const tests = join(__dirname, '..');

test('docs/conformance.md is what the table makes (npm run conformance)', () => {
  const file = join(tests, '../../../docs/conformance.md');
  expect(readFileSync(file, 'utf8') === conformanceDocument()).toBe(true);
});

test('no id stands for two clauses or two cases', () => {
  for (const ids of [clauses.map(({ id }) => id), allCases.map(({ id }) => id)]) {
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  }
});

test('every case is about clauses that there are', () => {
  const known = new Set(clauses.map(({ id }) => id));
  const unknown = allCases.flatMap((one) => one.clauses.filter((id) => !known.has(id)));
  expect([...new Set(unknown)]).toEqual([]);
  expect(allCases.filter((one) => one.clauses.length === 0)).toEqual([]);
});

test('every clause has a case, a test elsewhere, or a reason for neither', () => {
  const met = new Set(allCases.flatMap((one) => one.clauses));
  const unmet = clauses.filter(
    ({ id, elsewhere, note }) => !met.has(id) && elsewhere === undefined && note === undefined,
  );
  expect(unmet.map(({ id }) => id)).toEqual([]);
});

test('the tests elsewhere are there', () => {
  for (const { file, test: text } of clauses.flatMap(({ elsewhere = [] }) => elsewhere)) {
    const path = join(tests, file);
    expect({
      file,
      text,
      there: existsSync(path) && readFileSync(path, 'utf8').includes(text),
    }).toEqual({ file, text, there: true });
  }
});

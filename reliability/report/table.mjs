import { subjects } from '../subjects.mjs';
import { tests } from '../tests.mjs';

const cellOf = ({ cells }, test, subject) =>
  cells.find((cell) => cell.test === test.id && cell.subject === subject.id);

const mark = ({ skipped, passed }) => (skipped !== undefined ? '-' : passed ? 'pass' : 'FAIL');

/** Passes and failures by subject. */
export function summary(results) {
  const rows = tests.filter(({ id }) => results.cells.some(({ test }) => test === id));
  const columns = subjects.filter(({ id }) => results.cells.some(({ subject }) => subject === id));
  const line = (name, cells) =>
    `${name.padEnd(5)}${cells.map((cell, index) => cell.padEnd(columns[index].label.length + 2)).join('')}`.trimEnd();
  return [
    '',
    line(
      '',
      columns.map(({ label }) => label),
    ),
    ...rows.map((test) =>
      line(
        test.id,
        columns.map((subject) => {
          const cell = cellOf(results, test, subject);
          return cell === undefined ? '' : mark(cell);
        }),
      ),
    ),
    '',
  ].join('\n');
}

const escaped = (text) => text.replaceAll('|', '\\|');

/** The figures, a table for each test. */
export function markdown(results) {
  return tests
    .filter(({ id }) => results.cells.some(({ test }) => test === id))
    .map((test) => {
      const rows = subjects.flatMap((subject) => {
        const cell = cellOf(results, test, subject);
        if (cell === undefined) return [];
        const { skipped, passed, figure } = cell;
        return [
          `| ${subject.label} | ${skipped !== undefined ? '-' : passed ? '✓' : '✗'} | ${escaped(skipped ?? figure)} |`,
        ];
      });
      return `### ${test.id}: ${test.title}\n\nPasses: ${test.pass}.\n\n| | | |\n|---|---|---|\n${rows.join('\n')}\n`;
    })
    .join('\n');
}

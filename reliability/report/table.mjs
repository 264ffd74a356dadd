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

const sign = (cell) =>
  cell === undefined ? '' : cell.skipped !== undefined ? '-' : cell.passed ? '✓' : '✗';

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

const row = (cells) => `| ${cells.join(' | ')} |`;

/** Who passes what, with a link to the figures. */
function overview(results, rows) {
  const head = ['', ...subjects.map(({ label }) => `\`${label}\``)];
  return [
    row(head),
    row(head.map((_, index) => (index === 0 ? '---' : ':-:'))),
    ...rows.map((test) =>
      row([
        `[${test.id}](#${test.id.toLowerCase()}) ${test.title}`,
        ...subjects.map((subject) => sign(cellOf(results, test, subject))),
      ]),
    ),
  ].join('\n');
}

function figures(results, test) {
  const lines = subjects.flatMap((subject) => {
    const cell = cellOf(results, test, subject);
    if (cell === undefined) return [];
    return [row([`\`${subject.label}\``, sign(cell), escaped(cell.skipped ?? cell.figure)])];
  });
  return `### ${test.id}\n\n${sentence(test.title)}. Passes: ${test.pass}.\n\n| | | |\n|---|---|---|\n${lines.join('\n')}\n`;
}

/** The whole, for a document. */
export function markdown(results) {
  const rows = tests.filter(({ id }) => results.cells.some(({ test }) => test === id));
  return [overview(results, rows), '', ...rows.map((test) => figures(results, test))].join('\n');
}
